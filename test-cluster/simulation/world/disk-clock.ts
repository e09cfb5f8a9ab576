/** The time that a disk takes, and who waits for it: an answer reaches the process that asked, which may be paused or dead by then. */
import type { Scheduler, TimerHandle } from '@kavka/kernel'
import type { SimulatedProcess } from './process.ts'

export interface DiskClockDependencies {
  readonly scheduler: Scheduler
  /** On top of what a sync always takes. */
  readonly extraDelayMs: () => number
}

export class DiskClock implements Scheduler {
  readonly #scheduler: Scheduler
  readonly #extraDelayMs: () => number
  /** Who uses the disk now. */
  process: SimulatedProcess | null = null

  constructor({ scheduler, extraDelayMs }: DiskClockDependencies) {
    this.#scheduler = scheduler
    this.#extraDelayMs = extraDelayMs
  }

  wallMs(): number {
    return this.#scheduler.wallMs()
  }

  monotonicMs(): number {
    return this.#scheduler.monotonicMs()
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    const waiting = this.process ?? this.#scheduler
    return waiting.after(delayMs + this.#extraDelayMs(), callback)
  }

  soon(callback: () => void): void {
    this.after(0, callback)
  }
}
