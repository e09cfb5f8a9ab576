/**
 * The clocks of one machine. Its monotonic clock may run at another rate than true time; its wall clock runs along and may also be
 * set. Never backwards: when the rate changes while a timer is under way, the clock jumps ahead to where the timer says it is.
 */
export interface TrueTime {
  monotonicMs(): number
  wallMs(): number
}

export class LocalClock {
  readonly #trueTime: TrueTime
  #rate = 1
  /** True and own time when the rate was set. */
  #trueMs = 0
  #ownMs = 0
  /** Of the wall clock against the true time, apart from what the rate does. */
  wallSkewMs = 0

  constructor(trueTime: TrueTime) {
    this.#trueTime = trueTime
  }

  get rate(): number {
    return this.#rate
  }

  /** Own seconds in a true second. */
  set rate(rate: number) {
    this.#ownMs = this.monotonicMs()
    this.#trueMs = this.#trueTime.monotonicMs()
    this.#rate = rate
  }

  monotonicMs(): number {
    return this.#ownMs + (this.#trueTime.monotonicMs() - this.#trueMs) * this.#rate
  }

  wallMs(): number {
    return this.#trueTime.wallMs() + Math.floor(this.monotonicMs() - this.#trueTime.monotonicMs()) + this.wallSkewMs
  }

  /** How long that lasts in truth. */
  trueDelayMs(ownDelayMs: number): number {
    return ownDelayMs / this.#rate
  }

  /** A timer for then is due. */
  reached(ownMs: number): void {
    if (this.monotonicMs() >= ownMs) return
    this.#ownMs = ownMs
    this.#trueMs = this.#trueTime.monotonicMs()
  }
}
