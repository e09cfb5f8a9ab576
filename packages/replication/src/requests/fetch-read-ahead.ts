/**
 * Reads of the next partitions of a fetch, begun while the file of one is read. Files are read in threads, and each read alone costs
 * the event loop a turn and a sleep; together they cost one. What was read ahead counts only where a read in turn would have said the same.
 */
import type { LogReadOutcome } from '@kavka/storage'
import type { Partition } from '../partition/partition.ts'

/** Beside the read that is waited for. More would keep threads from those who wait for a sync. */
export const READS_AHEAD_MAX = 3

type Outcome = LogReadOutcome | Promise<LogReadOutcome>

interface Begun {
  readonly partition: Partition
  readonly outcome: Outcome
}

export class FetchReadAhead {
  readonly #begun = new Map<number, Begun>()

  has(index: number): boolean {
    return this.#begun.has(index)
  }

  /** `index`: the place of the partition in the fetch. */
  add(index: number, partition: Partition, outcome: Outcome): void {
    this.#begun.set(index, { partition, outcome })
    // Whoever takes it sees the failure; nobody may take it.
    if (outcome instanceof Promise) outcome.catch(ignore)
  }

  /** What was begun for the partition at `index`; null when nothing was, or for a replica that is no longer the one. */
  take(index: number, partition: Partition | null): Outcome | null {
    const begun = this.#begun.get(index)
    if (begun === undefined) return null
    this.#begun.delete(index)
    if (begun.partition === partition) return begun.outcome
    void Promise.resolve(begun.outcome).then(giveBack, ignore)
    return null
  }
}

/** The memory of an outcome that nobody looks at. */
export function giveBack(outcome: LogReadOutcome): void {
  if (outcome.kind === 'read') outcome.memory?.giveBack()
}

function ignore(): void {}
