import { assert } from '@kavka/kernel'
import { sealBatchCrc } from './batch-crc.ts'
import { writeBatchHeader } from './batch-header.ts'
import {
  BATCH_HEADER_BYTES,
  CONTROL_BIT,
  DELETE_HORIZON_BIT,
  LOG_APPEND_TIME_BIT,
  LOG_OVERHEAD_BYTES,
  TRANSACTIONAL_BIT,
} from './batch-layout.ts'
import { codecId } from './compression/codec.ts'
import type { CompressionCodec } from './compression/codec.ts'
import { compress } from './compression/compression.ts'
import { NO_HEADERS } from './record.ts'
import type { RecordHeader } from './record.ts'
import { putVarint, putVarlong, varintBytes, varlongBytes } from './varint.ts'

const NO_TIMESTAMP = -1
const NO_HEADER_BYTES = Buffer.alloc(BATCH_HEADER_BYTES)

/** A record to be written; offsets follow from the order unless given (compaction leaves gaps). */
export interface RecordToWrite {
  readonly offsetDelta?: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: readonly RecordHeader[]
}

/**
 * The batch around the records; what is left out has the value of a plain batch of a producer without an id.
 */
export interface BatchOptions {
  readonly baseOffset?: number
  readonly partitionLeaderEpoch?: number
  readonly compression?: CompressionCodec
  readonly compressionLevel?: number
  /** Makes the batch one of LogAppendTime: the time that all its records have. */
  readonly logAppendTime?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  /** When tombstones and markers in the batch may go (KIP-534); takes the place of the base timestamp. */
  readonly deleteHorizonMs?: number
  /** The one the batch was first written with, where compaction has removed its last records. */
  readonly lastOffsetDelta?: number
  /** For a batch that compaction has emptied; otherwise the largest of the records'. */
  readonly maxTimestamp?: number
}

/** A complete batch of magic 2 with its checksum. */
export function buildBatch(records: readonly RecordToWrite[], options: BatchOptions = {}): Buffer {
  assert(
    records.length > 0 || options.lastOffsetDelta !== undefined,
    'an empty batch needs its last offset delta',
  )
  const baseTimestamp = options.deleteHorizonMs ?? records[0]?.timestamp ?? NO_TIMESTAMP
  const codec = options.compression ?? 'none'
  const batch =
    codec === 'none' ? plainBatch(records, baseTimestamp) : compressedBatch(records, baseTimestamp, options)
  writeBatchHeader(batch, 0, {
    baseOffset: options.baseOffset ?? 0,
    batchLength: batch.length - LOG_OVERHEAD_BYTES,
    partitionLeaderEpoch: options.partitionLeaderEpoch ?? -1,
    attributes: attributesOf(options),
    lastOffsetDelta: options.lastOffsetDelta ?? deltaOf(records, records.length - 1),
    baseTimestamp,
    maxTimestamp: options.logAppendTime ?? options.maxTimestamp ?? maxTimestampOf(records),
    producerId: options.producerId ?? -1,
    producerEpoch: options.producerEpoch ?? -1,
    baseSequence: options.baseSequence ?? -1,
    recordCount: records.length,
  })
  sealBatchCrc(batch, 0)
  return batch
}

function plainBatch(records: readonly RecordToWrite[], baseTimestamp: number): Buffer {
  const bodies = records.map((record, index) =>
    bodyBytes(record, deltaOf(records, index), record.timestamp - baseTimestamp),
  )
  const size = bodies.reduce((sum, bytes) => sum + bytes + varintBytes(bytes), BATCH_HEADER_BYTES)
  const batch = Buffer.allocUnsafe(size)
  let at = BATCH_HEADER_BYTES
  for (const [index, record] of records.entries()) {
    at = putVarint(batch, at, bodies[index]!)
    at = putRecord(batch, at, record, deltaOf(records, index), record.timestamp - baseTimestamp)
  }
  assert(at === size, 'records do not have their computed size', { at, size })
  return batch
}

function compressedBatch(
  records: readonly RecordToWrite[],
  baseTimestamp: number,
  options: BatchOptions,
): Buffer {
  const plain = plainBatch(records, baseTimestamp).subarray(BATCH_HEADER_BYTES)
  return Buffer.concat([
    NO_HEADER_BYTES,
    compress(options.compression ?? 'none', plain, options.compressionLevel),
  ])
}

function attributesOf(options: BatchOptions): number {
  return (
    codecId(options.compression ?? 'none') |
    (options.logAppendTime === undefined ? 0 : LOG_APPEND_TIME_BIT) |
    (options.transactional === true ? TRANSACTIONAL_BIT : 0) |
    (options.control === true ? CONTROL_BIT : 0) |
    (options.deleteHorizonMs === undefined ? 0 : DELETE_HORIZON_BIT)
  )
}

function deltaOf(records: readonly RecordToWrite[], index: number): number {
  return records[index]?.offsetDelta ?? index
}

function maxTimestampOf(records: readonly RecordToWrite[]): number {
  return records.reduce((max, record) => Math.max(max, record.timestamp), NO_TIMESTAMP)
}

/** Bytes of a record after its length. */
function bodyBytes(record: RecordToWrite, offsetDelta: number, timestampDelta: number): number {
  const { key, value, headers = NO_HEADERS } = record
  let bytes = 1 + varlongBytes(timestampDelta) + varintBytes(offsetDelta) + varintBytes(headers.length)
  bytes += sizedBytes(key) + sizedBytes(value)
  for (const header of headers) {
    const keyBytes = Buffer.byteLength(header.key)
    bytes += varintBytes(keyBytes) + keyBytes + sizedBytes(header.value)
  }
  return bytes
}

function sizedBytes(data: Buffer | null): number {
  return data === null ? 1 : varintBytes(data.length) + data.length
}

function putRecord(
  batch: Buffer,
  from: number,
  record: RecordToWrite,
  offsetDelta: number,
  timestampDelta: number,
): number {
  const { key, value, headers = NO_HEADERS } = record
  batch[from] = 0
  let at = putVarlong(batch, from + 1, timestampDelta)
  at = putVarint(batch, at, offsetDelta)
  at = putSized(batch, at, key)
  at = putSized(batch, at, value)
  at = putVarint(batch, at, headers.length)
  for (const header of headers) {
    at = putVarint(batch, at, Buffer.byteLength(header.key))
    at += batch.write(header.key, at)
    at = putSized(batch, at, header.value)
  }
  return at
}

function putSized(batch: Buffer, from: number, data: Buffer | null): number {
  if (data === null) return putVarint(batch, from, -1)
  const at = putVarint(batch, from, data.length)
  data.copy(batch, at)
  return at + data.length
}
