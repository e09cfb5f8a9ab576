import type { Scheduler, TimerHandle } from '@kavka/kernel'

/**
 * A timer in two halves, for what must not be judged by a process that stood still: an overdue timer runs before what has arrived meanwhile is
 * read, but between the halves it is read.
 */
export function afterPatience(scheduler: Scheduler, delayMs: number, run: () => void): TimerHandle {
  let half = scheduler.after(delayMs / 2, () => {
    half = scheduler.after(delayMs / 2, run)
  })
  return { cancel: () => half.cancel() }
}
