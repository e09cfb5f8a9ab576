import { setTimeout as sleep } from 'node:timers/promises'

interface EventuallyOptions {
  /** What is waited for, for the error. */
  readonly what: string
  readonly withinMs?: number
  readonly everyMs?: number
  /** True: waiting on is pointless, the last error is thrown at once. */
  readonly fatal?: () => boolean
}

/** Waits for a condition, never for time: asks until it holds, and fails with what was asked when it does not in time. */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  { what, withinMs = 30_000, everyMs = 20, fatal }: EventuallyOptions,
): Promise<NonNullable<T>> {
  const deadlineMs = performance.now() + withinMs
  let lastError: unknown = null
  while (true) {
    try {
      const answer = await ask()
      if (answer !== false && answer !== null && answer !== undefined) return answer
      lastError = null
    } catch (error) {
      lastError = error
    }
    if (fatal?.() === true) throw lastError
    if (performance.now() > deadlineMs) {
      throw new Error(`not within ${withinMs} ms: ${what}${lastError === null ? '' : ` (${String(lastError)})`}`)
    }
    await sleep(everyMs)
  }
}
