/** Reads the one record of a transaction marker batch (control type 0 abort, 1 commit). Pure. */
import { BATCH_HEADER_BYTES } from './batch-view.ts'
import type { BatchView } from './batch-view.ts'
import type { TransactionMarker } from './producer-state.ts'

const ABORT = 0
const COMMIT = 1
const KEY_BYTES = 4
const VALUE_BYTES_MIN = 6

/** Null for control batches of another type (leader change, snapshots …) and for malformed ones. */
export function transactionMarkerOf(batch: BatchView): TransactionMarker | null {
  const end = batch.position + batch.sizeBytes
  const key = lengthPrefixed(batch.buffer, afterVarints(batch.buffer, batch.position + BATCH_HEADER_BYTES, end), end)
  if (key === null || key.length < KEY_BYTES) return null
  const type = key.readInt16BE(2)
  if (type !== ABORT && type !== COMMIT) return null
  const value = lengthPrefixed(batch.buffer, key.byteOffset - batch.buffer.byteOffset + key.length, end)
  if (value === null || value.length < VALUE_BYTES_MIN) return null
  return { outcome: type === ABORT ? 'abort' : 'commit', coordinatorEpoch: value.readInt32BE(2) }
}

/** Position of the key's length: after the record's length, attributes, timestamp and offset delta. */
function afterVarints(buffer: Buffer, start: number, end: number): number {
  const attributes = skipVarint(buffer, start, end)
  return skipVarint(buffer, skipVarint(buffer, attributes + 1, end), end)
}

function skipVarint(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && buffer[at]! >= 0x80) at++
  return at + 1
}

/** Control records are small: their lengths take one varint byte. */
function lengthPrefixed(buffer: Buffer, at: number, end: number): Buffer | null {
  if (at >= end || buffer[at]! >= 0x80) return null
  const length = buffer[at]! >>> 1
  return (buffer[at]! & 1) === 1 || at + 1 + length > end ? null : buffer.subarray(at + 1, at + 1 + length)
}
