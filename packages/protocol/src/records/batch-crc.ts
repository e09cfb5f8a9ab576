import { crc32, crc32c } from '@node-rs/crc32'
import {
  BATCH_HEADER_BYTES,
  batchCrc,
  batchMagic,
  batchSizeBytes,
  CRC_COVERS_FROM,
  LOG_APPEND_TIME_BIT,
  LOG_OVERHEAD_BYTES,
  batchAttributes,
  setAttributes,
  setCrcField,
  setMaxTimestampField,
} from './batch-layout.ts'
import type { TimestampType } from './batch-layout.ts'
import { corrupt } from './record-fault.ts'
import type { RecordFault } from './record-fault.ts'

/** Where the checksummed part of a legacy message begins: after offset, size and checksum. */
const LEGACY_CRC_AT = 12
const LEGACY_CRC_COVERS_FROM = 16
const LEGACY_RECORD_BYTES_MIN = 14

/** The checksum that the bytes of a complete batch of magic 2 should carry. */
export function computeBatchCrc(buffer: Buffer, at: number): number {
  return crc32c(buffer.subarray(at + CRC_COVERS_FROM, at + batchSizeBytes(buffer, at)))
}

/** Whether the stored checksum is right. The batch must be complete and at least a header long. */
export function verifyBatchCrc(buffer: Buffer, at: number): boolean {
  return computeBatchCrc(buffer, at) === batchCrc(buffer, at)
}

/** Stores the right checksum after covered bytes were changed. */
export function sealBatchCrc(buffer: Buffer, at: number): void {
  setCrcField(buffer, at, computeBatchCrc(buffer, at))
}

/** Sets timestamp type and maxTimestamp (never below -1, as Kafka's) and makes the checksum right again. */
export function setMaxTimestamp(buffer: Buffer, at: number, type: TimestampType, maxTimestamp: number): void {
  const attributes = batchAttributes(buffer, at)
  const bit = type === 'LogAppendTime' ? LOG_APPEND_TIME_BIT : 0
  setAttributes(buffer, at, (attributes & ~LOG_APPEND_TIME_BIT) | bit)
  setMaxTimestampField(buffer, at, Math.max(maxTimestamp, -1))
  sealBatchCrc(buffer, at)
}

/** Sizes and checksum of a complete batch of any magic; null when they are right. */
export function batchFault(buffer: Buffer, at: number): RecordFault | null {
  const size = batchSizeBytes(buffer, at)
  if (batchMagic(buffer, at) < 2) return legacyFault(buffer, at, size)
  if (size < BATCH_HEADER_BYTES) {
    return corrupt(
      `Record batch is corrupt (the size ${size} is smaller than the minimum allowed overhead ${BATCH_HEADER_BYTES})`,
    )
  }
  const computed = computeBatchCrc(buffer, at)
  const stored = batchCrc(buffer, at)
  return stored === computed ? null : crcFault(stored, computed)
}

function legacyFault(buffer: Buffer, at: number, size: number): RecordFault | null {
  if (size - LOG_OVERHEAD_BYTES < LEGACY_RECORD_BYTES_MIN)
    return corrupt(`Record is corrupt (size ${size} is too small)`)
  const computed = crc32(buffer.subarray(at + LEGACY_CRC_COVERS_FROM, at + size))
  const stored = buffer.readUInt32BE(at + LEGACY_CRC_AT)
  return stored === computed ? null : crcFault(stored, computed)
}

function crcFault(stored: number, computed: number): RecordFault {
  return corrupt(`Record is corrupt (stored crc = ${stored}, computed crc = ${computed})`)
}
