/** Brings what is known of a segment, and of the producers, back in step with its batches. */
import type { File } from '@kavka/kernel'
import type { OpenFiles } from '../../files/open-files.ts'
import type { BatchView } from '../batches/batch-view.ts'
import { RELATIVE_OFFSET_MAX } from '../index/offset-index.ts'
import type { OffsetPosition } from '../index/offset-index.ts'
import type { CompletedTransaction, ProducerState } from '../producers/producer-state.ts'
import type { Segment } from '../segment/segment.ts'
import type { SegmentList } from '../segment/segment-list.ts'
import { producerBatchOf, transactionMarkerOf } from '../producers/transaction-markers.ts'
import { walkBatches } from '../batches/walk-batches.ts'
import type { WalkEnd } from '../batches/walk-batches.ts'

export interface ResumeOptions {
  /** The file's bytes that count. */
  readonly endPosition: number
  readonly indexIntervalBytes: number
  /** Index entries of batches at or above it are made again from the batches. */
  readonly trustBelowOffset: number
  /** After a crash the index files may end in anything; otherwise they are right or made again. */
  readonly indexes: 'whole' | 'sound-part'
  /** Decides about each batch before it is taken in: why it is bad, or null. */
  readonly check: (batch: BatchView) => string | null
  readonly onBatch: (batch: BatchView) => void
}

export interface Resumed {
  readonly end: WalkEnd
  /** Offset after the last batch taken in; the base where there is none. */
  readonly nextOffset: number
}

/** Rebuilds the state of a segment behind its last trusted index entry by walking the batches from there. */
export function resumeSegment(segment: Segment, file: File, options: ResumeOptions): Resumed {
  const entry = trustedEntry(segment, file, options)
  const start = entry?.position ?? 0
  if (entry === null) segment.clear()
  let nextOffset = entry?.baseOffset ?? segment.baseOffset
  const end = walkBatches(file, { start, end: options.endPosition }, (batch, position) => {
    const problem = options.check(batch)
    if (problem !== null) return { bad: problem }
    // No index can point to it: such a batch was never written here.
    const isFar = batch.lastOffset - segment.baseOffset > RELATIVE_OFFSET_MAX
    if (isFar) return { bad: `offset ${batch.lastOffset} lies too far behind the segment's base` }
    if (entry !== null && position === start) segment.resumeBehindEntry(entry.index, batch)
    else segment.note(batch, batch.sizeBytes, options.indexIntervalBytes)
    options.onBatch(batch)
    nextOffset = batch.lastOffset + 1
    return null
  })
  // The batch that the entry points to is bad: what was indexed before it is not known to be sound either.
  if (entry !== null && end.position === start) return resumeSegment(segment, file, { ...options, trustBelowOffset: 0 })
  segment.dropSealBehind(nextOffset)
  return { end, nextOffset }
}

interface TrustedEntry {
  readonly index: number
  readonly position: number
  /** Of the batch that it points to. */
  readonly baseOffset: number
}

/** The last index entry below both bounds, if the batch it points to is the one it names; null when none can be trusted. */
function trustedEntry(segment: Segment, file: File, options: ResumeOptions): TrustedEntry | null {
  if (options.trustBelowOffset <= segment.baseOffset) return null
  const { offsets } = options.indexes === 'sound-part' ? segment.loadSoundIndexes() : segment.indexes
  let index = offsets.count - 1
  while (index >= 0 && !isBelow(offsets.entry(index), options)) index--
  if (index < 0) return null
  const { offset, position } = offsets.entry(index)
  let baseOffset: number | null = null
  walkBatches(file, { start: position, end: options.endPosition }, (batch) => {
    if (batch.lastOffset === offset && batch.baseOffset >= segment.baseOffset) baseOffset = batch.baseOffset
    return 'stop'
  })
  return baseOffset === null ? null : { index, position, baseOffset }
}

function isBelow(entry: OffsetPosition, { trustBelowOffset, endPosition }: ResumeOptions): boolean {
  return entry.offset < trustBelowOffset && entry.position < endPosition
}

/** Where a replay met bytes that are no batch: what follows them in that segment was passed over. */
export interface ReplayDamage {
  readonly segment: Segment
  readonly position: number
  readonly offset: number
  readonly message: string
}

/**
 * Applies to `producers` the batches between its end and `endOffset`, which is that of the log or of a segment. Returns the first
 * damage met on the way.
 */
export function replayProducers(
  segments: SegmentList,
  files: OpenFiles,
  producers: ProducerState,
  endOffset: number,
  onCompleted: (completed: CompletedTransaction, segment: Segment) => void = () => {},
): ReplayDamage | null {
  const fromOffset = producers.endOffset
  if (fromOffset >= endOffset) return null
  let damage: ReplayDamage | null = null
  for (const segment of segments.all.slice(segments.indexFor(fromOffset))) {
    if (segment.baseOffset >= endOffset) break
    const start = segment.indexes.offsets.positionFor(fromOffset)
    if (start >= segment.sizeBytes) continue
    let nextOffset = segment.baseOffset
    const end = walkBatches(files.file(segment.logPath), { start, end: segment.sizeBytes }, (batch) => {
      nextOffset = batch.lastOffset + 1
      if (batch.producerId < 0 || batch.baseOffset < fromOffset) return null
      const completed = producers.apply(producerBatchOf(batch), transactionMarkerOf(batch))
      if (completed !== null) onCompleted(completed, segment)
      return null
    })
    if (end.kind === 'bad') damage ??= { segment, position: end.position, offset: nextOffset, message: end.message }
  }
  if (damage !== null) producers.noteGap()
  producers.endOffset = endOffset as typeof producers.endOffset
  return damage
}
