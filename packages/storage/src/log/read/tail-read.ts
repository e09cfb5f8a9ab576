/** Answers a read from cached runs: whole batches, views into the cache. Pure. */
import { batchBaseOffset, batchLastOffset, nextBatchBytes } from '@kavka/protocol'
import type { Offset } from '@kavka/protocol'
import type { LogReadOutcome, LogReadRequest } from '../../partition-log.ts'
import type { CachedRun } from './tail-cache.ts'

/** `runs` begin with the one that contains the start offset. */
export function readFromTail(runs: readonly CachedRun[], request: LogReadRequest): LogReadOutcome {
  const { startOffset, endOffsetMax, bytesMax, minimum } = request
  const records: Buffer[] = []
  let sizeBytes = 0
  let nextOffset: number = startOffset
  for (const run of runs) {
    if (run.baseOffset >= endOffsetMax) break
    const skipped = skipBelow(run, startOffset)
    const fitsWhole = sizeBytes + run.records.length - skipped <= bytesMax && run.nextOffset <= endOffsetMax
    const isFirst = sizeBytes === 0 && minimum === 'at-least-one-batch'
    const end = fitsWhole ? run.records.length : cutOff(run, skipped, { bytesMax: bytesMax - sizeBytes, endOffsetMax, isFirst })
    if (end > skipped) {
      records.push(run.records.subarray(skipped, end))
      sizeBytes += end - skipped
      nextOffset = end === run.records.length ? run.nextOffset : batchBaseOffset(run.records, end)
    }
    if (end < run.records.length) break
  }
  return { kind: 'read', records, sizeBytes, nextOffset: nextOffset as Offset }
}

function skipBelow(run: CachedRun, offset: number): number {
  if (run.baseOffset >= offset) return 0
  let at = 0
  while (at < run.records.length && batchLastOffset(run.records, at) < offset) at += nextBatchBytes(run.records, at, run.records.length)
  return at
}

/** Where the batches end that still fit and start below the offset bound. */
function cutOff(run: CachedRun, from: number, limit: { bytesMax: number; endOffsetMax: number; isFirst: boolean }): number {
  let at = from
  while (at < run.records.length && batchBaseOffset(run.records, at) < limit.endOffsetMax) {
    const sizeBytes = nextBatchBytes(run.records, at, run.records.length)
    const isFree = limit.isFirst && at === from
    if (at + sizeBytes - from > limit.bytesMax && !isFree) break
    at += sizeBytes
  }
  return at
}
