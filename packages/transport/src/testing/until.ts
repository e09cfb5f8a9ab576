import { sleep, systemScheduler } from '@kavka/kernel'

/** Waits until `condition` holds and returns the milliseconds that took; throws after `timeoutMs`. */
export async function until(condition: () => boolean, timeoutMs = 5_000): Promise<number> {
  const startMs = systemScheduler.monotonicMs()
  while (!condition()) {
    if (systemScheduler.monotonicMs() - startMs > timeoutMs) throw new Error(`timed out waiting for ${String(condition)}`)
    await sleep(systemScheduler, 2)
  }
  return systemScheduler.monotonicMs() - startMs
}

/** Nothing that should not happen did within `milliseconds`. */
export function quiet(milliseconds: number): Promise<void> {
  return sleep(systemScheduler, milliseconds)
}
