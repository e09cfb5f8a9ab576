import type { CurrentLeader } from '../api.ts'
import type { ParkedRequest } from '../core/purgatory.ts'
import type { PartitionWaiter } from '../partition/partition-waiters.ts'

/**
 * A request with several entries, some of which wait for an offset of their partition. Resolves once, when the last entry is
 * settled or the time is up; one promise a request however many partitions it names.
 */
export class PendingRequest implements ParkedRequest {
  deadlineSlot: number | null = null
  readonly #settle: (index: number, errorCode: number, currentLeader: CurrentLeader | null) => void
  readonly #complete: () => void
  readonly #timeoutCode: number
  readonly #waiters: EntryWaiter[] = []
  #waiting = 0

  constructor(
    options: { readonly timeoutCode: number },
    callbacks: {
      readonly settle: (index: number, errorCode: number, currentLeader: CurrentLeader | null) => void
      readonly complete: () => void
    },
  ) {
    this.#timeoutCode = options.timeoutCode
    this.#settle = callbacks.settle
    this.#complete = callbacks.complete
  }

  get isWaiting(): boolean {
    return this.#waiting > 0
  }

  /** A waiter for the entry at `index`, to be put where its offset is watched. */
  waitFor(index: number, requiredOffset: number): PartitionWaiter {
    const waiter = new EntryWaiter(this, index, requiredOffset)
    this.#waiters.push(waiter)
    this.#waiting++
    return waiter
  }

  finished(index: number, errorCode: number, currentLeader: CurrentLeader | null): void {
    this.#settle(index, errorCode, currentLeader)
    if (--this.#waiting === 0) this.#complete()
  }

  expire(): void {
    for (const waiter of this.#waiters) if (!waiter.isDone) waiter.finish(this.#timeoutCode, null)
  }
}

class EntryWaiter implements PartitionWaiter {
  readonly requiredOffset: number
  isDone = false
  readonly #request: PendingRequest
  readonly #index: number

  constructor(request: PendingRequest, index: number, requiredOffset: number) {
    this.#request = request
    this.#index = index
    this.requiredOffset = requiredOffset
  }

  finish(errorCode: number, currentLeader: CurrentLeader | null): void {
    if (this.isDone) return
    this.isDone = true
    this.#request.finished(this.#index, errorCode, currentLeader)
  }
}
