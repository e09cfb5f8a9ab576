/** Somebody waits until an offset of one partition passes `requiredOffset`. */
export interface OffsetWaiter {
  readonly requiredOffset: number
  /** True once it was answered otherwise (a timeout): it is skipped, and swept out when such waiters prevail. */
  readonly isDone: boolean
}

const SWEEP_LENGTH_MIN = 32

/**
 * Waiters of one partition in the order of their offsets. Appends ask for growing offsets, so adding is at the end and
 * completing from the front, both O(1); only the duplicate of an older batch is placed further ahead.
 */
export class OffsetWaiters<T extends OffsetWaiter> {
  #waiters: T[] = []
  #head = 0
  #sweepAtLength = SWEEP_LENGTH_MIN

  get length(): number {
    return this.#waiters.length - this.#head
  }

  add(waiter: T): void {
    if (this.#waiters.length >= this.#sweepAtLength) this.#sweep()
    let at = this.#waiters.push(waiter) - 1
    while (at > this.#head && this.#waiters[at - 1]!.requiredOffset > waiter.requiredOffset) {
      this.#waiters[at] = this.#waiters[at - 1]!
      at--
    }
    this.#waiters[at] = waiter
  }

  /** Hands over everyone whose offset is reached; `complete` must not add to these waiters. */
  reached(offset: number, complete: (waiter: T) => void): void {
    while (this.#head < this.#waiters.length && this.#waiters[this.#head]!.requiredOffset <= offset) {
      const waiter = this.#waiters[this.#head++]!
      if (!waiter.isDone) complete(waiter)
    }
    if (this.#head === this.#waiters.length) this.#clear()
  }

  /** Hands over everyone, whatever the offset. */
  drain(complete: (waiter: T) => void): void {
    const waiters = this.#waiters.slice(this.#head)
    this.#clear()
    for (const waiter of waiters) if (!waiter.isDone) complete(waiter)
  }

  #clear(): void {
    this.#waiters = []
    this.#head = 0
    this.#sweepAtLength = SWEEP_LENGTH_MIN
  }

  /** Amortized: the next sweep is due when the list has doubled. */
  #sweep(): void {
    this.#waiters = this.#waiters.slice(this.#head).filter((waiter) => !waiter.isDone)
    this.#head = 0
    this.#sweepAtLength = Math.max(SWEEP_LENGTH_MIN, this.#waiters.length * 2)
  }
}
