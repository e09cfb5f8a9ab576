/** The two sparse indexes of a segment: judged, read as far as they are sound, or made again from the batches. */
import type { File } from '@kavka/kernel'
import { OffsetIndex, offsetIndexProblem, soundOffsetBytes } from '../index/offset-index.ts'
import { soundTimeBytes, TimeIndex, timeIndexProblem } from '../index/time-index.ts'
import { walkBatches } from '../batches/walk-batches.ts'

export interface SegmentIndexes {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
}

export interface SegmentTimestamp {
  readonly timestampMs: number
  /** Last offset of the batch that has it. */
  readonly offset: number
}

export function emptyIndexes(baseOffset: number): SegmentIndexes {
  return { offsets: new OffsetIndex(baseOffset), times: new TimeIndex(baseOffset) }
}

/** Why the content of the files cannot be used for a segment of `segmentBytes`; null when it can. */
export function indexesProblem(offsets: Buffer | null, times: Buffer | null, segmentBytes: number): string | null {
  if (offsets === null || times === null) return 'it is missing'
  return offsetIndexProblem(offsets, segmentBytes) ?? timeIndexProblem(times)
}

/** The leading entries that ascend: after a crash, what follows them may be anything. */
export function soundIndexes(baseOffset: number, offsets: Buffer, times: Buffer): SegmentIndexes {
  return {
    offsets: new OffsetIndex(baseOffset, offsets.subarray(0, soundOffsetBytes(offsets))),
    times: new TimeIndex(baseOffset, times.subarray(0, soundTimeBytes(times))),
  }
}

/** As they would be had the segment just been sealed. */
export function rebuildIndexes(
  file: File,
  segment: { readonly baseOffset: number; readonly sizeBytes: number },
  indexIntervalBytes: number,
): SegmentIndexes {
  const indexes = emptyIndexes(segment.baseOffset)
  let largest: SegmentTimestamp = { timestampMs: -1, offset: -1 }
  let bytesSinceEntry = 0
  walkBatches(file, { start: 0, end: segment.sizeBytes }, (batch, position) => {
    if (batch.maxTimestampMs > largest.timestampMs) largest = { timestampMs: batch.maxTimestampMs, offset: batch.lastOffset }
    if (bytesSinceEntry > indexIntervalBytes) {
      indexes.offsets.append(batch.lastOffset, position)
      indexes.times.maybeAppend(largest.timestampMs, largest.offset)
      bytesSinceEntry = 0
    }
    bytesSinceEntry += batch.sizeBytes
    return null
  })
  indexes.times.maybeAppend(largest.timestampMs, largest.offset)
  return indexes
}
