import type { BrokerEpoch, LeaderEpoch, NodeId, PartitionEpoch, Uuid } from '@kavka/protocol'

/**
 * The cluster's metadata as of one offset of the metadata log. Immutable: a delta makes the next one and shares what did not change.
 * Controllers decide on it, brokers serve from it; both get it by replaying the same records.
 */
export interface MetadataImage {
  /** Offset of the last record replayed; -1 before the first. */
  readonly offset: number
  /** Raft epoch of that record. */
  readonly epoch: number
  readonly brokers: ReadonlyMap<NodeId, BrokerRegistration>
  readonly controllers: ReadonlyMap<NodeId, ControllerRegistration>
  readonly topics: TopicsImage
  /** Overrides by resource, `resourceKey(type, name)`; dynamic configs only, static ones live in each node's file. */
  readonly configs: ReadonlyMap<ConfigResourceKey, ReadonlyMap<string, string>>
  /** Finalized feature levels by name (`metadata.version`, `group.version` …). */
  readonly features: ReadonlyMap<string, number>
  /** First producer id that no block has been given from. */
  readonly nextProducerId: number
}

export interface TopicsImage {
  readonly byId: ReadonlyMap<Uuid, TopicImage>
  readonly byName: ReadonlyMap<string, TopicImage>
}

export interface TopicImage {
  readonly id: Uuid
  readonly name: string
  /** Index = partition number. */
  readonly partitions: readonly PartitionRegistration[]
}

export interface PartitionRegistration {
  readonly partition: number
  /** In assignment order: the first is the preferred leader. */
  readonly replicas: readonly NodeId[]
  /** Log directory of each replica, in the same order (KIP-858). */
  readonly directories: readonly Uuid[]
  readonly isr: readonly NodeId[]
  /** Eligible leader replicas (KIP-966). */
  readonly elr: readonly NodeId[]
  readonly lastKnownElr: readonly NodeId[]
  readonly addingReplicas: readonly NodeId[]
  readonly removingReplicas: readonly NodeId[]
  /** Null: no leader can be had now. */
  readonly leader: NodeId | null
  readonly leaderRecovery: 'recovered' | 'recovering'
  readonly leaderEpoch: LeaderEpoch
  readonly partitionEpoch: PartitionEpoch
}

export interface Endpoint {
  readonly listener: string
  readonly host: string
  readonly port: number
  readonly securityProtocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
}

export interface BrokerRegistration {
  readonly id: NodeId
  readonly epoch: BrokerEpoch
  /** Fresh at each process start. */
  readonly incarnationId: Uuid
  readonly endpoints: readonly Endpoint[]
  readonly rack: string | null
  readonly features: ReadonlyMap<string, { readonly min: number; readonly max: number }>
  readonly logDirs: readonly Uuid[]
  /** Fenced brokers lead nothing and are in no in-sync set. */
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
}

export interface ControllerRegistration {
  readonly id: NodeId
  readonly incarnationId: Uuid
  readonly endpoints: readonly Endpoint[]
  readonly features: ReadonlyMap<string, { readonly min: number; readonly max: number }>
}

/** Config resource types of the protocol: 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group. */
export type ConfigResourceType = 2 | 4 | 8 | 16 | 32
export type ConfigResourceKey = `${ConfigResourceType}:${string}`

/** Key of a resource in `MetadataImage.configs`; the name of the cluster-wide broker default is ''. */
export function resourceKey(type: ConfigResourceType, name: string): ConfigResourceKey {
  return `${type}:${name}`
}

export const emptyImage: MetadataImage = {
  offset: -1,
  epoch: 0,
  brokers: new Map(),
  controllers: new Map(),
  topics: { byId: new Map(), byName: new Map() },
  configs: new Map(),
  features: new Map(),
  nextProducerId: 0,
}

/** What a step from one image to the next touched, so that a broker acts on the changes alone. */
export interface MetadataChanges {
  readonly topicsCreatedOrChanged: ReadonlySet<Uuid>
  /** With the image before the change: their partitions are to be removed. */
  readonly topicsDeleted: ReadonlyMap<Uuid, TopicImage>
  readonly brokersChanged: ReadonlySet<NodeId>
  readonly configsChanged: ReadonlySet<ConfigResourceKey>
  readonly featuresChanged: boolean
}

/** Receives every step of the metadata on this node, in order; from `emptyImage` or a loaded snapshot on. */
export interface MetadataPublisher {
  publish(image: MetadataImage, changes: MetadataChanges, previous: MetadataImage): void
}
