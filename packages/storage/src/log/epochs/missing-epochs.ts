/** What a log's batches say of leader epochs, where `leader-epoch-checkpoint` does not say it (any more). */
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { OpenFiles } from '../../files/open-files.ts'
import type { BatchView } from '../batches/batch-view.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { SegmentList } from '../segment/segment-list.ts'
import { walkBatches } from '../batches/walk-batches.ts'

export interface LogBounds {
  readonly logStartOffset: number
  readonly logEndOffset: number
}

/**
 * Epochs that begin at the log start. A log start that moves drops the epochs before it from the file at once, but is recorded only
 * once a minute: after a kill the log starts lower again, and the batches between tell the epochs that the file has forgotten.
 */
export function withEpochsFrom({ logStartOffset, logEndOffset }: LogBounds, epochs: LeaderEpochs, segments: SegmentList, files: OpenFiles): LeaderEpochs {
  const gapEnd = Math.min(epochs.entries[0]?.startOffset ?? logEndOffset, logEndOffset)
  if (gapEnd <= logStartOffset) return epochs
  const filled = new LeaderEpochs()
  for (const segment of segments.all.slice(segments.indexFor(logStartOffset))) {
    if (segment.baseOffset >= gapEnd) break
    const start = segment.indexes.offsets.positionFor(logStartOffset)
    // Bytes that are no batch end the walk of their segment: whoever reads them says so.
    walkBatches(files.file(segment.logPath), { start, end: segment.sizeBytes }, (batch) => {
      if (batch.baseOffset >= gapEnd) return 'stop'
      if (batch.lastOffset >= logStartOffset) noteEpoch(filled, batch)
      return null
    })
  }
  for (const { epoch, startOffset } of epochs.entries) filled.assign(epoch, startOffset)
  return filled
}

/** A batch of Kafka's older brokers may name no epoch. */
export function noteEpoch(epochs: LeaderEpochs, batch: BatchView): void {
  if (batch.leaderEpoch >= 0) epochs.assign(batch.leaderEpoch as LeaderEpoch, batch.baseOffset as Offset)
}
