import { seededRandom, silentLogger } from '@kavka/kernel'
import { ApiKey, describeQuorumResponseCodec, ErrorCode, Writer } from '@kavka/protocol'
import type { DescribeQuorumResponse, Encodable, NodeId } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import { MetadataLoader } from '../loader/metadata-loader.ts'
import type { ControllerReply, LivenessProbe } from '../ports.ts'
import { FakeQuorum } from '../testing/fake-quorum.ts'
import { jsonRecordCodec } from '../testing/json-record-codec.ts'
import { CLUSTER_ID, settingsOf, testUuid } from '../testing/test-cluster.ts'
import { ENTRY_BYTES_MAX } from '../raft/messages.ts'
import { RECORDS_PER_PART_MAX } from './entry-parts.ts'
import { HANDBACK_DELAY_MS, QuorumController } from './quorum-controller.ts'

type Verdict = Awaited<ReturnType<LivenessProbe['probe']>>

class Node {
  readonly scheduler = new VirtualScheduler()
  readonly probes: number[] = []
  /** Answers by port; `answered` where nothing else is said. */
  readonly verdicts = new Map<number, Verdict>()
  readonly loader = new MetadataLoader({
    codec: jsonRecordCodec,
    scheduler: this.scheduler,
    log: silentLogger,
  })
  readonly quorum = new FakeQuorum(100 as NodeId, this.loader)
  readonly controller: QuorumController

  constructor(properties: Readonly<Record<string, string>> = {}) {
    const probe: LivenessProbe = {
      probe: ({ port }) => {
        this.probes.push(port)
        return Promise.resolve(this.verdicts.get(port) ?? 'answered')
      },
    }
    this.controller = new QuorumController(settingsOf(properties), {
      quorum: this.quorum,
      loader: this.loader,
      codec: jsonRecordCodec,
      probe,
      scheduler: this.scheduler,
      random: seededRandom(1),
      log: silentLogger,
    })
  }

  /** Active, with the first records of the cluster committed. */
  async activate(): Promise<this> {
    this.quorum.lead()
    this.quorum.commit()
    return this.settle()
  }

  /** Lets turns run and commits whatever they propose. */
  async settle(ms = 0): Promise<this> {
    for (let i = 0; i < 3; i++) {
      await this.scheduler.advance(i === 0 ? ms : 0)
      this.quorum.commit()
    }
    await this.scheduler.advance(0)
    return this
  }

  request(apiKey: number, apiVersion: number, body: unknown): Promise<ControllerReply> {
    return this.controller.handle({
      apiKey,
      apiVersion,
      body,
      principal: 'User:a',
      clientId: 'c',
      clientHost: 'h',
      listener: 'L',
    })
  }

  register(id: number, incarnation = id, listeners = ['PLAINTEXT']): Promise<ControllerReply> {
    return this.request(ApiKey.BrokerRegistration, 4, {
      brokerId: id,
      clusterId: CLUSTER_ID,
      incarnationId: testUuid(incarnation),
      listeners: listeners.map((name, i) => ({
        name,
        host: 'localhost',
        port: 9000 + id + 100 * i,
        securityProtocol: 0,
      })),
      features: [
        { name: 'metadata.version', minSupportedVersion: 30, maxSupportedVersion: 30 },
        { name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
      ],
      rack: null,
      isMigratingZkBroker: false,
      logDirs: [testUuid(500 + id)],
      previousBrokerEpoch: this.epochOf(id),
    })
  }

  heartbeat(id: number, wants: object = {}): Promise<ControllerReply> {
    return this.request(ApiKey.BrokerHeartbeat, 1, {
      brokerId: id,
      brokerEpoch: this.epochOf(id),
      currentMetadataOffset: this.loader.image.offset,
      wantFence: false,
      wantShutDown: false,
      offlineLogDirs: [],
      ...wants,
    })
  }

  createTopic(name: string, brokerIds: readonly number[]): Promise<ControllerReply> {
    const topic = {
      name,
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [{ partitionIndex: 0, brokerIds }],
      configs: [],
    }
    return this.request(ApiKey.CreateTopics, 7, { topics: [topic], timeoutMs: 0, validateOnly: false })
  }

  alterIsr(name: string, isr: readonly number[]): Promise<ControllerReply> {
    const { leader, leaderEpoch, partitionEpoch } = this.partition(name)
    const newIsrWithEpochs = isr.map((brokerId) => ({ brokerId, brokerEpoch: this.epochOf(brokerId) }))
    const partition = {
      partitionIndex: 0,
      leaderEpoch,
      partitionEpoch,
      leaderRecoveryState: 0,
      newIsr: [],
      newIsrWithEpochs,
    }
    const topicId = this.loader.image.topics.byName.get(name)!.id
    return this.request(ApiKey.AlterPartition, 3, {
      brokerId: leader,
      brokerEpoch: this.epochOf(leader!),
      topics: [{ topicId, partitions: [partition] }],
    })
  }

  /** Registered, unfenced, with its liveness stream open. */
  async start(...ids: readonly number[]): Promise<this> {
    for (const id of ids) {
      void this.register(id)
      await this.settle()
      void this.heartbeat(id)
      this.controller.sessionOpened(id as NodeId, this.epochOf(id))
      await this.settle()
    }
    return this
  }

  epochOf(id: number): number {
    return this.loader.image.brokers.get(id as NodeId)?.epoch ?? -1
  }

  isFenced(id: number): boolean {
    return this.loader.image.brokers.get(id as NodeId)!.fenced
  }

  partition(name: string): {
    leader: number | null
    leaderEpoch: number
    partitionEpoch: number
    isr: readonly number[]
  } {
    return this.loader.image.topics.byName.get(name)!.partitions[0]!
  }
}

function outcomeOf(reply: Promise<ControllerReply>): { value: ControllerReply | null } {
  const outcome: { value: ControllerReply | null } = { value: null }
  void reply.then((value) => {
    outcome.value = value
  })
  return outcome
}

describe('becoming active', () => {
  test('only once the entry of its own epoch is committed', async () => {
    const node = new Node()
    expect(await node.request(ApiKey.UnregisterBroker, 0, { brokerId: 1 })).toEqual({
      kind: 'not-controller',
      leaderId: null,
    })
    node.quorum.lead()
    expect(await node.request(ApiKey.UnregisterBroker, 0, { brokerId: 1 })).toEqual({
      kind: 'not-controller',
      leaderId: null,
    })
    expect(node.controller.metrics.activeControllerCount).toBe(0)
    node.quorum.commit()
    expect(node.controller.isActive).toBe(true)
    node.quorum.follow(101)
    expect(await node.request(ApiKey.UnregisterBroker, 0, { brokerId: 1 })).toEqual({
      kind: 'not-controller',
      leaderId: 101,
    })
  })

  test('writes the features of a new cluster, once', async () => {
    const node = await new Node({ 'min.insync.replicas': '2' }).activate()
    expect(Object.fromEntries(node.loader.image.features)).toEqual({
      'metadata.version': 30,
      'eligible.leader.replicas.version': 1,
    })
    expect(node.loader.image.configs.get('4:')).toEqual(new Map([['min.insync.replicas', '2']]))
    node.quorum.follow(101)
    const { length } = node.quorum.log
    await node.activate()
    expect(node.quorum.log.length).toBe(length + 1)
    expect(node.controller.metrics.newActiveControllersTotal).toBe(2)
  })
})

describe('requests', () => {
  test('are answered when committed, not before', async () => {
    const node = await new Node().activate()
    const reply = outcomeOf(node.register(1))
    await node.scheduler.advance(100)
    expect(reply.value).toBeNull()
    expect(node.loader.image.brokers.size).toBe(0)
    node.quorum.commit()
    await node.scheduler.advance(0)
    expect(reply.value).toMatchObject({
      kind: 'answered',
      body: { errorCode: 0, brokerEpoch: node.loader.image.offset },
    })
  })

  test('are decided on what was proposed before, and answered no sooner than what they saw', async () => {
    const node = await (await new Node().activate()).start(1)
    const first = outcomeOf(node.createTopic('t', [1]))
    const second = outcomeOf(node.createTopic('t', [1]))
    await node.scheduler.advance(10)
    expect([first.value, second.value]).toEqual([null, null])
    node.quorum.commit()
    await node.scheduler.advance(0)
    expect(first.value).toMatchObject({ body: { topics: [{ errorCode: 0 }] } })
    expect(second.value).toMatchObject({ body: { topics: [{ errorCode: ErrorCode.TOPIC_ALREADY_EXISTS }] } })
  })

  test('of one turn share a proposal', async () => {
    const node = await (await new Node().activate()).start(1)
    const { appends } = node.quorum
    const { length } = node.quorum.log
    for (let i = 0; i < 50; i++) void node.createTopic(`t${i}`, [1])
    await node.settle()
    expect(node.loader.image.topics.byId.size).toBe(50)
    expect([node.quorum.appends - appends, node.quorum.log.length - length]).toEqual([1, 1])
  })

  test('two registrations of one broker in a turn get different epochs', async () => {
    const node = await new Node().activate()
    const replies = [outcomeOf(node.register(1, 1)), outcomeOf(node.register(1, 2))]
    await node.settle()
    const [first, second] = replies.map(
      ({ value }) => (value as { body: { brokerEpoch: number } }).body.brokerEpoch,
    )
    expect(second).toBeGreaterThan(first!)
    expect(node.epochOf(1)).toBe(second)
  })

  test('wait while the quorum takes no more proposals', async () => {
    const node = await (await new Node().activate()).start(1)
    node.quorum.refuses = true
    const reply = outcomeOf(node.createTopic('t', [1]))
    await node.scheduler.advance(10)
    node.quorum.refuses = false
    node.quorum.commit()
    await node.settle(1000)
    expect(reply.value).toMatchObject({ kind: 'answered', body: { topics: [{ errorCode: 0 }] } })
  })

  test('an API it does not have', async () => {
    const node = await new Node().activate()
    const reply = outcomeOf(node.request(ApiKey.Produce, 9, {}))
    await node.settle()
    expect(reply.value).toEqual({ kind: 'answered', body: { errorCode: ErrorCode.UNSUPPORTED_VERSION } })
  })

  test.each([0, 1, 2])('DescribeQuorum %i can be written', async (version) => {
    const node = await new Node().activate()
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    const reply = outcomeOf(node.request(ApiKey.DescribeQuorum, version, { topics }))
    await node.settle()
    const { body } = reply.value as { body: Encodable<DescribeQuorumResponse> }
    expect(() => describeQuorumResponseCodec.encode(new Writer(), body, version)).not.toThrow()
  })

  test('DescribeQuorum', async () => {
    const node = await new Node().activate()
    const topics = [
      { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] },
    ]
    const reply = outcomeOf(node.request(ApiKey.DescribeQuorum, 2, { topics }))
    await node.settle()
    expect(reply.value).toMatchObject({
      body: {
        topics: [
          {
            partitions: [
              {
                errorCode: 0,
                leaderId: 100,
                leaderEpoch: 1,
                currentVoters: [{ replicaId: 100, lastFetchTimestamp: 5, lastCaughtUpTimestamp: 4 }],
              },
              { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
            ],
          },
        ],
      },
    })
  })
})

describe('decisions with very many records', () => {
  const TOPICS = 2
  const PARTITIONS = 5_500

  /** Brokers 1 and 2 have replicas of everything; 1 leads all of it. */
  async function withManyPartitions(): Promise<Node> {
    const node = await (await new Node().activate()).start(1, 2)
    for (let i = 0; i < TOPICS; i++) {
      const assignments = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({ partitionIndex, brokerIds: [1, 2] }))
      const topic = { name: `t${i}`, numPartitions: -1, replicationFactor: -1, assignments, configs: [] }
      void node.request(ApiKey.CreateTopics, 7, { topics: [topic], timeoutMs: 0, validateOnly: false })
      await node.settle()
    }
    expect(node.loader.image.topics.byId.size).toBe(TOPICS)
    return node
  }

  const ledBy = (node: Node, id: number): number => {
    const topics = [...node.loader.image.topics.byId.values()]
    return topics.flatMap(({ partitions }) => partitions).filter(({ leader }) => leader === id).length
  }

  test('go into several entries, none of which is too large', async () => {
    const node = await withManyPartitions()
    const { length } = node.quorum.log
    node.verdicts.set(9001, 'refused')
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    await node.settle()
    const entries = node.quorum.log.slice(length)
    expect(entries.length).toBeGreaterThan(1)
    for (const { payload } of entries) {
      expect(payload.length).toBeLessThan(ENTRY_BYTES_MAX)
      expect(jsonRecordCodec.decode(payload).length).toBeLessThanOrEqual(RECORDS_PER_PART_MAX)
    }
    expect([node.isFenced(1), ledBy(node, 1), ledBy(node, 2)]).toEqual([true, 0, TOPICS * PARTITIONS])
  }, 60_000)

  test('a controller that dies in the middle of a fencing leaves it to the next, which finishes it', async () => {
    const node = await withManyPartitions()
    node.verdicts.set(9001, 'refused')
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    const { length } = node.quorum.log
    await node.scheduler.advance(0)
    expect(node.quorum.log.length).toBeGreaterThan(length + 1)
    node.quorum.commit(length + 1)
    expect([node.isFenced(1), ledBy(node, 1) < TOPICS * PARTITIONS]).toEqual([false, true])
    node.quorum.follow(101)
    await node.activate()
    await node.settle()
    expect([node.isFenced(1), ledBy(node, 1), ledBy(node, 2)]).toEqual([true, 0, TOPICS * PARTITIONS])
  }, 60_000)

  test('a controller that dies in the middle of a return leaves no partition without a leader', async () => {
    const node = await withManyPartitions()
    for (const id of [2, 1]) {
      void node.heartbeat(id, { wantFence: true })
      await node.settle()
    }
    expect(ledBy(node, 1) + ledBy(node, 2)).toBe(0)
    const { length } = node.quorum.log
    void node.heartbeat(1)
    await node.scheduler.advance(0)
    node.quorum.commit(length + 1)
    const led = ledBy(node, 1)
    expect([node.isFenced(1), led > 0, led < TOPICS * PARTITIONS]).toEqual([false, true, true])
    node.quorum.follow(101)
    await node.activate()
    for (let pass = 0; pass < 30; pass++) await node.settle()
    expect(ledBy(node, 1)).toBe(TOPICS * PARTITIONS)
  }, 60_000)

  test('what must be one entry and is too large for it is refused', async () => {
    const node = await (await new Node().activate()).start(1)
    const configs = [{ name: 'leader.replication.throttled.replicas', value: 'x'.repeat(5_000_000) }]
    const topic = { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs }
    const reply = node.request(ApiKey.CreateTopics, 7, { topics: [topic], timeoutMs: 0, validateOnly: false })
    await node.settle()
    expect(await reply).toMatchObject({ kind: 'answered' })
    expect(node.loader.image.topics.byId.size).toBe(0)
  })
})

describe('loss of leadership', () => {
  test('drops the speculation: proposed is unknown, not yet decided did not happen', async () => {
    const node = await (await new Node().activate()).start(1)
    const proposed = outcomeOf(node.createTopic('t', [1]))
    await node.scheduler.advance(0)
    const waiting = outcomeOf(node.createTopic('u', [1]))
    node.quorum.follow(101)
    await node.scheduler.advance(0)
    expect(proposed.value).toEqual({ kind: 'unreachable' })
    expect(waiting.value).toEqual({ kind: 'not-controller', leaderId: 101 })
    await node.activate()
    expect(node.loader.image.topics.byId.size).toBe(0)
    const again = outcomeOf(node.createTopic('t', [1]))
    await node.settle()
    expect(again.value).toMatchObject({ body: { topics: [{ errorCode: 0 }] } })
  })

  test('a question that saw only proposals is not answered from them', async () => {
    const node = await (await new Node().activate()).start(1)
    void node.createTopic('t', [1])
    const question = outcomeOf(node.createTopic('t', [1]))
    await node.scheduler.advance(0)
    node.quorum.follow(101)
    await node.scheduler.advance(0)
    expect(question.value).toEqual({ kind: 'not-controller', leaderId: 101 })
  })
})

describe('dead brokers', () => {
  test('a broken stream and a refused connection fence at once', async () => {
    const node = await (await new Node().activate()).start(1, 2)
    void node.createTopic('t', [1, 2])
    await node.settle()
    node.verdicts.set(9001, 'refused')
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    await node.settle()
    expect([node.isFenced(1), node.isFenced(2)]).toEqual([true, false])
    expect(node.partition('t')).toMatchObject({ leader: 2, isr: [2] })
    expect(node.probes).toEqual([9001])
    expect(node.scheduler.monotonicMs()).toBe(0)
  })

  test('a port that dies a little later than the stream is knocked at again', async () => {
    const node = await (await new Node().activate()).start(1)
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    await node.settle()
    expect(node.isFenced(1)).toBe(false)
    node.verdicts.set(9001, 'refused')
    await node.settle(20)
    expect(node.isFenced(1)).toBe(true)
  })

  test('a broker that answers keeps its session, and is left alone once its stream is back', async () => {
    const node = await (await new Node().activate()).start(1)
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    await node.settle(30)
    node.controller.sessionOpened(1 as NodeId, node.epochOf(1))
    node.verdicts.set(9001, 'refused')
    await node.settle(5000)
    expect(node.isFenced(1)).toBe(false)
  })

  test('silence is fenced after the session time-out, and only then', async () => {
    const node = await (await new Node().activate()).start(1)
    node.verdicts.set(9001, 'unknown')
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    await node.settle(8_900)
    expect(node.isFenced(1)).toBe(false)
    await node.settle(1_200)
    expect(node.isFenced(1)).toBe(true)
    expect(node.controller.metrics.timedOutBrokerHeartbeatTotal).toBe(1)
  })

  test('the death of broker and controller together is noticed by the next controller in no time', async () => {
    const node = await (await new Node().activate()).start(1, 2)
    void node.createTopic('t', [1, 2])
    await node.settle()
    node.quorum.follow(101)
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    node.verdicts.set(9001, 'refused')
    await node.activate()
    expect(node.isFenced(1)).toBe(true)
    expect(node.isFenced(2)).toBe(false)
    expect(node.partition('t').leader).toBe(2)
    expect(node.probes).toEqual([9001])
  })

  test('where no listener has the name between brokers, all of them must refuse', async () => {
    const node = await new Node().activate()
    void node.register(1, 1, ['OUTSIDE', 'INSIDE'])
    await node.settle()
    void node.heartbeat(1)
    await node.settle()
    node.verdicts.set(9001, 'refused')
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    await node.settle(10)
    expect([node.probes, node.isFenced(1)]).toEqual([[9001, 9101], false])
    node.verdicts.set(9101, 'refused')
    await node.settle(20)
    expect(node.isFenced(1)).toBe(true)
  })

  test('a registration newer than the probe is not fenced by it', async () => {
    const node = await (await new Node().activate()).start(1)
    const oldEpoch = node.epochOf(1)
    node.controller.sessionLost(1 as NodeId, oldEpoch)
    void node.register(1, 77)
    await node.settle()
    void node.heartbeat(1)
    await node.settle()
    node.verdicts.set(9001, 'refused')
    await node.settle(3000)
    expect(node.epochOf(1)).toBeGreaterThan(oldEpoch)
    expect(node.isFenced(1)).toBe(false)
  })
})

describe('leadership goes back', () => {
  async function restarted(properties: Readonly<Record<string, string>> = {}): Promise<Node> {
    const node = await (await new Node(properties).activate()).start(1, 2)
    void node.createTopic('t', [1, 2])
    await node.settle()
    node.verdicts.set(9001, 'refused')
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    await node.settle()
    node.verdicts.clear()
    await node.start(1)
    void node.alterIsr('t', [2, 1])
    await node.settle()
    return node
  }

  async function live(node: Node, ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1000) {
      await node.settle(1000)
      for (const id of [1, 2]) void node.heartbeat(id)
    }
    await node.settle()
  }

  test('seconds after the preferred leader is in sync again', async () => {
    const node = await restarted()
    expect(node.partition('t')).toMatchObject({ leader: 2, isr: [2, 1] })
    expect(node.controller.metrics.preferredReplicaImbalanceCount).toBe(1)
    await live(node, HANDBACK_DELAY_MS - 1000)
    expect(node.partition('t').leader).toBe(2)
    await live(node, 1000)
    expect(node.partition('t').leader).toBe(1)
    expect(node.controller.metrics.preferredReplicaImbalanceCount).toBe(0)
  })

  test('not when that is turned off', async () => {
    const node = await restarted({ 'auto.leader.rebalance.enable': 'false' })
    await live(node, 400_000)
    expect(node.partition('t').leader).toBe(2)
  })

  test('also when the controller changed meanwhile', async () => {
    const node = await restarted()
    node.quorum.follow(101)
    await node.activate()
    for (const id of [1, 2]) node.controller.sessionOpened(id as NodeId, node.epochOf(id))
    await live(node, HANDBACK_DELAY_MS)
    expect(node.partition('t').leader).toBe(1)
  })
})

test('unclean election begins as soon as the topic allows it, and is counted', async () => {
  const node = await (await new Node().activate()).start(1, 2)
  void node.createTopic('t', [1, 2])
  await node.settle()
  for (const id of [2, 1]) {
    void node.heartbeat(id, { wantFence: true })
    await node.settle()
  }
  void node.heartbeat(2)
  await node.settle()
  expect(node.partition('t').leader).toBeNull()
  expect(node.controller.metrics.offlinePartitionsCount).toBe(1)
  const configs = [{ name: 'unclean.leader.election.enable', configOperation: 0, value: 'true' }]
  void node.request(ApiKey.IncrementalAlterConfigs, 1, {
    resources: [{ resourceType: 2, resourceName: 't', configs }],
    validateOnly: false,
  })
  await node.settle()
  await node.settle()
  expect(node.partition('t').leader).toBe(2)
  expect(node.controller.metrics).toMatchObject({
    uncleanLeaderElectionsTotal: 1,
    offlinePartitionsCount: 0,
    activeBrokerCount: 1,
    fencedBrokerCount: 1,
    globalTopicCount: 1,
    globalPartitionCount: 1,
    operationsPending: 0,
    metadataErrorCount: 0,
  })
})
