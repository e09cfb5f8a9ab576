import {
  BATCH_HEADER_BYTES,
  LOG_OVERHEAD_BYTES,
  batchAttributes,
  batchBaseOffset,
  batchBaseSequence,
  batchBaseTimestamp,
  batchCrc,
  batchLastOffsetDelta,
  batchLeaderEpoch,
  batchMagic,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  batchSizeBytes,
  writeInt64At,
} from './batch-layout.ts'

/**
 * The 13 fields of a batch as they stand in its bytes. int64 fields are rounded beyond 2^53
 * (`batchHasUnsafeInt64`).
 */
export interface BatchHeader {
  readonly baseOffset: number
  /** Bytes after this field. */
  readonly batchLength: number
  readonly partitionLeaderEpoch: number
  readonly magic: number
  /** uint32. */
  readonly crc: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** Reads the header of a batch of magic 2 of which at least BATCH_HEADER_BYTES are there. */
export function readBatchHeader(buffer: Buffer, at: number): BatchHeader {
  return {
    baseOffset: batchBaseOffset(buffer, at),
    batchLength: batchSizeBytes(buffer, at) - LOG_OVERHEAD_BYTES,
    partitionLeaderEpoch: batchLeaderEpoch(buffer, at),
    magic: batchMagic(buffer, at),
    crc: batchCrc(buffer, at),
    attributes: batchAttributes(buffer, at),
    lastOffsetDelta: batchLastOffsetDelta(buffer, at),
    baseTimestamp: batchBaseTimestamp(buffer, at),
    maxTimestamp: batchMaxTimestamp(buffer, at),
    producerId: batchProducerId(buffer, at),
    producerEpoch: batchProducerEpoch(buffer, at),
    baseSequence: batchBaseSequence(buffer, at),
    recordCount: batchRecordCount(buffer, at),
  }
}

/**
 * Writes all fields but the checksum, which `sealBatchCrc` computes when the records stand behind the header.
 */
export function writeBatchHeader(
  buffer: Buffer,
  at: number,
  header: Omit<BatchHeader, 'crc' | 'magic'>,
): void {
  writeInt64At(buffer, at, header.baseOffset)
  buffer.writeInt32BE(header.batchLength, at + 8)
  buffer.writeInt32BE(header.partitionLeaderEpoch, at + 12)
  buffer.writeInt8(2, at + 16)
  buffer.writeInt16BE(header.attributes, at + 21)
  buffer.writeInt32BE(header.lastOffsetDelta, at + 23)
  writeInt64At(buffer, at + 27, header.baseTimestamp)
  writeInt64At(buffer, at + 35, header.maxTimestamp)
  writeInt64At(buffer, at + 43, header.producerId)
  buffer.writeInt16BE(header.producerEpoch, at + 51)
  buffer.writeInt32BE(header.baseSequence, at + 53)
  buffer.writeInt32BE(header.recordCount, at + BATCH_HEADER_BYTES - 4)
}
