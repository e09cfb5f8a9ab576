/**
 * Message sets of magic 0 and 1, which stopped being written with Kafka 0.11 (KIP-98): recognized so that
 * they can be
 * refused, and readable for old segments. A compressed one is a message whose value holds the others.
 */
import { failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import { batchMagic, batchSizeBytes, CODEC_MASK, int64At, LOG_APPEND_TIME_BIT } from './batch-layout.ts'
import { nextBatchBytes } from './batch-walk.ts'
import { decompress } from './compression/compression.ts'
import type { RecordReadOptions } from './compression/compression.ts'
import { NO_HEADERS } from './record.ts'
import type { LogRecord } from './record.ts'
import { invalid, undecodable } from './record-fault.ts'
import type { RecordFault } from './record-fault.ts'

const MAGIC_AT = 16
const ATTRIBUTES_AT = 17
const TIMESTAMP_AT = 18
const NO_TIMESTAMP = -1

/** One message as it stands in the bytes; the offset of an inner one may be relative. */
export interface LegacyMessage {
  readonly offset: number
  readonly magic: 0 | 1
  readonly codecId: number
  readonly timestamp: number
  readonly isLogAppendTime: boolean
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Reads the complete message at `at`. */
export function readLegacyMessage(buffer: Buffer, at: number): Result<LegacyMessage, RecordFault> {
  const end = at + batchSizeBytes(buffer, at)
  const magic = batchMagic(buffer, at) === 0 ? 0 : 1
  const keyAt = at + (magic === 0 ? TIMESTAMP_AT : TIMESTAMP_AT + 8)
  const key = sizedBytes(buffer, keyAt, end)
  const value = key === undefined ? undefined : sizedBytes(buffer, keyAt + 4 + (key?.length ?? 0), end)
  if (key === undefined || value === undefined)
    return failure(undecodable('Legacy message shorter than its fields'))
  const attributes = buffer.readInt8(at + ATTRIBUTES_AT)
  return success({
    offset: int64At(buffer, at),
    magic,
    codecId: attributes & CODEC_MASK,
    timestamp: magic === 0 ? NO_TIMESTAMP : int64At(buffer, at + TIMESTAMP_AT),
    isLogAppendTime: magic === 1 && (attributes & LOG_APPEND_TIME_BIT) !== 0,
    key,
    value,
  })
}

/** undefined when the bytes are not there. */
function sizedBytes(buffer: Buffer, at: number, end: number): Buffer | null | undefined {
  if (at + 4 > end) return undefined
  const size = buffer.readInt32BE(at)
  if (size < 0) return null
  return size > end - at - 4 ? undefined : buffer.subarray(at + 4, at + 4 + size)
}

/** The record of a plain message, or those inside a compressed one. */
export function legacyRecordsOf(
  buffer: Buffer,
  at: number,
  options: RecordReadOptions,
): Result<readonly LogRecord[], RecordFault> {
  const outer = readLegacyMessage(buffer, at)
  if (!outer.ok) return outer
  if (outer.value.codecId === 0)
    return success([recordOf(outer.value, outer.value.offset, outer.value.timestamp)])
  const inner = innerMessages(outer.value, options)
  return inner.ok ? success(placed(outer.value, inner.value)) : inner
}

function innerMessages(
  outer: LegacyMessage,
  options: RecordReadOptions,
): Result<readonly LegacyMessage[], RecordFault> {
  if (outer.value === null) return failure(invalid('Found invalid compressed record set with null value'))
  const plain = decompress(outer.codecId, outer.value, outer.magic, options)
  if (!plain.ok) return plain
  const messages: LegacyMessage[] = []
  for (let at = 0; at < plain.value.length;) {
    const sizeBytes = nextBatchBytes(plain.value, at, plain.value.length)
    if (sizeBytes <= 0) return failure(undecodable('Compressed record set ends within a message'))
    if (plain.value[at + MAGIC_AT] !== outer.magic)
      return failure(invalid('Compressed message magic does not match wrapper magic'))
    const message = readLegacyMessage(plain.value, at)
    if (!message.ok) return message
    if (message.value.codecId !== 0) return failure(invalid('Inner record must not be compressed'))
    messages.push(message.value)
    at += sizeBytes
  }
  return messages.length === 0
    ? failure(invalid('Found invalid compressed record set with no inner records'))
    : success(messages)
}

/** In magic 1 the inner offsets are relative and the wrapper carries the last absolute one (KIP-31). */
function placed(outer: LegacyMessage, inner: readonly LegacyMessage[]): readonly LogRecord[] {
  const base = outer.magic === 1 ? outer.offset - inner.at(-1)!.offset : 0
  return inner.map((one) =>
    recordOf(one, base + one.offset, outer.isLogAppendTime ? outer.timestamp : one.timestamp),
  )
}

function recordOf(message: LegacyMessage, offset: number, timestamp: number): LogRecord {
  return { offset, timestamp, sequence: -1, key: message.key, value: message.value, headers: NO_HEADERS }
}
