import { assert } from '@kavka/kernel'
import type { StoredOffset } from './group-records.ts'

/**
 * A committed offset and where its record stands in the log, which decides between a plain commit and a
 * transaction's.
 */
export interface CommittedOffset extends StoredOffset {
  readonly recordOffset: number
}

/**
 * Offsets of one group: those that are committed, those of open transactions, and which partitions have a
 * commit on its way into the log. Changes only by committed or replayed records; the counts of commits under
 * way are the exception.
 */
export class GroupOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>()
  /** By producer, then topic and partition: they take effect with the transaction's marker. */
  readonly #pending = new Map<number, Map<string, Map<number, CommittedOffset>>>()
  readonly #underWay = new PartitionCounts()

  get(topic: string, partition: number): CommittedOffset | null {
    return this.#topics.get(topic)?.get(partition) ?? null
  }

  *entries(): Iterable<readonly [topic: string, partition: number, committed: CommittedOffset]> {
    for (const [topic, partitions] of this.#topics) {
      for (const [partition, committed] of partitions) yield [topic, partition, committed]
    }
  }

  topics(): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> {
    return this.#topics
  }

  /** Nothing committed, nothing pending in a transaction, nothing on its way. */
  get isUnused(): boolean {
    return this.#topics.size === 0 && this.#pending.size === 0 && this.#underWay.isEmpty
  }

  put(topic: string, partition: number, committed: CommittedOffset): void {
    putNested(this.#topics, topic, partition, committed)
  }

  putPending(producerId: number, topic: string, partition: number, committed: CommittedOffset): void {
    let topics = this.#pending.get(producerId)
    if (topics === undefined) this.#pending.set(producerId, (topics = new Map()))
    putNested(topics, topic, partition, committed)
  }

  /**
   * A tombstone: also a pending offset of the partition is gone, as its transaction must not bring it back.
   */
  delete(topic: string, partition: number): void {
    deleteNested(this.#topics, topic, partition)
    for (const [producerId, topics] of this.#pending) {
      deleteNested(topics, topic, partition)
      if (topics.size === 0) this.#pending.delete(producerId)
    }
  }

  /**
   * The marker: a commit's offsets take effect unless the partition was committed later in the log, an
   * abort's are dropped.
   */
  endTransaction(producerId: number, result: 'commit' | 'abort'): void {
    const topics = this.#pending.get(producerId)
    if (topics === undefined) return
    this.#pending.delete(producerId)
    if (result === 'abort') return
    for (const [topic, partitions] of topics) {
      for (const [partition, pending] of partitions) {
        const current = this.get(topic, partition)
        if (current === null || pending.recordOffset > current.recordOffset) this.put(topic, partition, pending)
      }
    }
  }

  hasPendingTransaction(topic: string, partition: number): boolean {
    for (const topics of this.#pending.values()) if (topics.get(topic)?.has(partition) === true) return true
    return false
  }

  get hasPendingTransactions(): boolean {
    return this.#pending.size > 0
  }

  /**
   * A commit of the partition is on its way into the log; it must not be expired or outlived by a deletion.
   */
  isUnderWay(topic: string, partition: number): boolean {
    return this.#underWay.has(topic, partition)
  }

  startCommit(topic: string, partition: number): void {
    this.#underWay.increment(topic, partition)
  }

  endCommit(topic: string, partition: number): void {
    this.#underWay.decrement(topic, partition)
  }

  /** Every partition that a deletion must write a tombstone for. */
  *known(): Iterable<readonly [topic: string, partition: number]> {
    const seen = new PartitionCounts()
    for (const [topic, partition] of this.#everyMention()) {
      if (seen.has(topic, partition)) continue
      seen.increment(topic, partition)
      yield [topic, partition]
    }
  }

  *#everyMention(): Iterable<readonly [string, number]> {
    for (const [topic, partition] of this.entries()) yield [topic, partition]
    for (const topics of this.#pending.values()) {
      for (const [topic, partitions] of topics) for (const partition of partitions.keys()) yield [topic, partition]
    }
    yield* this.#underWay.partitions()
  }
}

/** Counts by partition; what is not counted takes no room. */
class PartitionCounts {
  readonly #topics = new Map<string, Map<number, number>>()

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  has(topic: string, partition: number): boolean {
    return this.#topics.get(topic)?.has(partition) === true
  }

  increment(topic: string, partition: number): void {
    putNested(this.#topics, topic, partition, (this.#topics.get(topic)?.get(partition) ?? 0) + 1)
  }

  decrement(topic: string, partition: number): void {
    const count = this.#topics.get(topic)?.get(partition) ?? 0
    assert(count > 0, 'a commit that ends was started', { topic, partition })
    if (count === 1) deleteNested(this.#topics, topic, partition)
    else putNested(this.#topics, topic, partition, count - 1)
  }

  *partitions(): Iterable<readonly [string, number]> {
    for (const [topic, partitions] of this.#topics) for (const partition of partitions.keys()) yield [topic, partition]
  }
}

function putNested<V>(topics: Map<string, Map<number, V>>, topic: string, partition: number, value: V): void {
  let partitions = topics.get(topic)
  if (partitions === undefined) topics.set(topic, (partitions = new Map()))
  partitions.set(partition, value)
}

function deleteNested<V>(topics: Map<string, Map<number, V>>, topic: string, partition: number): void {
  const partitions = topics.get(topic)
  if (partitions === undefined) return
  partitions.delete(partition)
  if (partitions.size === 0) topics.delete(topic)
}
