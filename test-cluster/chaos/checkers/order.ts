/** Checkers of order: what a reader sees goes forward without holes, what a writer sends stays in its order, time is respected. */
import type { History, Poll, Send } from '../history/operation.ts'
import type { Checker } from './checker.ts'
import { didHappen, partitionHistories } from './partition-history.ts'
import type { PartitionHistory } from './partition-history.ts'

interface Step {
  readonly reader: string
  readonly from: number
  readonly to: number
  readonly delta: number
}

export const pollSkip: Checker = {
  name: 'poll-skip',
  finds: 'a reader jumped over records',
  check: (history) => steps(history).filter(({ delta }) => delta > 1)
    .map(({ reader, from, to, delta }) => `${reader} went from offset ${from} to ${to} past ${delta - 1} records`),
}

export const nonmonotonicPoll: Checker = {
  name: 'nonmonotonic-poll',
  finds: 'a reader went back, or saw a record twice, without a seek',
  check: (history) => steps(history).filter(({ delta }) => delta < 1).map(({ reader, from, to }) => `${reader} went from offset ${from} to ${to}`),
}

/** Values of one idempotent producer stand in the order in which it sent them, acknowledged or not. */
export const nonmonotonicSend: Checker = {
  name: 'nonmonotonic-send',
  finds: 'a later batch of a producer stands before an earlier one',
  check: (history) => partitionHistories(history).flatMap(sendsOutOfOrder),
}

/** An append that was acknowledged before another was sent has the lower offset (linearizability of the partition). */
export const linearizableAppends: Checker = {
  name: 'K-LIN',
  finds: 'an append that came after another in time stands before it',
  check: (history) => partitionHistories(history).flatMap(appendsAgainstTime),
}

function steps(history: History): Step[] {
  return partitionHistories(history).flatMap((partition) => {
    const readers = Map.groupBy(partition.polls.filter(({ outcome }) => outcome === 'ok'), ({ process }) => process)
    return [...readers].flatMap(([process, polls]) => stepsOf(partition, `${process} of ${partition.key}`, polls))
  })
}

function stepsOf({ denseIndex }: PartitionHistory, reader: string, polls: readonly Poll[]): Step[] {
  const found: Step[] = []
  let previous: number | null = null
  for (const poll of polls) {
    if (poll.position === 'seek') previous = null
    for (const offset of poll.offsets) {
      const delta = previous === null ? 1 : denseIndex.get(offset)! - denseIndex.get(previous)!
      if (delta !== 1) found.push({ reader, from: previous!, to: offset, delta })
      previous = offset
    }
  }
  return found
}

function sendsOutOfOrder(partition: PartitionHistory): string[] {
  const writers = Map.groupBy(partition.sends.filter((send) => send.idempotent && didHappen(send, partition)), ({ process }) => process)
  return [...writers].flatMap(([process, sends]) => {
    const found: string[] = []
    let last = { offset: -1, value: -1 }
    for (const value of sends.flatMap((send) => send.values)) {
      const offset = partition.offsetsOf.get(value)?.[0]
      if (offset === undefined) continue
      if (offset <= last.offset) found.push(`${partition.key}: ${value} of ${process} at offset ${offset}, its earlier ${last.value} at ${last.offset}`)
      else last = { offset, value }
    }
    return found
  })
}

/** Sweeps over invocations in time and keeps the highest offset of everything acknowledged before. */
function appendsAgainstTime({ key, sends }: PartitionHistory): string[] {
  const known = sends.filter((send): send is Send & { baseOffset: number } => send.outcome === 'ok' && send.baseOffset !== null)
  const byReturn = known.toSorted((a, b) => a.returnedMs - b.returnedMs)
  const found: string[] = []
  let highest: (Send & { baseOffset: number }) | null = null
  let next = 0
  for (const send of known) {
    for (; next < byReturn.length && byReturn[next]!.returnedMs < send.invokedMs; next++) {
      if (highest === null || byReturn[next]!.baseOffset > highest.baseOffset) highest = byReturn[next]!
    }
    if (highest !== null && send.baseOffset < highest.baseOffset) {
      found.push(`${key}: appended at ${send.baseOffset} after ${highest.baseOffset} had been acknowledged (${send.process}, ${highest.process})`)
    }
  }
  return found
}
