/** Checkers of the newest end of a partition: it never goes back, and reads keep up with what was acknowledged. */
import { operations } from '../history/operation.ts'
import type { History, Poll, Send } from '../history/operation.ts'
import type { CheckContext, Checker } from './checker.ts'

interface EndSeen {
  readonly key: string
  readonly process: string
  readonly invokedMs: number
  readonly returnedMs: number
  readonly leaderEpoch: number
  readonly end: number
  readonly f: 'latest' | 'poll'
}

/**
 * ListOffsets of one leader epoch or a later one never falls behind an answer that was complete before it was asked for. An answer of
 * an older epoch comes from a leader that does not know yet that it was replaced, which no client takes for the truth. The high
 * watermark in a fetch may: a new leader, also one that got its leadership back while nothing is broken, learns it anew from its
 * followers, and answers ListOffsets only then (KIP-207); how long it may take is for `realtime-lag` to judge. Within an epoch it goes back
 * only for a leader that started again.
 */
export const highWatermark: Checker = {
  name: 'K-HW',
  finds: 'the end of a partition that clients see went back',
  check: (history, { faults }) => [...Map.groupBy(endsSeen(history), ({ key }) => key).values()].flatMap((seen) => endsGoingBack(seen, faults)),
}

/** How long after a write was acknowledged (and after the last fault was healed) a reader was still told that it is not there. */
export const realtimeLag: Checker = {
  name: 'realtime-lag',
  finds: 'a reader did not see what had been acknowledged long ago',
  check: (history, context) => {
    const sends = Map.groupBy(operations(history, 'send').filter(isPlaced), ({ key }) => key)
    const polls = Map.groupBy(operations(history, 'poll').filter(({ outcome }) => outcome === 'ok'), ({ key }) => key)
    return [...polls].flatMap(([key, ofKey]) => lags(key, ofKey, sends.get(key) ?? [], context))
  },
}

function endsSeen(history: History): EndSeen[] {
  const latest = operations(history, 'latest').filter(({ outcome }) => outcome === 'ok').map((one) => ({ ...one, end: one.offset }))
  const polls = operations(history, 'poll').filter(({ outcome }) => outcome === 'ok').map((one) => ({ ...one, end: one.highWatermark }))
  return [...latest, ...polls].sort((a, b) => a.invokedMs - b.invokedMs)
}

function endsGoingBack(seen: readonly EndSeen[], faults: CheckContext['faults']): string[] {
  const byReturn = seen.toSorted((a, b) => a.returnedMs - b.returnedMs)
  const highestOfEpoch = new Map<number, EndSeen>()
  const found: string[] = []
  let next = 0
  for (const one of seen) {
    for (; next < byReturn.length && byReturn[next]!.returnedMs < one.invokedMs; next++) {
      const done = byReturn[next]!
      if ((highestOfEpoch.get(done.leaderEpoch)?.end ?? -1) < done.end) highestOfEpoch.set(done.leaderEpoch, done)
    }
    if (one.f === 'poll' && isDuring(faults, one.invokedMs)) continue
    for (const [epoch, before] of highestOfEpoch) {
      if (epoch > one.leaderEpoch || before.end <= one.end) continue
      if (one.f === 'poll' && epoch < one.leaderEpoch) continue
      found.push(`${one.key}: ${one.process} was told ${one.end} (epoch ${one.leaderEpoch}) after ${before.process} was told ${before.end} (epoch ${epoch})`)
      break
    }
  }
  return found
}

function isDuring(faults: CheckContext['faults'], timeMs: number): boolean {
  return faults.some(({ fromMs, toMs }) => timeMs >= fromMs && timeMs <= toMs)
}

type PlacedSend = Send & { readonly baseOffset: number }

function isPlaced(send: Send): send is PlacedSend {
  return send.outcome === 'ok' && send.baseOffset !== null
}

function lags(key: string, polls: readonly Poll[], sends: readonly PlacedSend[], { faults, lagMsMax }: CheckContext): string[] {
  const byEnd = sends.toSorted((a, b) => a.baseOffset - b.baseOffset)
  const earliestFrom = earliestReturns(byEnd)
  return polls.flatMap((poll) => {
    if (isDuring(faults, poll.invokedMs)) return []
    const staleSince = earliestFrom[firstAtOrAfter(byEnd, poll.highWatermark)] ?? Infinity
    const healed = Math.max(-Infinity, ...faults.filter(({ toMs }) => toMs < poll.invokedMs).map(({ toMs }) => toMs))
    const lagMs = poll.invokedMs - Math.max(staleSince, healed)
    return lagMs > lagMsMax ? [`${key}: ${poll.process} was told ${poll.highWatermark} ${lagMs.toFixed(0)} ms after more had been acknowledged`] : []
  })
}

/** For each batch in the order of offsets: when the first batch at or after it was acknowledged. */
function earliestReturns(byEnd: readonly PlacedSend[]): number[] {
  const earliest = byEnd.map(({ returnedMs }) => returnedMs)
  for (let index = earliest.length - 2; index >= 0; index--) earliest[index] = Math.min(earliest[index]!, earliest[index + 1]!)
  return earliest
}

function firstAtOrAfter(byEnd: readonly PlacedSend[], offset: number): number {
  let low = 0
  let high = byEnd.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (byEnd[middle]!.baseOffset < offset) low = middle + 1
    else high = middle
  }
  return low
}
