import { operations } from '../history/operation.ts'
import type { History } from '../history/operation.ts'
import type { FaultWindow } from './checker.ts'

export interface Unavailability {
  readonly key: string
  readonly gapMs: number
}

/** The longest time within a window without an acknowledged write, of the partition that had the longest (K-AVAIL). */
export function longestUnavailability(history: History, { fromMs, toMs }: FaultWindow): Unavailability | null {
  const acknowledged = Map.groupBy(operations(history, 'send').filter(({ outcome }) => outcome === 'ok'), ({ key }) => key)
  let longest: Unavailability | null = null
  for (const [key, sends] of acknowledged) {
    const gapMs = longestGap(sends.map(({ returnedMs }) => returnedMs), fromMs, toMs)
    if (longest === null || gapMs > longest.gapMs) longest = { key, gapMs }
  }
  return longest
}

/** K-AVAIL as a verdict: faults that leave a majority and enough replicas must not stop writes for longer than the bound. */
export function unavailableTooLong(
  history: History,
  windows: readonly (FaultWindow & { readonly name: string })[],
  gapMsMax: number,
): string[] {
  return windows.flatMap((window) => {
    const longest = longestUnavailability(history, window)
    return longest !== null && longest.gapMs > gapMsMax
      ? [`${window.name}: no write to ${longest.key} for ${longest.gapMs.toFixed(0)} ms (bound ${gapMsMax})`]
      : []
  })
}

/** Gaps that reach into the window count whole, as a client felt them. */
function longestGap(returnedMs: readonly number[], fromMs: number, toMs: number): number {
  const times = returnedMs.toSorted((a, b) => a - b)
  let longest = 0
  let previous: number | null = null
  for (const time of times) {
    if (previous !== null && time > fromMs && previous < toMs) longest = Math.max(longest, time - previous)
    previous = time
  }
  // A window that ends without an acknowledgment is silent to its end.
  return previous === null ? toMs - fromMs : Math.max(longest, previous < toMs ? toMs - previous : 0)
}
