import { assert } from '@kavka/kernel'
import { BATCH_HEADER_BYTES, buildBatch, buildEndTransactionMarker } from '@kavka/protocol'
import type { AppendPayload, PendingAppend } from './coordinator-core.ts'

/** Varints, attributes and the empty header list around a record; more than any record needs. */
const RECORD_OVERHEAD_BYTES_MAX = 36

/** Appends that go into the log as one batch: all of it is there or nothing is. */
export interface CoordinatorBatch {
  readonly appends: readonly PendingAppend[]
  readonly recordCount: number
}

/**
 * Gathers the appends of a turn into batches, in order: plain records share a batch up to `batchBytesMax`
 * (group commit), a transaction's offsets and a marker have one each, for the batch names the producer.
 * `tooLarge`: one append alone does not fit.
 */
export function gatherBatches(
  appends: readonly PendingAppend[],
  batchBytesMax: number,
): (CoordinatorBatch | { readonly tooLarge: PendingAppend })[] {
  const gathered: (CoordinatorBatch | { readonly tooLarge: PendingAppend })[] = []
  let open: { appends: PendingAppend[]; bytes: number; recordCount: number } | null = null
  for (const append of appends) {
    const bytes = bytesMaxOf(append.payload)
    if (bytes > batchBytesMax) {
      open = null
      gathered.push({ tooLarge: append })
    } else if (append.payload.kind === 'records' && open !== null && open.bytes + bytes <= batchBytesMax) {
      open.appends.push(append)
      open.bytes += bytes
      open.recordCount += recordCountOf(append.payload)
    } else {
      const batch = { appends: [append], bytes, recordCount: recordCountOf(append.payload) }
      open = append.payload.kind === 'records' ? batch : null
      gathered.push(batch)
    }
  }
  return gathered
}

/** The bytes of a batch, as Kafka's coordinators write them. */
export function encodeBatch(batch: CoordinatorBatch, timestamp: number): Buffer {
  const first = batch.appends[0]!.payload
  if (first.kind === 'marker') {
    const { producerId, producerEpoch, coordinatorEpoch, result } = first
    return buildEndTransactionMarker({ outcome: result, producerId, producerEpoch, coordinatorEpoch, timestamp })
  }
  const records = batch.appends.flatMap(({ payload }) => {
    assert(payload.kind !== 'marker', 'a marker has a batch of its own')
    return payload.records.map(({ key, value }) => ({ timestamp, key, value }))
  })
  if (first.kind === 'records') return buildBatch(records, { baseSequence: 0 })
  const { producerId, producerEpoch } = first
  return buildBatch(records, { producerId, producerEpoch, baseSequence: 0, transactional: true })
}

export function recordCountOf(payload: AppendPayload): number {
  return payload.kind === 'marker' ? 1 : payload.records.length
}

function bytesMaxOf(payload: AppendPayload): number {
  if (payload.kind === 'marker') return BATCH_HEADER_BYTES + RECORD_OVERHEAD_BYTES_MAX
  return payload.records.reduce(
    (sum, { key, value }) => sum + key.length + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES_MAX,
    BATCH_HEADER_BYTES,
  )
}
