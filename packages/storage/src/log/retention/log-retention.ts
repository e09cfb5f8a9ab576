/** Takes the oldest segments out of a log when retention allows it; their files are removed by the manager, later. */
import type { LogState } from '../log-state.ts'
import { planRetention } from './retention-plan.ts'
import type { RetentionSegment } from './retention-plan.ts'
import { rollSegment } from '../append/segment-roll.ts'
import type { Segment } from '../segment/segment.ts'

/** Returns the files to remove after `file.delete.delay.ms`. */
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
  if (plan.count === segments.length) {
    rollSegment(log, log.logEndOffset)
    // The new name must be on the disk before the old ones go: the log end is known from nothing else.
    log.ports.fs.syncDirectory(log.directory)
  }
  // What an earlier round took must stay gone when this one's does: else the log would come back with a hole, and end before it.
  if (log.writer.hasUnsyncedNames(log.directory)) log.ports.fs.syncDirectory(log.directory)
  const gone = log.segments.takeFirst(plan.count)
  log.forgetDamageOutside()
  const newStart = log.segments.first.baseOffset
  const facts = { partition: log.name, segments: plan.count, reason: plan.reason, logStartOffset: newStart }
  log.ports.logger.info(facts, 'Deleting old segments')
  if (newStart > log.logStartOffset) log.advanceLogStart(newStart)
  log.snapshots.removeBelow(newStart)
  for (const segment of gone) log.writer.forget(segment)
  log.writer.coverDirectory(log.directory)
  // Oldest first on the disk too: a crash must not bring an old segment back without those between it and the rest, nor a log without
  // its indexes, which no start would make again below the recovery point.
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
