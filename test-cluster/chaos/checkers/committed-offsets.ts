import { operations } from '../history/operation.ts'
import type { CommitOffset, ReadCommitted } from '../history/operation.ts'
import type { Checker } from './checker.ts'

interface Write {
  readonly offset: number
  readonly invokedMs: number
  /** When it was in force at the latest: acknowledged, or read by somebody. */
  inForceMs: number
}

/**
 * A group's offset of a partition is a linearizable register, whoever answers: a coordinator that was replaced while it was cut off must
 * not tell what it knew. Offsets of a register are unique in a history, so that a read names its write; -1 is the write at the beginning
 * of time.
 */
export const committedOffsets: Checker = {
  name: 'K-OFFSET',
  finds: 'a committed offset was lost, went back or came from nowhere',
  check: (history) => {
    const commits = Map.groupBy(operations(history, 'commit'), ({ register }) => register)
    const reads = Map.groupBy(operations(history, 'committed').filter(({ outcome }) => outcome === 'ok'), ({ register }) => register)
    return [...reads].flatMap(([register, ofRegister]) => checkRegister(register, commits.get(register) ?? [], ofRegister))
  },
}

function checkRegister(register: string, commits: readonly CommitOffset[], reads: readonly ReadCommitted[]): string[] {
  const writes = new Map<number, Write>([[-1, { offset: -1, invokedMs: -Infinity, inForceMs: -Infinity }]])
  for (const { offset, outcome, invokedMs, returnedMs } of commits) {
    if (outcome !== 'fail') writes.set(offset, { offset, invokedMs, inForceMs: outcome === 'ok' ? returnedMs : Infinity })
  }
  for (const { offset, returnedMs } of reads) {
    const write = writes.get(offset)
    if (write !== undefined) write.inForceMs = Math.min(write.inForceMs, returnedMs)
  }
  const newest = new NewestInForce([...writes.values()])
  return reads.flatMap((read) => problemOf(register, read, writes.get(read.offset), newest.before(read.invokedMs)))
}

function problemOf(register: string, read: ReadCommitted, write: Write | undefined, over: Write | null): string[] {
  if (write === undefined) return [`${register}: ${read.process} read ${read.offset}, which nobody committed`]
  if (write.invokedMs > read.returnedMs) return [`${register}: ${read.process} read ${read.offset} before it was committed`]
  if (over === null || over.invokedMs <= write.inForceMs) return []
  return [`${register}: ${read.process} read ${read.offset} at ${read.invokedMs.toFixed(0)} ms although ${over.offset}, committed after it, was in force`]
}

/** Of the writes in force before a time, the one that was invoked last. */
class NewestInForce {
  readonly #byForce: readonly Write[]
  readonly #newest: Write[] = []

  constructor(writes: readonly Write[]) {
    this.#byForce = writes.filter(({ inForceMs }) => inForceMs < Infinity).sort((a, b) => a.inForceMs - b.inForceMs)
    for (const write of this.#byForce) {
      const before = this.#newest.at(-1)
      this.#newest.push(before === undefined || write.invokedMs > before.invokedMs ? write : before)
    }
  }

  before(timeMs: number): Write | null {
    let low = 0
    let high = this.#byForce.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#byForce[middle]!.inForceMs < timeMs) low = middle + 1
      else high = middle
    }
    return low === 0 ? null : this.#newest[low - 1]!
  }
}
