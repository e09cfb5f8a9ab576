import type { Uuid } from '@kavka/protocol'
import { PersistentMap } from './persistent-map.ts'

/**
 * A set of partitions, kept topic by topic: what happens to one partition of a topic mostly happens to its
 * others too.
 */
export interface PartitionSet {
  /** How many partitions. */
  readonly size: number
  /** Their numbers, ascending; topics without any are absent. */
  readonly byTopic: PersistentMap<Uuid, readonly number[]>
}

export const emptyPartitionSet: PartitionSet = { size: 0, byTopic: PersistentMap.empty() }

/** The working copy of a set while records are replayed; each topic touched is written once, at the end. */
export class PartitionSetDelta {
  readonly #base: PartitionSet
  readonly #open = new Map<Uuid, Set<number>>()
  #size: number

  constructor(base: PartitionSet) {
    this.#base = base
    this.#size = base.size
  }

  /** Already there: nothing happens. */
  add(topicId: Uuid, partition: number): void {
    const partitions = this.#openTopic(topicId)
    if (partitions.has(partition)) return
    partitions.add(partition)
    this.#size++
  }

  /** Not there: nothing happens. */
  remove(topicId: Uuid, partition: number): void {
    if (this.#openTopic(topicId).delete(partition)) this.#size--
  }

  finish(): PartitionSet {
    let { byTopic } = this.#base
    for (const [topicId, partitions] of this.#open) {
      if (partitions.size === 0) byTopic = byTopic.delete(topicId)
      else
        byTopic = byTopic.set(
          topicId,
          [...partitions].sort((a, b) => a - b),
        )
    }
    return this.#open.size === 0 ? this.#base : { size: this.#size, byTopic }
  }

  #openTopic(topicId: Uuid): Set<number> {
    let partitions = this.#open.get(topicId)
    if (partitions === undefined) {
      partitions = new Set(this.#base.byTopic.get(topicId))
      this.#open.set(topicId, partitions)
    }
    return partitions
  }
}
