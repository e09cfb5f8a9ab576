import { ApiKey, describeQuorumResponseCodec, ErrorCode, Writer } from '@kavka/protocol'
import type { DescribeQuorumResponse, Encodable } from '@kavka/protocol'
import { ControllerNode, outcomeOf } from '../testing/controller-node.ts'
import { OPERATIONS_QUEUED_MAX } from './operation-queue.ts'

describe('becoming active', () => {
  test('only once the entry of its own epoch is committed', async () => {
    const node = new ControllerNode()
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
    const node = await new ControllerNode({ 'min.insync.replicas': '2' }).activate()
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
    const node = await new ControllerNode().activate()
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

  test('that change nothing are answered when something proposed after them is committed, made for them if need be', async () => {
    const node = await new ControllerNode().activate()
    const { length } = node.quorum.log
    // A fetch that arrives says nothing of what has happened since it was sent.
    node.quorum.otherFetchesMs = [node.scheduler.wallMs(), node.scheduler.wallMs()]
    const replies = [7, 8].map((brokerId) => outcomeOf(node.request(ApiKey.UnregisterBroker, 0, { brokerId })))
    await node.scheduler.advance(100)
    expect(replies.map(({ value }) => value)).toEqual([null, null])
    expect(node.quorum.log.length).toBe(length + 1)
    node.quorum.commit()
    await node.scheduler.advance(0)
    for (const { value } of replies) expect(value).toMatchObject({ kind: 'answered' })
  })

  test('that change nothing share the commit of what was proposed in their turn', async () => {
    const node = await (await new ControllerNode().activate()).start(1)
    const { length } = node.quorum.log
    const nothing = outcomeOf(node.request(ApiKey.UnregisterBroker, 0, { brokerId: 7 }))
    const topic = outcomeOf(node.createTopic('t', [1]))
    await node.scheduler.advance(10)
    expect([nothing.value, topic.value]).toEqual([null, null])
    node.quorum.commit()
    await node.scheduler.advance(0)
    expect(nothing.value).toMatchObject({ kind: 'answered' })
    expect(topic.value).toMatchObject({ body: { topics: [{ errorCode: 0 }] } })
    expect(node.quorum.log.length).toBe(length + 1)
  })

  test('heartbeats that change nothing wait while the voters are not heard, who may have elected somebody else', async () => {
    const node = await (await new ControllerNode().activate()).start(1)
    const { quorum, scheduler } = node
    const heartbeat = () => outcomeOf(node.heartbeat(1))
    quorum.otherFetchesMs = [-1, scheduler.wallMs() - 900]
    const prompt = heartbeat()
    await scheduler.advance(0)
    expect(prompt.value).toMatchObject({ kind: 'answered' })
    await scheduler.advance(200)
    const late = heartbeat()
    await scheduler.advance(500)
    expect(late.value).toBeNull()
    quorum.otherFetchesMs = [-1, scheduler.wallMs()]
    await scheduler.advance(50)
    expect(late.value).toMatchObject({ kind: 'answered' })
  })

  test('that cannot be told are turned away when there are too many', async () => {
    const node = await new ControllerNode().activate()
    node.quorum.otherFetchesMs = [-1, -1]
    const replies: ReturnType<typeof outcomeOf>[] = []
    for (let round = 0; round < 11; round++) {
      for (let i = 0; i < OPERATIONS_QUEUED_MAX / 10; i++) replies.push(outcomeOf(node.request(ApiKey.UnregisterBroker, 0, { brokerId: 7 })))
      await node.scheduler.advance(1)
    }
    const turnedAway = replies.map(({ value }, index) => (value === null ? -1 : index)).filter((index) => index >= 0)
    expect([turnedAway.length, turnedAway[0]]).toEqual([OPERATIONS_QUEUED_MAX / 10, OPERATIONS_QUEUED_MAX])
    expect(replies.at(-1)!.value).toMatchObject({ kind: 'not-controller' })
  })

  test('that change nothing are not answered by a leader that was replaced', async () => {
    const node = await new ControllerNode().activate()
    node.quorum.otherFetchesMs = [-1, -1]
    const reply = outcomeOf(node.request(ApiKey.UnregisterBroker, 0, { brokerId: 7 }))
    await node.scheduler.advance(500)
    expect(reply.value).toBeNull()
    node.quorum.follow(101)
    await node.scheduler.advance(50)
    expect(reply.value).toEqual({ kind: 'not-controller', leaderId: 101 })
  })

  test('are decided on what was proposed before, and answered no sooner than what they saw', async () => {
    const node = await (await new ControllerNode().activate()).start(1)
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
    const node = await (await new ControllerNode().activate()).start(1)
    const { appends } = node.quorum
    const { length } = node.quorum.log
    for (let i = 0; i < 50; i++) void node.createTopic(`t${i}`, [1])
    await node.settle()
    expect(node.loader.image.topics.byId.size).toBe(50)
    expect([node.quorum.appends - appends, node.quorum.log.length - length]).toEqual([1, 1])
  })

  test('two registrations of one broker in a turn get different epochs', async () => {
    const node = await new ControllerNode().activate()
    const replies = [outcomeOf(node.register(1, 1)), outcomeOf(node.register(1, 2))]
    await node.settle()
    const [first, second] = replies.map(
      ({ value }) => (value as { body: { brokerEpoch: number } }).body.brokerEpoch,
    )
    expect(second).toBeGreaterThan(first!)
    expect(node.epochOf(1)).toBe(second)
  })

  test('wait while the quorum takes no more proposals', async () => {
    const node = await (await new ControllerNode().activate()).start(1)
    node.quorum.refuses = true
    const reply = outcomeOf(node.createTopic('t', [1]))
    await node.scheduler.advance(10)
    node.quorum.refuses = false
    node.quorum.commit()
    await node.settle(1000)
    expect(reply.value).toMatchObject({ kind: 'answered', body: { topics: [{ errorCode: 0 }] } })
  })

  test('an API it does not have', async () => {
    const node = await new ControllerNode().activate()
    const reply = outcomeOf(node.request(ApiKey.Produce, 9, {}))
    await node.settle()
    expect(reply.value).toEqual({ kind: 'answered', body: { errorCode: ErrorCode.UNSUPPORTED_VERSION } })
  })

  test.each([0, 1, 2])('DescribeQuorum %i can be written', async (version) => {
    const node = await new ControllerNode().activate()
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    const reply = outcomeOf(node.request(ApiKey.DescribeQuorum, version, { topics }))
    await node.settle()
    const { body } = reply.value as { body: Encodable<DescribeQuorumResponse> }
    expect(() => describeQuorumResponseCodec.encode(new Writer(), body, version)).not.toThrow()
  })

  test('DescribeQuorum', async () => {
    const node = await new ControllerNode().activate()
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

test('a broker that is fenced is not counted in again in the same turn: it cannot have replayed that', async () => {
  const node = await (await new ControllerNode().activate()).start(1, 2)
  void node.heartbeat(1, { wantFence: true })
  void node.heartbeat(1)
  await node.settle()
  expect(node.isFenced(1)).toBe(true)
  void node.heartbeat(1)
  await node.settle()
  expect(node.isFenced(1)).toBe(false)
})

test('nor in the turn in which its session ends, when it is heard right after the look that was overdue', async () => {
  const node = await (await new ControllerNode().activate()).start(1, 2)
  await node.scheduler.advance(8_500)
  void node.heartbeat(2)
  node.scheduler.after(500, () => void node.heartbeat(1))
  await node.settle(500)
  expect([node.isFenced(1), node.isFenced(2)]).toEqual([true, false])
})

describe('loss of leadership', () => {
  test('drops the speculation: proposed is unknown, not yet decided did not happen', async () => {
    const node = await (await new ControllerNode().activate()).start(1)
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
    const node = await (await new ControllerNode().activate()).start(1)
    void node.createTopic('t', [1])
    const question = outcomeOf(node.createTopic('t', [1]))
    await node.scheduler.advance(0)
    node.quorum.follow(101)
    await node.scheduler.advance(0)
    expect(question.value).toEqual({ kind: 'not-controller', leaderId: 101 })
  })
})

test('unclean election begins as soon as the topic allows it, and is counted', async () => {
  const node = await (await new ControllerNode().activate()).start(1, 2)
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
