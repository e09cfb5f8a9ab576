import { seededRandom, silentLogger } from '@kavka/kernel'
import { ApiKey } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import { MetadataLoader } from '../loader/metadata-loader.ts'
import type { ControllerReply, LivenessProbe } from '../ports.ts'
import { QuorumController } from '../quorum-controller/quorum-controller.ts'
import { FakeQuorum } from './fake-quorum.ts'
import { jsonRecordCodec } from './json-record-codec.ts'
import { CLUSTER_ID, settingsOf, testUuid } from './test-cluster.ts'

type Verdict = Awaited<ReturnType<LivenessProbe['probe']>>

/** A quorum controller on virtual time over a quorum that commits when told to; brokers' ports answer as the test says. */
export class ControllerNode {
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

/** What a request was answered by now; null while it waits. */
export function outcomeOf(reply: Promise<ControllerReply>): { value: ControllerReply | null } {
  const outcome: { value: ControllerReply | null } = { value: null }
  void reply.then((value) => {
    outcome.value = value
  })
  return outcome
}
