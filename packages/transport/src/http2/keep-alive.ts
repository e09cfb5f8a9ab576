import type { Scheduler, TimerHandle } from '@kavka/kernel'

export interface KeepAliveOptions {
  /** A peer that was silent for so long is asked. */
  readonly intervalMs: number
  /** It has so long to say anything. */
  readonly timeoutMs: number
}

export interface KeepAliveDeps {
  readonly scheduler: Scheduler
  /** How much was heard so far. */
  readonly bytesRead: () => number
  readonly ping: () => void
  readonly onSilence: () => void
}

/** The side that was dialed clears a connection away that nobody will use again. One timer, whether much is heard or nothing. */
export class KeepAlive {
  readonly #options: KeepAliveOptions
  readonly #deps: KeepAliveDeps
  #timer: TimerHandle

  constructor(options: KeepAliveOptions, deps: KeepAliveDeps) {
    this.#options = options
    this.#deps = deps
    this.#timer = this.#watch()
  }

  stop(): void {
    this.#timer.cancel()
  }

  #watch(): TimerHandle {
    return this.#after(this.#options.intervalMs, () => this.#ask())
  }

  #ask(): TimerHandle {
    this.#deps.ping()
    return this.#after(this.#options.timeoutMs, () => {
      this.#deps.onSilence()
      return null
    })
  }

  /** Watches on when anything was heard until then. */
  #after(delayMs: number, silent: () => TimerHandle | null): TimerHandle {
    const before = this.#deps.bytesRead()
    return this.#deps.scheduler.after(delayMs, () => {
      const next = this.#deps.bytesRead() === before ? silent() : this.#watch()
      if (next !== null) this.#timer = next
    })
  }
}
