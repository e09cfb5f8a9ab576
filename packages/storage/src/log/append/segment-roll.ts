/** Closes the active segment and begins the next one. */
import type { BatchView } from '../batches/batch-view.ts'
import type { LogState } from '../log-state.ts'
import { rollReason } from './roll-policy.ts'

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
  const { directory, writer } = log
  // Were the new name to survive a crash that takes its predecessor's, the log would seem to begin there.
  if (writer.hasUnsyncedNames(directory)) log.ports.fs.syncDirectory(directory)
  const sealed = log.segments.active
  sealed.seal()
  // All: a clean close may have left the last time entry in the file without a sync.
  for (const path of sealed.indexPaths()) writer.coverPath(path)
  log.takeSnapshot()
  log.segments.add(log.newSegment(baseOffset))
  writer.coverDirectory(directory)
  // Without per-record durability the roll is what moves the recovery point (Kafka's flush-log task).
  if (log.config.flushMessages > 1) syncSoon(log)
}

export function syncSoon(log: LogState): void {
  log.ports.scheduler.soon(() => {
    if (!log.isClosed) log.writer.requestSync()
  })
}
