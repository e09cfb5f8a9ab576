/**
 * The records of the metadata log. What Kafka's records of the same purpose say, in our own form; the bytes
 * are the codec's matter (`record-codec.ts`, `proto/kavka/internal/v1/metadata.proto`). Records of one batch
 * take effect together or not at all.
 */
import type { BrokerEpoch, NodeId, Uuid } from '@kavka/protocol'
import type { ConfigResourceType, Endpoint, PartitionRegistration } from './image.ts'

export type MetadataRecord =
  | RegisterBrokerRecord
  | UnregisterBrokerRecord
  | BrokerChangeRecord
  | RegisterControllerRecord
  | TopicRecord
  | PartitionRecord
  | PartitionChangeRecord
  | RemoveTopicRecord
  | ConfigRecord
  | FeatureLevelRecord
  | ProducerIdsRecord
  | NoOpRecord

/** Levels of one feature that a node can work with. */
export interface SupportedFeature {
  readonly name: string
  readonly min: number
  readonly max: number
}

export interface RegisterBrokerRecord {
  readonly kind: 'register-broker'
  readonly brokerId: NodeId
  /**
   * `offset-of-batch`: the offset at which this record is committed becomes the epoch, so that it grows with
   * every registration. A number: an epoch given earlier, in snapshots and when the same incarnation
   * registers again.
   */
  readonly brokerEpoch: BrokerEpoch | 'offset-of-batch'
  readonly incarnationId: Uuid
  readonly endpoints: readonly Endpoint[]
  readonly rack: string | null
  readonly features: readonly SupportedFeature[]
  readonly logDirs: readonly Uuid[]
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
}

export interface UnregisterBrokerRecord {
  readonly kind: 'unregister-broker'
  readonly brokerId: NodeId
  readonly brokerEpoch: BrokerEpoch
}

/** Null: as it was. */
export interface BrokerChangeRecord {
  readonly kind: 'broker-change'
  readonly brokerId: NodeId
  readonly brokerEpoch: BrokerEpoch
  readonly fenced: boolean | null
  readonly inControlledShutdown: boolean | null
  readonly logDirs: readonly Uuid[] | null
}

export interface RegisterControllerRecord {
  readonly kind: 'register-controller'
  readonly controllerId: NodeId
  readonly incarnationId: Uuid
  readonly endpoints: readonly Endpoint[]
  readonly features: readonly SupportedFeature[]
}

export interface TopicRecord {
  readonly kind: 'topic'
  readonly topicId: Uuid
  readonly name: string
}

/** A new partition; numbers of a topic come in order from 0. */
export interface PartitionRecord extends PartitionRegistration {
  readonly kind: 'partition'
  readonly topicId: Uuid
}

/**
 * Null: as it was. Replaying it raises the partition epoch by one, and the leader epoch too unless `leader`
 * is `unchanged` (a re-election of the same leader raises it).
 */
export interface PartitionChangeRecord {
  readonly kind: 'partition-change'
  readonly topicId: Uuid
  readonly partition: number
  readonly leader: NodeId | 'none' | 'unchanged'
  readonly isr: readonly NodeId[] | null
  readonly elr: readonly NodeId[] | null
  readonly lastKnownElr: readonly NodeId[] | null
  readonly replicas: readonly NodeId[] | null
  /** Of all replicas; comes with `replicas` where they change. */
  readonly directories: readonly Uuid[] | null
  readonly addingReplicas: readonly NodeId[] | null
  readonly removingReplicas: readonly NodeId[] | null
  readonly leaderRecovery: 'recovered' | 'recovering' | null
}

/** Takes the topic's partitions and its config overrides with it. */
export interface RemoveTopicRecord {
  readonly kind: 'remove-topic'
  readonly topicId: Uuid
}

/** A null value removes the override. */
export interface ConfigRecord {
  readonly kind: 'config'
  readonly resourceType: ConfigResourceType
  readonly resourceName: string
  readonly name: string
  readonly value: string | null
}

/** Level 0 removes the feature, as Kafka has it. */
export interface FeatureLevelRecord {
  readonly kind: 'feature-level'
  readonly name: string
  readonly level: number
}

/** All ids below `nextProducerId` have been given out. */
export interface ProducerIdsRecord {
  readonly kind: 'producer-ids'
  readonly brokerId: NodeId
  readonly brokerEpoch: BrokerEpoch
  readonly nextProducerId: number
}

export interface NoOpRecord {
  readonly kind: 'no-op'
}

/** A change of nothing, to be spread into the change that is meant. */
export function partitionChange(
  topicId: Uuid,
  partition: number,
  change: Partial<Omit<PartitionChangeRecord, 'kind' | 'topicId' | 'partition'>>,
): PartitionChangeRecord {
  return {
    kind: 'partition-change',
    topicId,
    partition,
    leader: 'unchanged',
    isr: null,
    elr: null,
    lastKnownElr: null,
    replicas: null,
    directories: null,
    addingReplicas: null,
    removingReplicas: null,
    leaderRecovery: null,
    ...change,
  }
}

/** A fencing or unfencing of a broker, or the start of its controlled shutdown. */
export function brokerChange(
  broker: { readonly id: NodeId; readonly epoch: BrokerEpoch },
  change: Partial<Pick<BrokerChangeRecord, 'fenced' | 'inControlledShutdown' | 'logDirs'>>,
): BrokerChangeRecord {
  return {
    kind: 'broker-change',
    brokerId: broker.id,
    brokerEpoch: broker.epoch,
    fenced: null,
    inControlledShutdown: null,
    logDirs: null,
    ...change,
  }
}
