import type { Scheduler, TimerHandle } from './time.ts'

const TIMEOUT_MS_MAX = 2 ** 31 - 1

/** The real clock and event loop: the one place of the product that touches timers. */
export const systemScheduler: Scheduler = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, callback): TimerHandle => {
    const timer = setTimeout(callback, Math.min(delayMs, TIMEOUT_MS_MAX))
    return { cancel: () => clearTimeout(timer) }
  },
  soon: (callback) => {
    setImmediate(callback)
  },
}
