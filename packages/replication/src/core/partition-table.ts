import type { Uuid } from '@kavka/protocol'
import type { PartitionKey } from '../ports.ts'

/** Partitions by topic id and number, without building a key for each look-up. */
export class PartitionTable<T> {
  readonly #topics = new Map<Uuid, Map<number, T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: PartitionKey): T | undefined {
    return this.#topics.get(key.topicId)?.get(key.partition)
  }

  set(key: PartitionKey, value: T): void {
    let partitions = this.#topics.get(key.topicId)
    if (partitions === undefined) this.#topics.set(key.topicId, (partitions = new Map()))
    if (!partitions.has(key.partition)) this.#size++
    partitions.set(key.partition, value)
  }

  delete(key: PartitionKey): boolean {
    const partitions = this.#topics.get(key.topicId)
    if (partitions === undefined || !partitions.delete(key.partition)) return false
    this.#size--
    if (partitions.size === 0) this.#topics.delete(key.topicId)
    return true
  }

  *ofTopic(topicId: Uuid): Iterable<T> {
    yield* this.#topics.get(topicId)?.values() ?? []
  }

  *values(): Iterable<T> {
    for (const partitions of this.#topics.values()) yield* partitions.values()
  }

  clear(): void {
    this.#topics.clear()
    this.#size = 0
  }
}
