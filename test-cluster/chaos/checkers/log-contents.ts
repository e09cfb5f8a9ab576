/** Checkers of what a partition holds: one value an offset, one offset a value, nothing lost, nothing that was refused. */
import type { History } from '../history/operation.ts'
import type { Checker } from './checker.ts'
import { didHappen, partitionHistories } from './partition-history.ts'
import type { PartitionHistory } from './partition-history.ts'

export const inconsistentOffsets: Checker = perPartition(
  'inconsistent-offsets', 'two values at one offset, whoever saw them',
  ({ key, valuesAt }) => [...valuesAt]
    .filter(([, values]) => values.size > 1)
    .map(([offset, values]) => `${key}@${offset} holds ${[...values].join(' and ')}`),
)

/** A plain producer that sent a batch again may store it twice; nobody else may. */
export const duplicate: Checker = perPartition(
  'duplicate', 'one value at two offsets',
  ({ key, offsetsOf, writerOf }) => [...offsetsOf]
    .filter(([value, offsets]) => offsets.length > 1 && !mayRepeat(writerOf.get(value)))
    .map(([value, offsets]) => `${key}: ${value} at offsets ${offsets.join(', ')}`),
)

/**
 * A value that was certainly written, stands before something that was read, and was itself never read (Jepsen). It needs no
 * quiet end: a gap in what consumers saw is enough.
 */
export const lostWrite: Checker = perPartition('lost-write', 'a written value that readers passed without seeing it', (partition) => {
  const { key, sends, polled, offsetsOf, denseIndex } = partition
  let bound = -1
  for (const value of polled) bound = Math.max(bound, denseIndex.get(offsetsOf.get(value)![0]!)!)
  return sends.filter((send) => didHappen(send, partition)).flatMap((send) => send.values
    .filter((value) => {
      if (polled.has(value)) return false
      const last = offsetsOf.get(value)?.at(-1)
      return last !== undefined && denseIndex.get(last)! <= bound
    })
    .map((value) => `${key}: ${value} of ${send.process} was passed by readers and never read`))
})

/** Stricter: after healing everything that was acknowledged must be in a read from the first offset to the last. */
export const unseen: Checker = perPartition('unseen', 'an acknowledged value that a full read in the end does not find', (partition) => {
  const final = partition.polls.filter((poll) => poll.final)
  const found = new Set(final.flatMap(({ values }) => values))
  return partition.sends.filter(({ outcome }) => outcome === 'ok').flatMap((send) => send.values
    .filter((value) => !found.has(value))
    .map((value) => `${partition.key}: ${value} of ${send.process}, acknowledged at ${placeOf(send.baseOffset)}, is not there`))
})

export const refusedWrite: Checker = perPartition(
  'refused-write', 'a value was read whose write was refused, or that nobody wrote',
  ({ key, polled, writerOf }) => [...polled].flatMap((value) => {
    const writer = writerOf.get(value)
    if (writer === undefined) return [`${key}: nobody wrote ${value}`]
    return writer.outcome === 'fail' ? [`${key}: ${value} was refused with ${writer.error} and is there`] : []
  }),
)

function mayRepeat(send: { readonly idempotent: boolean; readonly attempts: number } | undefined): boolean {
  return send !== undefined && !send.idempotent && send.attempts > 1
}

function placeOf(baseOffset: number | null): string {
  return baseOffset === null ? 'an unknown offset' : `base offset ${baseOffset}`
}

function perPartition(name: string, finds: string, check: (partition: PartitionHistory) => readonly string[]): Checker {
  return { name, finds, check: (history: History) => partitionHistories(history).flatMap(check) }
}
