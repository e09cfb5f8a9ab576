/** Majority arithmetic over a set of voters. Sets are values: a change of voters (KIP-853) will be a new one. */
import { assert } from '@kavka/kernel'
import type { NodeId, Offset } from '@kavka/protocol'

export class VoterSet {
  /** Sorted. */
  readonly ids: readonly NodeId[]
  readonly majority: number

  constructor(ids: readonly NodeId[]) {
    assert(ids.length > 0, 'a quorum needs a voter')
    this.ids = ids.toSorted((a, b) => a - b)
    this.majority = Math.floor(ids.length / 2) + 1
  }

  has(id: NodeId): boolean {
    return this.ids.includes(id)
  }

  /** Whether `id` is the only voter, and so decides alone. */
  isOnly(id: NodeId): boolean {
    return this.ids.length === 1 && this.ids[0] === id
  }

  others(id: NodeId): readonly NodeId[] {
    return this.ids.filter((voter) => voter !== id)
  }

  isMajority(nodes: ReadonlySet<NodeId>): boolean {
    return this.#count(nodes) >= this.majority
  }

  /** With so many against, no majority can come together any more. */
  isBlocked(against: ReadonlySet<NodeId>): boolean {
    return this.#count(against) > this.ids.length - this.majority
  }

  /** The largest offset that a majority has reached; `endOffsetOf` gives what each has synced. */
  majorityEndOffset(endOffsetOf: (id: NodeId) => Offset): Offset {
    const descending = this.ids.map(endOffsetOf).toSorted((a, b) => b - a)
    const reached = descending[this.majority - 1]
    assert(reached !== undefined, 'a majority is never larger than the voter set')
    return reached
  }

  #count(nodes: ReadonlySet<NodeId>): number {
    let count = 0
    for (const id of this.ids) if (nodes.has(id)) count++
    return count
  }
}
