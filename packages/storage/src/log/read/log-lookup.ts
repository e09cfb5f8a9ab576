/** Offsets by time, and the aborted transactions of a range: what the indexes beside the batches are for. */
import { verifyBatchCrc } from '@kavka/protocol'
import type { Offset } from '@kavka/protocol'
import type { AbortedTransaction, TimestampedOffset } from '../../partition-log.ts'
import { abortedIn } from '../recovery/aborted-rebuild.ts'
import type { LogState } from '../log-state.ts'
import type { Segment } from '../segment/segment.ts'
import { firstRecordFrom, recordWithTimestamp } from '../batches/timestamp-search.ts'
import type { RecordPlace } from '../batches/timestamp-search.ts'
import { walkBatches } from '../batches/walk-batches.ts'

/** First record at or above the log start with a timestamp of at least `timestampMs`. */
export function findTimestamp(log: LogState, timestampMs: number): TimestampedOffset | 'corrupt' | null {
  if (!log.writer.write()) return null
  for (const segment of log.segments.all) {
    if (segment.largestTimestamp.timestampMs < timestampMs) continue
    const find = (place: RecordPlace) => firstRecordFrom(place, timestampMs, log.logStartOffset)
    const found = searchSegment(log, segment, timestampMs, find)
    if (found !== null) return found
  }
  return null
}

export function findMaxTimestamp(log: LogState): TimestampedOffset | 'corrupt' | null {
  if (!log.writer.write()) return null
  let latest: Segment | null = null
  for (const segment of log.segments.all) {
    const { timestampMs } = segment.largestTimestamp
    const isLater = latest === null || timestampMs > latest.largestTimestamp.timestampMs
    if (timestampMs >= 0 && isLater) latest = segment
  }
  if (latest === null) return null
  const { timestampMs } = latest.largestTimestamp
  return searchSegment(log, latest, timestampMs, (place) => recordWithTimestamp(place, timestampMs))
}

function searchSegment(
  log: LogState,
  segment: Segment,
  timestampMs: number,
  find: (place: RecordPlace) => TimestampedOffset | null,
): TimestampedOffset | 'corrupt' | null {
  const first = walkForTimestamp(log, segment, timestampMs, find)
  if (first.damage === null) return first.found
  // As for reads: believed when met twice.
  const { found, damage } = walkForTimestamp(log, segment, timestampMs, find)
  if (damage === null) return found
  log.noteDamage(segment, damage.position, damage.offset, damage.message)
  return 'corrupt'
}

interface TimestampWalk {
  readonly found: TimestampedOffset | null
  readonly damage: { readonly position: number; readonly offset: number; readonly message: string } | null
}

/** A time can be told only from a batch whose checksum is right, and passed over only in one. */
function walkForTimestamp(
  log: LogState,
  segment: Segment,
  timestampMs: number,
  find: (place: RecordPlace) => TimestampedOffset | null,
): TimestampWalk {
  const { offsets, times } = segment.indexes
  const file = log.ports.files.file(segment.logPath)
  const range = { start: offsets.positionFor(times.offsetBefore(timestampMs)), end: segment.sizeBytes }
  let found: TimestampedOffset | null = null
  let nextOffset = segment.baseOffset
  const end = walkBatches(file, range, (batch) => {
    if (!verifyBatchCrc(batch.buffer, batch.position)) return { bad: "a batch's checksum is wrong" }
    nextOffset = batch.lastOffset + 1
    if (batch.maxTimestampMs < timestampMs) return null
    found = find({ batch })
    return found === null ? null : 'stop'
  })
  return { found, damage: end.kind === 'bad' ? { ...end, offset: nextOffset } : null }
}

/** Aborted transactions that a read of [start, end) must know. */
export function abortedBetween(log: LogState, start: number, end: number): readonly AbortedTransaction[] {
  const found: AbortedTransaction[] = []
  const segments = log.segments.all
  for (let i = log.segments.indexFor(start); i < segments.length; i++) {
    for (const entry of abortedIn(log, segments[i]!)) {
      if (entry.lastOffset >= start && entry.firstOffset < end) {
        found.push({ producerId: entry.producerId, firstOffset: entry.firstOffset as Offset })
      }
      if (entry.lastStableOffset >= end) return found
    }
  }
  return found
}
