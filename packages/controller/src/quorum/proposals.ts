/** Proposals that were appended and wait to become committed, or for leadership to end. Each is settled exactly once. */
import { assert, failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import type { LeaderEpoch, Offset } from '@kavka/protocol'

export type ProposalOutcome = Result<{ readonly offset: Offset }, 'not-leader'>

interface Waiter {
  readonly lastOffset: Offset
  readonly epoch: LeaderEpoch
  readonly entries: number
  readonly bytes: number
  readonly settle: (outcome: ProposalOutcome) => void
}

export interface ProposalBounds {
  readonly pendingEntriesMax: number
  readonly pendingBytesMax: number
}

export class Proposals {
  readonly #bounds: ProposalBounds
  /** By offset, ascending. */
  #waiters: Waiter[] = []
  #entries = 0
  #bytes = 0

  constructor(bounds: ProposalBounds) {
    this.#bounds = bounds
  }

  /** One that is larger than the bound alone still goes through when nothing else waits. */
  hasRoomFor(payloads: readonly Uint8Array[]): boolean {
    if (this.#waiters.length === 0) return true
    const entries = this.#entries + payloads.length
    return entries <= this.#bounds.pendingEntriesMax && this.#bytes + bytesOf(payloads) <= this.#bounds.pendingBytesMax
  }

  add(lastOffset: Offset, epoch: LeaderEpoch, payloads: readonly Uint8Array[]): Promise<ProposalOutcome> {
    const last = this.#waiters.at(-1)
    assert(last === undefined || last.lastOffset < lastOffset, 'proposals come in log order')
    const bytes = bytesOf(payloads)
    this.#entries += payloads.length
    this.#bytes += bytes
    return new Promise((resolve) => {
      this.#waiters.push({ lastOffset, epoch, entries: payloads.length, bytes, settle: resolve })
    })
  }

  /** Everything below `end` is committed and applied; `epochAt` gives the epoch of a committed entry. */
  settleBelow(end: Offset, epochAt: (offset: Offset) => LeaderEpoch | null): void {
    const done = this.#waiters.findIndex(({ lastOffset }) => lastOffset >= end)
    for (const waiter of this.#take(done === -1 ? this.#waiters.length : done)) {
      // Another entry can only have taken the place of ours after leadership was lost.
      const isOurs = epochAt(waiter.lastOffset) === waiter.epoch
      waiter.settle(isOurs ? success({ offset: waiter.lastOffset }) : failure('not-leader'))
    }
  }

  /** The fate of what is still waiting cannot be known here any more. */
  failAll(): void {
    for (const waiter of this.#take(this.#waiters.length)) waiter.settle(failure('not-leader'))
  }

  #take(count: number): readonly Waiter[] {
    if (count === 0) return []
    const taken = this.#waiters.slice(0, count)
    this.#waiters = this.#waiters.slice(count)
    for (const { entries, bytes } of taken) {
      this.#entries -= entries
      this.#bytes -= bytes
    }
    return taken
  }
}

function bytesOf(payloads: readonly Uint8Array[]): number {
  return payloads.reduce((sum, { length }) => sum + length, 0)
}
