/** Brings what is known of a segment, and of the producers, back in step with its batches. */
import type { File } from '@kavka/kernel'
import type { OpenFiles } from '../files/open-files.ts'
import type { BatchView } from './batch-view.ts'
import type { CompletedTransaction, ProducerState } from './producer-state.ts'
import type { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import { producerBatchOf, transactionMarkerOf } from './transaction-markers.ts'
import { walkBatches } from './walk-batches.ts'
import type { WalkEnd } from './walk-batches.ts'

export interface ResumeOptions {
  /** The file's bytes that count. */
  readonly endPosition: number
  readonly indexIntervalBytes: number
  /** Index entries of batches at or above it are made again from the batches. */
  readonly trustBelowOffset: number
  /** Decides about each batch before it is taken in: why it is bad, or null. */
  readonly check: (batch: BatchView) => string | null
  readonly onBatch: (batch: BatchView) => void
}

export interface Resumed {
  readonly end: WalkEnd
  /** The walk began here: what lies before was not looked at. */
  readonly fromOffset: number
  /** Offset after the last batch taken in; the base where there is none. */
  readonly nextOffset: number
}

/** Rebuilds the state of a segment behind its last trusted index entry by walking the batches from there. */
export function resumeSegment(segment: Segment, file: File, options: ResumeOptions): Resumed {
  const entry = trustedEntry(segment, file, options)
  const indexedPosition = entry?.position ?? 0
  const fromOffset = entry?.baseOffset ?? segment.baseOffset
  segment.resetTo(indexedPosition, fromOffset, entry === null ? 'clear' : 'keep')
  let nextOffset = fromOffset
  const end = walkBatches(file, { start: indexedPosition, end: options.endPosition }, (batch, position) => {
    const problem = options.check(batch)
    if (problem !== null) return { bad: problem }
    segment.restore(batch, batch.sizeBytes, entry !== null && position === indexedPosition, options.indexIntervalBytes)
    options.onBatch(batch)
    nextOffset = batch.lastOffset + 1
    return null
  })
  return { end, fromOffset, nextOffset }
}

/** The last index entry below both bounds, if the batch it points to is the one it names; null when none can be trusted. */
function trustedEntry(segment: Segment, file: File, options: ResumeOptions): { position: number; baseOffset: number } | null {
  const { offsets } = segment.indexes
  offsets.truncateToPosition(options.endPosition)
  let index = offsets.count - 1
  while (index >= 0 && offsets.entry(index).offset >= options.trustBelowOffset) index--
  if (index < 0) return null
  const { offset, position } = offsets.entry(index)
  let baseOffset: number | null = null
  walkBatches(file, { start: position, end: options.endPosition }, (batch) => {
    if (batch.lastOffset === offset && batch.baseOffset >= segment.baseOffset) baseOffset = batch.baseOffset
    return 'stop'
  })
  return baseOffset === null ? null : { position, baseOffset }
}

/** Applies to `producers` the batches between its end and `logEndOffset`. */
export function replayProducers(
  segments: SegmentList,
  files: OpenFiles,
  producers: ProducerState,
  logEndOffset: number,
  onCompleted: (completed: CompletedTransaction, segment: Segment) => void = () => {},
): void {
  const fromOffset = producers.endOffset
  if (fromOffset >= logEndOffset) return
  for (const segment of segments.all.slice(segments.indexFor(fromOffset))) {
    const start = segment.indexes.offsets.positionFor(fromOffset)
    if (start >= segment.sizeBytes) continue
    walkBatches(files.file(segment.logPath), { start, end: segment.sizeBytes }, (batch) => {
      if (batch.producerId < 0 || batch.baseOffset < fromOffset) return null
      const completed = producers.apply(producerBatchOf(batch), transactionMarkerOf(batch))
      if (completed !== null) onCompleted(completed, segment)
      return null
    })
  }
  producers.endOffset = logEndOffset as typeof producers.endOffset
}
