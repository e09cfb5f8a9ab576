/**
 * Views of the partitions that decisions need without looking at every partition of the cluster. Part of the replayed state,
 * so that a new active controller has them at once; kept up to date by `TopicsDelta` partition by partition.
 */
import type { NodeId, Uuid } from '@kavka/protocol'
import type { MetadataImage, PartitionRegistration, TopicImage } from './image.ts'
import { emptyImage } from './image.ts'
import { PersistentMap } from './persistent-map.ts'
import { collisionKey } from './topics/topic-names.ts'

/** An image with its indexes: what replay makes and decisions read. */
export interface IndexedImage extends MetadataImage {
  readonly index: PartitionIndex
}

export interface PartitionRef {
  readonly topicId: Uuid
  readonly partition: number
}

export type PartitionKey = `${Uuid}:${number}`
export type PartitionSet = PersistentMap<PartitionKey, PartitionRef>

export interface PartitionIndex {
  readonly partitionCount: number
  /** Partitions with a replica on the broker, by topic; the in-sync and eligible sets are subsets of the replicas. */
  readonly byReplica: ReadonlyMap<NodeId, PersistentMap<Uuid, readonly number[]>>
  /** How many partitions each broker leads; brokers that lead none are absent. */
  readonly leaderCounts: ReadonlyMap<NodeId, number>
  readonly leaderless: PartitionSet
  /** Led by another broker than the first replica, or by none. */
  readonly imbalanced: PartitionSet
  /** Topic names by `collisionKey`: no two topics may share one. */
  readonly namesByCollisionKey: PersistentMap<string, string>
  /** With eligible leader replicas outside the in-sync set (KIP-966). */
  readonly withElr: PartitionSet
}

const emptyIndex: PartitionIndex = {
  partitionCount: 0,
  byReplica: new Map(),
  leaderCounts: new Map(),
  leaderless: PersistentMap.empty(),
  imbalanced: PersistentMap.empty(),
  namesByCollisionKey: PersistentMap.empty(),
  withElr: PersistentMap.empty(),
}

export const emptyIndexedImage: IndexedImage = {
  ...emptyImage,
  topics: { byId: PersistentMap.empty(), byName: PersistentMap.empty() },
  configs: PersistentMap.empty(),
  index: emptyIndex,
}

/** A partition with the topic it belongs to. */
export interface LocatedPartition {
  readonly topic: TopicImage
  readonly registration: PartitionRegistration
}

/** Partitions that have a replica on the broker, topic by topic. */
export function* partitionsOn(image: IndexedImage, brokerId: NodeId): Generator<LocatedPartition> {
  for (const [topicId, partitions] of image.index.byReplica.get(brokerId) ?? []) {
    const topic = image.topics.byId.get(topicId)!
    for (const partition of partitions) yield { topic, registration: topic.partitions[partition]! }
  }
}

export function* partitionsIn(image: IndexedImage, set: PartitionSet): Generator<LocatedPartition> {
  for (const { topicId, partition } of set.values()) {
    const topic = image.topics.byId.get(topicId)!
    yield { topic, registration: topic.partitions[partition]! }
  }
}

/** The working copy of a `PartitionIndex` while records are replayed. */
export class PartitionIndexDelta {
  readonly #base: PartitionIndex
  #partitionCount: number
  #byReplica: Map<NodeId, PersistentMap<Uuid, readonly number[]>> | null = null
  #leaderCounts: Map<NodeId, number> | null = null
  #leaderless: PartitionSet
  #imbalanced: PartitionSet
  #namesByCollisionKey: PersistentMap<string, string>
  #withElr: PartitionSet

  constructor(base: PartitionIndex) {
    this.#base = base
    this.#partitionCount = base.partitionCount
    this.#leaderless = base.leaderless
    this.#imbalanced = base.imbalanced
    this.#namesByCollisionKey = base.namesByCollisionKey
    this.#withElr = base.withElr
  }

  topicAdded(name: string): void {
    this.#namesByCollisionKey = this.#namesByCollisionKey.set(collisionKey(name), name)
  }

  added(topicId: Uuid, partition: PartitionRegistration): void {
    this.#partitionCount++
    for (const replica of partition.replicas) this.#addReplica(replica, topicId, partition.partition)
    if (partition.leader !== null) this.#countLeader(partition.leader, 1)
    this.#classify(topicId, null, partition)
  }

  changed(topicId: Uuid, before: PartitionRegistration, after: PartitionRegistration): void {
    if (before.replicas !== after.replicas) this.#moveReplicas(topicId, before, after)
    if (before.leader !== after.leader) {
      if (before.leader !== null) this.#countLeader(before.leader, -1)
      if (after.leader !== null) this.#countLeader(after.leader, 1)
    }
    this.#classify(topicId, before, after)
  }

  topicRemoved(topic: TopicImage): void {
    this.#namesByCollisionKey = this.#namesByCollisionKey.delete(collisionKey(topic.name))
    const holders = new Set(topic.partitions.flatMap((partition) => partition.replicas))
    for (const replica of holders) this.#setReplica(replica, topic.id, [])
    for (const partition of topic.partitions) {
      this.#partitionCount--
      if (partition.leader !== null) this.#countLeader(partition.leader, -1)
      this.#classify(topic.id, partition, null)
    }
  }

  finish(): PartitionIndex {
    return {
      partitionCount: this.#partitionCount,
      byReplica: this.#byReplica ?? this.#base.byReplica,
      leaderCounts: this.#leaderCounts ?? this.#base.leaderCounts,
      leaderless: this.#leaderless,
      imbalanced: this.#imbalanced,
      namesByCollisionKey: this.#namesByCollisionKey,
      withElr: this.#withElr,
    }
  }

  #classify(topicId: Uuid, before: PartitionRegistration | null, after: PartitionRegistration | null): void {
    const ref = { topicId, partition: (after ?? before)!.partition }
    this.#leaderless = moved(this.#leaderless, ref, isLeaderless(before), isLeaderless(after))
    this.#imbalanced = moved(this.#imbalanced, ref, isImbalanced(before), isImbalanced(after))
    this.#withElr = moved(this.#withElr, ref, hasElr(before), hasElr(after))
  }

  #moveReplicas(topicId: Uuid, before: PartitionRegistration, after: PartitionRegistration): void {
    for (const replica of before.replicas) {
      if (after.replicas.includes(replica)) continue
      const left = this.#partitionsOf(replica, topicId).filter((partition) => partition !== after.partition)
      this.#setReplica(replica, topicId, left)
    }
    for (const replica of after.replicas) {
      if (!before.replicas.includes(replica)) this.#addReplica(replica, topicId, after.partition)
    }
  }

  #addReplica(replica: NodeId, topicId: Uuid, partition: number): void {
    this.#setReplica(replica, topicId, [...this.#partitionsOf(replica, topicId), partition].sort((a, b) => a - b))
  }

  #partitionsOf(replica: NodeId, topicId: Uuid): readonly number[] {
    return (this.#byReplica ?? this.#base.byReplica).get(replica)?.get(topicId) ?? []
  }

  #setReplica(replica: NodeId, topicId: Uuid, partitions: readonly number[]): void {
    this.#byReplica ??= new Map(this.#base.byReplica)
    const topics = this.#byReplica.get(replica) ?? PersistentMap.empty<Uuid, readonly number[]>()
    const changed = partitions.length === 0 ? topics.delete(topicId) : topics.set(topicId, partitions)
    if (changed.size === 0) this.#byReplica.delete(replica)
    else this.#byReplica.set(replica, changed)
  }

  #countLeader(leader: NodeId, change: 1 | -1): void {
    this.#leaderCounts ??= new Map(this.#base.leaderCounts)
    const count = (this.#leaderCounts.get(leader) ?? 0) + change
    if (count === 0) this.#leaderCounts.delete(leader)
    else this.#leaderCounts.set(leader, count)
  }
}

function moved(set: PartitionSet, ref: PartitionRef, wasIn: boolean, isIn: boolean): PartitionSet {
  if (wasIn === isIn) return set
  const key: PartitionKey = `${ref.topicId}:${ref.partition}`
  return isIn ? set.set(key, ref) : set.delete(key)
}

function isLeaderless(partition: PartitionRegistration | null): boolean {
  return partition !== null && partition.leader === null
}

function isImbalanced(partition: PartitionRegistration | null): boolean {
  return partition !== null && partition.leader !== partition.replicas[0]
}

function hasElr(partition: PartitionRegistration | null): boolean {
  return partition !== null && partition.elr.length > 0
}
