/** Takes the oldest segments out of a log when retention allows it; their files are removed by the manager, later. */
import type { LogState } from '../log-state.ts'
import { planRetention } from './retention-plan.ts'
import type { RetentionSegment } from './retention-plan.ts'
import { rollSegment } from '../append/segment-roll.ts'
import type { Segment } from '../segment/segment.ts'

/** Each costs a sync of the directory on the event loop. */
const SEGMENTS_AT_ONCE_MAX = 4

/** Deletes a few; returns the files to remove after `file.delete.delay.ms`, none when nothing is left to delete. */
export function deleteOldSegments(log: LogState): readonly string[] {
  // What is still staged for an old segment would bring its file back under the old name.
  if (!log.writer.write()) return []
  const segments = log.segments.all
  const plan = planRetention(
    segments.map((segment, index) => retentionView(log, segment, segments[index + 1])),
    log.config,
    { logStartOffset: log.logStartOffset, highWatermark: log.highWatermark, nowMs: log.ports.scheduler.wallMs() },
  )
  if (plan === null) return []
  const count = Math.min(plan.count, SEGMENTS_AT_ONCE_MAX)
  if (count === segments.length) {
    rollSegment(log, log.logEndOffset)
    // The new name must be on the disk before the old ones go: the log end is known from nothing else.
    log.ports.fs.syncDirectory(log.directory)
  }
  const gone = log.segments.takeFirst(count)
  log.forgetDamageOutside()
  const newStart = log.segments.first.baseOffset
  const facts = { partition: log.name, segments: count, reason: plan.reason, logStartOffset: newStart }
  log.ports.logger.info(facts, 'Deleting old segments')
  if (newStart > log.logStartOffset) log.advanceLogStart(newStart)
  log.snapshots.removeBelow(newStart)
  for (const segment of gone) log.writer.forget(segment)
  log.writer.coverDirectory(log.directory)
  // Each durably before the next, in this round and over rounds: a crash must not bring an old segment back without those between it
  // and the rest, as the log would end at the hole; nor a log without its indexes, which no start would make again below the recovery point.
  return gone.flatMap((segment) => segment.markDeleted(() => log.ports.fs.syncDirectory(log.directory)))
}

function retentionView(log: LogState, segment: Segment, next: Segment | undefined): RetentionSegment {
  return {
    baseOffset: segment.baseOffset,
    endOffset: next?.baseOffset ?? log.logEndOffset,
    sizeBytes: segment.sizeBytes,
    get largestTimestampMs() {
      return segment.lastActivityMs
    },
  }
}
