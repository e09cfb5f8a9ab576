/** Finds a record by its time inside a batch that is known to hold it. Pure. */
import { openRecords } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { TimestampedOffset } from '../../partition-log.ts'
import type { BatchView } from './batch-view.ts'

export interface RecordPlace {
  readonly batch: BatchView
}

/** First record at or after `offsetMin` with a timestamp of at least `timestampMs`. */
export function firstRecordFrom({ batch }: RecordPlace, timestampMs: number, offsetMin: number): TimestampedOffset | null {
  return find(batch, (recordTimestampMs, offset) => recordTimestampMs >= timestampMs && offset >= offsetMin)
}

/** First record with exactly `timestampMs`. */
export function recordWithTimestamp({ batch }: RecordPlace, timestampMs: number): TimestampedOffset | null {
  return find(batch, (recordTimestampMs) => recordTimestampMs === timestampMs)
}

/** A batch whose records cannot be read has none: the log stores what a leader took, and readers get it as it is. */
function find(batch: BatchView, isIt: (timestampMs: number, offset: number) => boolean): TimestampedOffset | null {
  const opened = openRecords(batch.buffer, batch.position)
  if (!opened.ok) return null
  const cursor = opened.value
  const leaderEpoch = batch.leaderEpoch >= 0 ? (batch.leaderEpoch as LeaderEpoch) : null
  while (cursor.next()) {
    const { timestamp, offset } = cursor
    if (isIt(timestamp, offset)) return { offset: offset as Offset, timestampMs: timestamp, leaderEpoch }
  }
  return null
}
