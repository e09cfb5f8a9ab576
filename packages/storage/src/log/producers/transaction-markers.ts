/** What the producer state needs of a batch in the log. Pure. */
import { DecodeError, openRecords, readControlRecord } from '@kavka/protocol'
import type { BatchView } from '../batches/batch-view.ts'
import type { ProducerBatch, TransactionMarker } from './producer-state.ts'

/** `batch` as a producer's; `firstOffset` where the batch does not have its place in the log yet. */
export function producerBatchOf(batch: BatchView, firstOffset: number = batch.baseOffset): ProducerBatch {
  return {
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    firstSequence: batch.baseSequence,
    firstOffset,
    lastOffset: firstOffset + batch.lastOffsetDelta,
    timestampMs: batch.maxTimestampMs,
    isTransactional: batch.isTransactional,
  }
}

/** The one record of a transaction marker batch; null for data, other control batches and malformed ones. */
export function transactionMarkerOf(batch: BatchView): TransactionMarker | null {
  if (!batch.isControl) return null
  const opened = openRecords(batch.buffer, batch.position)
  if (!opened.ok || !opened.value.next()) return null
  try {
    const record = readControlRecord({ key: opened.value.key(), value: opened.value.value() })
    return record.kind === 'end-transaction' ? record : null
  } catch (error) {
    // A follower stores what its leader has, malformed control records too; they end nothing.
    if (error instanceof DecodeError) return null
    throw error
  }
}
