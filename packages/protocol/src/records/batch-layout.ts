/**
 * Where the fields of a record batch (magic 2) stand, and cheap access to them for paths that must not
 * allocate.
 */

export const BATCH_HEADER_BYTES = 61
/** Base offset and length, before what the length counts. */
export const LOG_OVERHEAD_BYTES = 12
/** From here on the checksum covers the batch, so that a leader may rewrite what stands before. */
export const CRC_COVERS_FROM = 21

const LENGTH_AT = 8
const LEADER_EPOCH_AT = 12
const MAGIC_AT = 16
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const LAST_OFFSET_DELTA_AT = 23
const BASE_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_ID_AT = 43
const PRODUCER_EPOCH_AT = 51
const BASE_SEQUENCE_AT = 53
const RECORD_COUNT_AT = 57
const TWO_32 = 0x1_0000_0000

export const CODEC_MASK = 0x07
export const LOG_APPEND_TIME_BIT = 0x08
export const TRANSACTIONAL_BIT = 0x10
export const CONTROL_BIT = 0x20
export const DELETE_HORIZON_BIT = 0x40

export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** A big-endian int64 as the nearest double: exact for safe integers, see `batchHasUnsafeInt64`. */
export function int64At(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * TWO_32 + buffer.readUInt32BE(at + 4)
}

export function writeInt64At(buffer: Buffer, at: number, value: number): void {
  const high = Math.floor(value / TWO_32)
  buffer.writeInt32BE(high, at)
  buffer.writeUInt32BE(value - high * TWO_32, at + 4)
}

export function batchBaseOffset(buffer: Buffer, at: number): number {
  return int64At(buffer, at)
}

/** Whole size, header included. */
export function batchSizeBytes(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + LENGTH_AT) + LOG_OVERHEAD_BYTES
}

export function batchLeaderEpoch(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + LEADER_EPOCH_AT)
}

export function batchMagic(buffer: Buffer, at: number): number {
  return buffer.readInt8(at + MAGIC_AT)
}

export function batchCrc(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at + CRC_AT)
}

export function batchAttributes(buffer: Buffer, at: number): number {
  return buffer.readInt16BE(at + ATTRIBUTES_AT)
}

export function batchLastOffsetDelta(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + LAST_OFFSET_DELTA_AT)
}

/**
 * Offset of the last record that the batch was written with; compaction keeps it even when that record is
 * gone.
 */
export function batchLastOffset(buffer: Buffer, at: number): number {
  return batchBaseOffset(buffer, at) + batchLastOffsetDelta(buffer, at)
}

/** The delete horizon when DELETE_HORIZON_BIT is set; record timestamps count from it either way. */
export function batchBaseTimestamp(buffer: Buffer, at: number): number {
  return int64At(buffer, at + BASE_TIMESTAMP_AT)
}

export function batchMaxTimestamp(buffer: Buffer, at: number): number {
  return int64At(buffer, at + MAX_TIMESTAMP_AT)
}

export function batchProducerId(buffer: Buffer, at: number): number {
  return int64At(buffer, at + PRODUCER_ID_AT)
}

export function batchProducerEpoch(buffer: Buffer, at: number): number {
  return buffer.readInt16BE(at + PRODUCER_EPOCH_AT)
}

export function batchBaseSequence(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + BASE_SEQUENCE_AT)
}

export function batchRecordCount(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + RECORD_COUNT_AT)
}

export function batchTimestampType(buffer: Buffer, at: number): TimestampType {
  return (batchAttributes(buffer, at) & LOG_APPEND_TIME_BIT) !== 0 ? 'LogAppendTime' : 'CreateTime'
}

export function batchIsTransactional(buffer: Buffer, at: number): boolean {
  return (batchAttributes(buffer, at) & TRANSACTIONAL_BIT) !== 0
}

export function batchIsControl(buffer: Buffer, at: number): boolean {
  return (batchAttributes(buffer, at) & CONTROL_BIT) !== 0
}

export function batchDeleteHorizonMs(buffer: Buffer, at: number): number | null {
  return (batchAttributes(buffer, at) & DELETE_HORIZON_BIT) !== 0 ? batchBaseTimestamp(buffer, at) : null
}

/** Codec number 0 to 7; only 0 to 4 exist. */
export function batchCodecId(buffer: Buffer, at: number): number {
  return batchAttributes(buffer, at) & CODEC_MASK
}

/** Sequence of the last record, wrapping at 2^31 as sequences do; -1 without a producer. */
export function batchLastSequence(buffer: Buffer, at: number): number {
  const first = batchBaseSequence(buffer, at)
  return first < 0 ? -1 : sequenceAfter(first, batchLastOffsetDelta(buffer, at))
}

/** Sequences count 0 to 2^31 - 1 and then from 0 again. */
export function sequenceAfter(sequence: number, increment: number): number {
  return (sequence + increment) % 0x8000_0000
}

/**
 * Whether one of the four int64 fields is rounded by its accessor; no well-behaved client or broker writes
 * such.
 */
export function batchHasUnsafeInt64(buffer: Buffer, at: number): boolean {
  return (
    !Number.isSafeInteger(batchBaseOffset(buffer, at)) ||
    !Number.isSafeInteger(batchBaseTimestamp(buffer, at)) ||
    !Number.isSafeInteger(batchMaxTimestamp(buffer, at)) ||
    !Number.isSafeInteger(batchProducerId(buffer, at))
  )
}

/** Gives the batch its place in the log. Both fields stand outside of the checksum, which stays right. */
export function setBaseOffsetAndLeaderEpoch(
  buffer: Buffer,
  at: number,
  baseOffset: number,
  leaderEpoch: number,
): void {
  writeInt64At(buffer, at, baseOffset)
  buffer.writeInt32BE(leaderEpoch, at + LEADER_EPOCH_AT)
}

/** Writes fields that the checksum covers; the caller must follow with `sealBatchCrc`. */
export function setAttributes(buffer: Buffer, at: number, attributes: number): void {
  buffer.writeInt16BE(attributes, at + ATTRIBUTES_AT)
}

/** Covered by the checksum; the caller must follow with `sealBatchCrc`. */
export function setMaxTimestampField(buffer: Buffer, at: number, maxTimestamp: number): void {
  writeInt64At(buffer, at + MAX_TIMESTAMP_AT, maxTimestamp)
}

export function setCrcField(buffer: Buffer, at: number, crc: number): void {
  buffer.writeUInt32BE(crc, at + CRC_AT)
}
