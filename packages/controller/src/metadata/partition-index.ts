/**
 * Views of the partitions that decisions need without looking at every partition of the cluster. Part of the
 * replayed state, so that a new active controller has them at once; kept up to date by `TopicsDelta`
 * partition by partition.
 */
import { unifiedTopicName } from '@kavka/protocol'
import type { NodeId, Uuid } from '@kavka/protocol'
import type { MetadataImage, PartitionRegistration, TopicImage } from './image.ts'
import { emptyImage } from './image.ts'
import type { PartitionSet } from './partition-set.ts'
import { PartitionSetDelta, emptyPartitionSet } from './partition-set.ts'
import { PersistentMap } from './persistent-map.ts'

/** An image with its indexes: what replay makes and decisions read. */
export interface IndexedImage extends MetadataImage {
  readonly index: PartitionIndex
}

export interface PartitionRef {
  readonly topicId: Uuid
  readonly partition: number
}

export interface PartitionIndex {
  readonly partitionCount: number
  /** Partitions with a replica on the broker; in-sync and eligible sets are subsets of the replicas. */
  readonly byReplica: ReadonlyMap<NodeId, PartitionSet>
  /** How many partitions each broker leads; brokers that lead none are absent. */
  readonly leaderCounts: ReadonlyMap<NodeId, number>
  readonly leaderless: PartitionSet
  /** Led by another broker than the first replica, or by none. */
  readonly imbalanced: PartitionSet
  /** With eligible leader replicas outside the in-sync set (KIP-966). */
  readonly withElr: PartitionSet
  /** Topic names by `collisionKey`: no two topics may share one. */
  readonly namesByCollisionKey: PersistentMap<string, string>
}

const emptyIndex: PartitionIndex = {
  partitionCount: 0,
  byReplica: new Map(),
  leaderCounts: new Map(),
  leaderless: emptyPartitionSet,
  imbalanced: emptyPartitionSet,
  withElr: emptyPartitionSet,
  namesByCollisionKey: PersistentMap.empty(),
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
export function partitionsOn(image: IndexedImage, brokerId: NodeId): Iterable<LocatedPartition> {
  return partitionsIn(image, image.index.byReplica.get(brokerId) ?? emptyPartitionSet)
}

/** The partitions of a set of this image, topic by topic. */
export function* partitionsIn(image: IndexedImage, set: PartitionSet): Generator<LocatedPartition> {
  for (const [topicId, partitions] of set.byTopic) {
    const topic = image.topics.byId.get(topicId)!
    for (const partition of partitions) yield { topic, registration: topic.partitions[partition]! }
  }
}

/** The working copy of a `PartitionIndex` while records are replayed. */
export class PartitionIndexDelta {
  readonly #base: PartitionIndex
  #partitionCount: number
  readonly #byReplica = new Map<NodeId, PartitionSetDelta>()
  #leaderCounts: Map<NodeId, number> | null = null
  readonly #leaderless: PartitionSetDelta
  readonly #imbalanced: PartitionSetDelta
  readonly #withElr: PartitionSetDelta
  #namesByCollisionKey: PersistentMap<string, string>

  constructor(base: PartitionIndex) {
    this.#base = base
    this.#partitionCount = base.partitionCount
    this.#leaderless = new PartitionSetDelta(base.leaderless)
    this.#imbalanced = new PartitionSetDelta(base.imbalanced)
    this.#withElr = new PartitionSetDelta(base.withElr)
    this.#namesByCollisionKey = base.namesByCollisionKey
  }

  topicAdded(name: string): void {
    this.#namesByCollisionKey = this.#namesByCollisionKey.set(unifiedTopicName(name), name)
  }

  added(topicId: Uuid, partition: PartitionRegistration): void {
    this.#partitionCount++
    for (const replica of partition.replicas) this.#replicaDelta(replica).add(topicId, partition.partition)
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
    this.#namesByCollisionKey = this.#namesByCollisionKey.delete(unifiedTopicName(topic.name))
    for (const partition of topic.partitions) {
      this.#partitionCount--
      for (const replica of partition.replicas)
        this.#replicaDelta(replica).remove(topic.id, partition.partition)
      if (partition.leader !== null) this.#countLeader(partition.leader, -1)
      this.#classify(topic.id, partition, null)
    }
  }

  finish(): PartitionIndex {
    return {
      partitionCount: this.#partitionCount,
      byReplica: this.#finishReplicas(),
      leaderCounts: this.#leaderCounts ?? this.#base.leaderCounts,
      leaderless: this.#leaderless.finish(),
      imbalanced: this.#imbalanced.finish(),
      withElr: this.#withElr.finish(),
      namesByCollisionKey: this.#namesByCollisionKey,
    }
  }

  #classify(topicId: Uuid, before: PartitionRegistration | null, after: PartitionRegistration | null): void {
    const { partition } = (after ?? before)!
    move(this.#leaderless, topicId, partition, isLeaderless(before), isLeaderless(after))
    move(this.#imbalanced, topicId, partition, isImbalanced(before), isImbalanced(after))
    move(this.#withElr, topicId, partition, hasElr(before), hasElr(after))
  }

  #moveReplicas(topicId: Uuid, before: PartitionRegistration, after: PartitionRegistration): void {
    for (const replica of before.replicas) {
      if (!after.replicas.includes(replica)) this.#replicaDelta(replica).remove(topicId, before.partition)
    }
    for (const replica of after.replicas) this.#replicaDelta(replica).add(topicId, after.partition)
  }

  #replicaDelta(replica: NodeId): PartitionSetDelta {
    let delta = this.#byReplica.get(replica)
    if (delta === undefined) {
      delta = new PartitionSetDelta(this.#base.byReplica.get(replica) ?? emptyPartitionSet)
      this.#byReplica.set(replica, delta)
    }
    return delta
  }

  #finishReplicas(): ReadonlyMap<NodeId, PartitionSet> {
    if (this.#byReplica.size === 0) return this.#base.byReplica
    const byReplica = new Map(this.#base.byReplica)
    for (const [replica, delta] of this.#byReplica) {
      const set = delta.finish()
      if (set.size === 0) byReplica.delete(replica)
      else byReplica.set(replica, set)
    }
    return byReplica
  }

  #countLeader(leader: NodeId, change: 1 | -1): void {
    this.#leaderCounts ??= new Map(this.#base.leaderCounts)
    const count = (this.#leaderCounts.get(leader) ?? 0) + change
    if (count === 0) this.#leaderCounts.delete(leader)
    else this.#leaderCounts.set(leader, count)
  }
}

function move(set: PartitionSetDelta, topicId: Uuid, partition: number, wasIn: boolean, isIn: boolean): void {
  if (wasIn === isIn) return
  if (isIn) set.add(topicId, partition)
  else set.remove(topicId, partition)
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
