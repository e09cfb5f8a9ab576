import { assert, assertPresent } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, PartitionEpoch, Uuid } from '@kavka/protocol'
import type { PartitionRegistration, TopicImage, TopicsImage } from '../image.ts'
import type { PartitionIndex } from '../partition-index.ts'
import { PartitionIndexDelta } from '../partition-index.ts'
import type { PersistentMap } from '../persistent-map.ts'
import type { PartitionChangeRecord, PartitionRecord, RemoveTopicRecord, TopicRecord } from '../records.ts'

/**
 * Replays topic and partition records. A topic touched is copied once, however many of its partitions change.
 */
export class TopicsDelta {
  readonly #base: TopicsImage
  readonly #index: PartitionIndexDelta
  #byId: PersistentMap<Uuid, TopicImage>
  #byName: PersistentMap<string, TopicImage>
  readonly #open = new Map<
    Uuid,
    { readonly id: Uuid; readonly name: string; readonly partitions: PartitionRegistration[] }
  >()
  readonly #deleted = new Map<Uuid, TopicImage>()

  constructor(base: TopicsImage, index: PartitionIndex) {
    this.#base = base
    this.#index = new PartitionIndexDelta(index)
    this.#byId = base.byId as PersistentMap<Uuid, TopicImage>
    this.#byName = base.byName as PersistentMap<string, TopicImage>
  }

  replayTopic({ topicId, name }: TopicRecord): void {
    assert(!this.#byId.has(topicId) && !this.#open.has(topicId), 'a topic id is used twice', { topicId })
    assert(!this.#byName.has(name), 'a topic name is used twice', { name })
    const topic = { id: topicId, name, partitions: [] }
    this.#open.set(topicId, topic)
    this.#byName = this.#byName.set(name, topic)
    this.#index.topicAdded(name)
  }

  replayPartition({ kind, topicId, ...registration }: PartitionRecord): void {
    const topic = this.#openTopic(topicId)
    assert(
      kind === 'partition' && registration.partition === topic.partitions.length,
      'partitions come in order',
      { topicId },
    )
    checkPartition(registration)
    topic.partitions.push(registration)
    this.#index.added(topicId, registration)
  }

  replayPartitionChange(record: PartitionChangeRecord): void {
    const topic = this.#openTopic(record.topicId)
    const before = assertPresent(
      topic.partitions[record.partition],
      'a change of a partition that is not there',
    )
    const after = changedPartition(before, record)
    checkPartition(after)
    topic.partitions[record.partition] = after
    this.#index.changed(record.topicId, before, after)
  }

  /** Returns the name, whose configs go with the topic. */
  replayRemove({ topicId }: RemoveTopicRecord): string {
    const topic = this.#openTopic(topicId)
    this.#open.delete(topicId)
    this.#byId = this.#byId.delete(topicId)
    this.#byName = this.#byName.delete(topic.name)
    this.#index.topicRemoved(topic)
    const original = this.#base.byId.get(topicId)
    if (original !== undefined) this.#deleted.set(topicId, original)
    return topic.name
  }

  finish(): {
    topics: TopicsImage
    index: PartitionIndex
    changed: ReadonlySet<Uuid>
    deleted: ReadonlyMap<Uuid, TopicImage>
  } {
    for (const topic of this.#open.values()) {
      this.#byId = this.#byId.set(topic.id, topic)
      this.#byName = this.#byName.set(topic.name, topic)
    }
    return {
      topics: { byId: this.#byId, byName: this.#byName },
      index: this.#index.finish(),
      changed: new Set(this.#open.keys()),
      deleted: this.#deleted,
    }
  }

  #openTopic(topicId: Uuid): {
    readonly id: Uuid
    readonly name: string
    readonly partitions: PartitionRegistration[]
  } {
    const open = this.#open.get(topicId)
    if (open !== undefined) return open
    const topic = assertPresent(this.#byId.get(topicId), `a record of a topic that is not there: ${topicId}`)
    const copy = { ...topic, partitions: [...topic.partitions] }
    this.#open.set(topicId, copy)
    return copy
  }
}

/** What a partition is after a change record: its epochs follow from the record and are not in it. */
export function changedPartition(
  before: PartitionRegistration,
  record: PartitionChangeRecord,
): PartitionRegistration {
  const elects = record.leader !== 'unchanged'
  return {
    partition: before.partition,
    replicas: record.replicas ?? before.replicas,
    directories: record.directories ?? before.directories,
    isr: record.isr ?? before.isr,
    elr: record.elr ?? before.elr,
    lastKnownElr: record.lastKnownElr ?? before.lastKnownElr,
    addingReplicas: record.addingReplicas ?? before.addingReplicas,
    removingReplicas: record.removingReplicas ?? before.removingReplicas,
    leader: leaderAfter(before, record),
    leaderRecovery: record.leaderRecovery ?? before.leaderRecovery,
    leaderEpoch: (before.leaderEpoch + (elects ? 1 : 0)) as LeaderEpoch,
    partitionEpoch: (before.partitionEpoch + 1) as PartitionEpoch,
  }
}

function leaderAfter(before: PartitionRegistration, { leader }: PartitionChangeRecord): NodeId | null {
  if (leader === 'unchanged') return before.leader
  return leader === 'none' ? null : leader
}

/** Invariants C1 and C2 of a single partition; a record that breaks them was decided wrongly. */
function checkPartition(partition: PartitionRegistration): void {
  const { replicas, directories, isr, elr, leader } = partition
  assert(replicas.length > 0, 'a partition without replicas')
  assert(directories.length === replicas.length, 'a directory for each replica', { directories, replicas })
  assert(
    isr.every((id) => replicas.includes(id)),
    'in-sync replicas that are not replicas',
    { isr, replicas },
  )
  assert(
    elr.every((id) => replicas.includes(id)),
    'eligible leaders that are not replicas',
    { elr, replicas },
  )
  assert(!elr.some((id) => isr.includes(id)), 'eligible leaders that are in sync', { elr, isr })
  assert(leader === null || isr.includes(leader), 'a leader outside the in-sync set', { leader, isr })
}
