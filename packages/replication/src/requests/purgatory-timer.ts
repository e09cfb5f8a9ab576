import type { Scheduler, TimerHandle } from '@kavka/kernel'
import type { ParkedRequest, Purgatory } from '../core/purgatory.ts'

/** Gives a purgatory its clock: one timer, always for the earliest deadline, none when nothing waits. */
export class PurgatoryTimer {
  readonly #purgatory: Purgatory
  readonly #scheduler: Scheduler
  #timer: TimerHandle | null = null
  #armedForMs = Infinity

  constructor(purgatory: Purgatory, { scheduler }: { readonly scheduler: Scheduler }) {
    this.#purgatory = purgatory
    this.#scheduler = scheduler
  }

  park(request: ParkedRequest, waitMs: number): void {
    this.#purgatory.park(request, this.#scheduler.monotonicMs() + waitMs)
    this.#arm()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#armedForMs = Infinity
  }

  #arm(): void {
    const nextMs = this.#purgatory.nextDeadlineMs()
    if (nextMs === null || nextMs >= this.#armedForMs) return
    this.#timer?.cancel()
    this.#armedForMs = nextMs
    this.#timer = this.#scheduler.after(Math.max(0, nextMs - this.#scheduler.monotonicMs()), () => this.#fire())
  }

  #fire(): void {
    this.stop()
    this.#purgatory.expire(this.#scheduler.monotonicMs())
    this.#arm()
  }
}
