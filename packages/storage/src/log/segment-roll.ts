/** Closes the active segment and begins the next one. */
import type { BatchView } from './batch-view.ts'
import type { LogState } from './log-state.ts'
import { rollReason } from './roll-policy.ts'
import type { Segment } from './segment.ts'

/** Whether the batch must go to a new segment. */
export function mustRoll(log: LogState, batch: BatchView): boolean {
  const segment = log.segments.active
  const { config, options } = log
  const { segmentBytes } = config
  const segmentMs = config.segmentMs - Math.floor(options.jitter * Math.min(config.segmentJitterMs, config.segmentMs))
  const reason = rollReason(
    {
      segmentBytes: segment.sizeBytes,
      segmentBaseOffset: segment.baseOffset,
      firstTimestampMs: segment.sizeBytes === 0 ? null : segment.firstTimestampMs,
      createdMs: segment.createdMs,
      indexEntriesFull: segment.isIndexFull(config.segmentIndexBytes),
      incomingBytes: batch.sizeBytes,
      incomingLastOffset: batch.lastOffset,
      incomingMaxTimestampMs: batch.maxTimestampMs,
      nowMs: log.ports.scheduler.wallMs(),
    },
    { segmentBytes, segmentMs },
  )
  return reason !== null && (log.logEndOffset > segment.baseOffset || reason === 'offset')
}

/** Seals the active segment and begins one at `baseOffset`; a snapshot there lets a truncation or a recovery start from it. */
export function rollSegment(log: LogState, baseOffset: number): void {
  const sealed = log.segments.active
  sealed.seal()
  for (const path of sealed.indexPaths()) log.writer.coverPath(path)
  log.takeSnapshot()
  createSegment(log, baseOffset)
  // Without per-record durability the roll is what moves the recovery point (Kafka's flush-log task).
  if (log.config.flushMessages > 1) syncSoon(log)
}

export function syncSoon(log: LogState): void {
  log.ports.scheduler.soon(() => {
    if (!log.isClosed) log.writer.requestSync()
  })
}

function createSegment(log: LogState, baseOffset: number): Segment {
  const segment = log.ports.segment(baseOffset, 0)
  log.ports.files.file(segment.logPath)
  log.writer.coverDirectory(log.directory)
  log.segments.add(segment)
  return segment
}
