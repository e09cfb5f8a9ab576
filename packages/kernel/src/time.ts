/** What time it is. Cores never hold one; they are handed the time with each input. */
export interface Clock {
  /** Milliseconds since the Unix epoch, for timestamps that leave the process. May jump. */
  wallMs(): number
  /** Milliseconds from an arbitrary start, never decreasing, for deadlines and durations. Fractional. */
  monotonicMs(): number
}

/** A pending callback; `cancel` after it ran, or twice, is harmless. */
export interface TimerHandle {
  cancel(): void
}

/**
 * The only way to run something later, in the product and in its tests: this is what makes a virtual clock possible.
 * Callbacks run one at a time, never inside the call that scheduled them.
 */
export interface Scheduler extends Clock {
  /** Runs `callback` once, `delayMs` (>= 0) from now at the earliest. Does not keep the process alive by itself. */
  after(delayMs: number, callback: () => void): TimerHandle
  /** Runs `callback` when the current turn of the event loop has handled its input: where a turn's writes are grouped. */
  soon(callback: () => void): void
}

/** Resolves after `delayMs`. */
export function sleep(scheduler: Scheduler, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    scheduler.after(delayMs, resolve)
  })
}

/** Calls `callback` every `intervalMs` until canceled; the next run is scheduled after the previous one returned. */
export function every(scheduler: Scheduler, intervalMs: number, callback: () => void): TimerHandle {
  let timer = scheduler.after(intervalMs, run)
  let cancelled = false
  function run(): void {
    callback()
    if (!cancelled) timer = scheduler.after(intervalMs, run)
  }
  return {
    cancel: () => {
      cancelled = true
      timer.cancel()
    },
  }
}
