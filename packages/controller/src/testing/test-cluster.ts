/** For tests of this package: the metadata of a cluster under decisions, without quorum or time. */
import { loadBrokerConfig, seededRandom } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'
import { ApiKey, uuidFromBytes } from '@kavka/protocol'
import type {
  BrokerHeartbeatResponse,
  BrokerRegistrationResponse,
  LeaderEpoch,
  NodeId,
  Uuid,
} from '@kavka/protocol'
import { BrokerSessions } from '../metadata/brokers/broker-sessions.ts'
import { fenceBroker } from '../metadata/brokers/broker-turns.ts'
import type { ControllerSettings, Decision, DecisionContext } from '../metadata/decision.ts'
import { replayBatch } from '../metadata/delta.ts'
import { bootstrapRecords } from '../metadata/features/bootstrap.ts'
import type { PartitionRegistration, TopicImage } from '../metadata/image.ts'
import type { IndexedImage } from '../metadata/partition-index.ts'
import { emptyIndexedImage } from '../metadata/partition-index.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import { decideRequest } from '../quorum-controller/request-operations.ts'

export const CLUSTER_ID = 'test-cluster-0000000000'

export function settingsOf(properties: Readonly<Record<string, string>> = {}): ControllerSettings {
  const loaded = loadBrokerConfig(
    new Map(
      Object.entries({
        'process.roles': 'broker,controller',
        'node.id': '100',
        'controller.quorum.voters': '100@localhost:9093',
        listeners: 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
        'controller.listener.names': 'CONTROLLER',
        ...properties,
      }),
    ),
  )
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
  return { clusterId: CLUSTER_ID, nodeId: 100 as NodeId, config: loaded.value.config }
}

/** A Uuid that shows where it comes from: the same seed, the same id. */
export function testUuid(seed: number): Uuid {
  const bytes = Buffer.alloc(16, 7)
  bytes.writeUInt32BE(seed, 12)
  return uuidFromBytes(bytes)
}

export interface TestBroker {
  readonly rack?: string | null
  readonly port?: number
  readonly incarnation?: number
  readonly previousBrokerEpoch?: number
  readonly logDirs?: readonly Uuid[]
}

export class TestCluster {
  image: IndexedImage = emptyIndexedImage
  nowMs = 0
  readonly batches: (readonly MetadataRecord[])[] = []
  readonly sessions = new BrokerSessions({ sessionTimeoutMs: 9000 })
  readonly settings: ControllerSettings
  readonly random: Random
  #incarnations = 0

  constructor(
    options: { readonly properties?: Readonly<Record<string, string>>; readonly seed?: number } = {},
  ) {
    this.settings = settingsOf(options.properties)
    this.random = seededRandom(options.seed ?? 1)
    this.commit(bootstrapRecords(this.context))
  }

  get context(): DecisionContext {
    return { image: this.image, settings: this.settings, random: this.random }
  }

  commit(records: readonly MetadataRecord[]): number {
    if (records.length > 0) {
      this.batches.push(records)
      this.image = replayBatch(this.image, records, this.image.offset + 1, 1 as LeaderEpoch)
      for (const record of records) {
        if (record.kind === 'broker-change' && record.fenced === true) this.sessions.fenced(record.brokerId, this.image.offset)
      }
    }
    return this.image.offset
  }

  apply<Response>(decision: Decision<Response>): Response {
    return decision.respond(this.commit(decision.records))
  }

  request<Response>(apiKey: number, apiVersion: number, body: unknown): Response {
    const scheduler = { monotonicMs: () => this.nowMs, wallMs: () => 0, after: never, soon: never }
    const services = { sessions: this.sessions, scheduler, quorum: { state: never() as never } }
    return this.apply(decideRequest(this.context, { apiKey, apiVersion, body }, services)) as Response
  }

  register(id: number, broker: TestBroker = {}): BrokerRegistrationResponse {
    const existing = this.image.brokers.get(id as NodeId)
    return this.request(ApiKey.BrokerRegistration, 4, {
      brokerId: id,
      clusterId: CLUSTER_ID,
      incarnationId: testUuid(1000 + (broker.incarnation ?? 100 + ++this.#incarnations)),
      listeners: [
        { name: 'PLAINTEXT', host: 'localhost', port: broker.port ?? 9000 + id, securityProtocol: 0 },
      ],
      features: [
        { name: 'metadata.version', minSupportedVersion: 30, maxSupportedVersion: 30 },
        { name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
      ],
      rack: broker.rack ?? null,
      isMigratingZkBroker: false,
      logDirs: broker.logDirs ?? [testUuid(id)],
      previousBrokerEpoch: broker.previousBrokerEpoch ?? existing?.epoch ?? -1,
    })
  }

  heartbeat(
    id: number,
    wants: {
      fence?: boolean
      shutDown?: boolean
      offset?: number
      epoch?: number
      offlineLogDirs?: readonly Uuid[]
    } = {},
  ): BrokerHeartbeatResponse {
    return this.request(ApiKey.BrokerHeartbeat, 1, {
      brokerId: id,
      brokerEpoch: wants.epoch ?? this.image.brokers.get(id as NodeId)?.epoch ?? -1,
      currentMetadataOffset: wants.offset ?? this.image.offset,
      wantFence: wants.fence ?? false,
      wantShutDown: wants.shutDown ?? false,
      offlineLogDirs: wants.offlineLogDirs ?? [],
    })
  }

  /** Registered and unfenced. */
  start(...ids: readonly number[]): this {
    for (const id of ids) {
      this.register(id)
      this.heartbeat(id)
    }
    return this
  }

  fence(id: number): void {
    this.commit(fenceBroker(this.context, this.image.brokers.get(id as NodeId)!))
    this.sessions.ended(id as NodeId)
  }

  createTopic(
    name: string,
    assignment: readonly (readonly number[])[],
    configs: Readonly<Record<string, string>> = {},
  ): void {
    const response = this.request<{ topics: { errorCode: number; errorMessage: string }[] }>(
      ApiKey.CreateTopics,
      7,
      {
        topics: [
          {
            name,
            numPartitions: -1,
            replicationFactor: -1,
            assignments: assignment.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
            configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
          },
        ],
        timeoutMs: 1000,
        validateOnly: false,
      },
    )
    if (response.topics[0]!.errorCode !== 0) throw new Error(response.topics[0]!.errorMessage)
  }

  topic(name: string): TopicImage {
    const topic = this.image.topics.byName.get(name)
    if (topic === undefined) throw new Error(`no topic ${name}`)
    return topic
  }

  partition(name: string, partition = 0): PartitionRegistration {
    return this.topic(name).partitions[partition]!
  }

  /** The leader proposes an in-sync set, as it would; `overrides` spoil the request. */
  alterIsr(name: string, isr: readonly number[], overrides: Readonly<Record<string, unknown>> = {}): number {
    const { leader, leaderEpoch, partitionEpoch } = this.partition(name)
    const epochOf = (id: number): number => this.image.brokers.get(id as NodeId)?.epoch ?? -1
    const { partition = {}, ...top } = overrides as { partition?: object }
    const response = this.request<{ errorCode: number; topics: { partitions: { errorCode: number }[] }[] }>(
      ApiKey.AlterPartition,
      3,
      {
        brokerId: leader ?? -1,
        brokerEpoch: epochOf(leader ?? -1),
        topics: [
          {
            topicId: this.topic(name).id,
            partitions: [
              {
                partitionIndex: 0,
                leaderEpoch,
                partitionEpoch,
                newIsr: [],
                leaderRecoveryState: 0,
                newIsrWithEpochs: isr.map((brokerId) => ({ brokerId, brokerEpoch: epochOf(brokerId) })),
                ...partition,
              },
            ],
          },
        ],
        ...top,
      },
    )
    return response.errorCode === 0 ? response.topics[0]!.partitions[0]!.errorCode : response.errorCode
  }

  setConfig(resourceType: number, resourceName: string, name: string, value: string | null): number {
    const response = this.request<{ responses: { errorCode: number }[] }>(ApiKey.IncrementalAlterConfigs, 1, {
      resources: [
        { resourceType, resourceName, configs: [{ name, configOperation: value === null ? 1 : 0, value }] },
      ],
      validateOnly: false,
    })
    return response.responses[0]!.errorCode
  }
}

function never(): never {
  return undefined as never
}
