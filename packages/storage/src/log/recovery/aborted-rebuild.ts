/** Aborted transactions of a segment whose `.txnindex` is damaged: found again in its batches, as a recovery would. */
import type { LogState } from '../log-state.ts'
import { ProducerState } from '../producers/producer-state.ts'
import { replayProducers } from './segment-recovery.ts'
import type { Segment } from '../segment/segment.ts'
import type { AbortedTransactionEntry } from '../index/transaction-index.ts'

export function abortedIn(log: LogState, segment: Segment): readonly AbortedTransactionEntry[] {
  return segment.aborted ?? rebuildAborted(log, segment)
}

/** Transactions may have begun in earlier segments: the snapshot at the base knows, else all batches before are walked. */
function rebuildAborted(log: LogState, segment: Segment): readonly AbortedTransactionEntry[] {
  const { segments, snapshots, ports, name } = log
  ports.logger.warn({ partition: name, path: segment.path('.txnindex') }, 'Rebuilding a damaged transaction index')
  // What is still staged for the segment would be missed.
  log.writer.write()
  const producers = new ProducerState(name)
  const firstOffset = segments.first.baseOffset
  const isLoaded = segment.baseOffset > firstOffset && snapshots.peek(producers, segment.baseOffset)
  if (!isLoaded) producers.load([], firstOffset)
  const endOffset = segments.all.find((other) => other.baseOffset > segment.baseOffset)?.baseOffset ?? log.logEndOffset
  const found: AbortedTransactionEntry[] = []
  replayProducers(segments, ports.files, producers, endOffset, (completed, place) => {
    if (completed.outcome !== 'abort' || place !== segment) return
    found.push({ ...completed, lastStableOffset: producers.lastStableOffsetAfter(completed) })
  })
  segment.restoreAborted(found)
  return found
}
