import { failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import {
  BATCH_HEADER_BYTES,
  batchCodecId,
  batchMagic,
  batchRecordCount,
  batchSizeBytes,
} from './batch-layout.ts'
import { decompress } from './compression/compression.ts'
import type { RecordReadOptions } from './compression/compression.ts'
import { legacyRecordsOf } from './legacy-records.ts'
import type { LogRecord } from './record.ts'
import { RecordCursor, recordsSource } from './record-cursor.ts'
import { undecodable } from './record-fault.ts'
import type { RecordFault } from './record-fault.ts'

/**
 * A cursor over the records of the complete batch of magic 2 at `at`, decompressed first where needed. The
 * checksum
 * is not looked at (`batchFault`).
 */
export function openRecords(
  buffer: Buffer,
  at: number,
  options: RecordReadOptions = {},
): Result<RecordCursor, RecordFault> {
  const end = at + batchSizeBytes(buffer, at)
  const start = at + BATCH_HEADER_BYTES
  if (end < start) return failure(undecodable('Record batch is smaller than its header'))
  const codecId = batchCodecId(buffer, at)
  if (codecId === 0 || batchRecordCount(buffer, at) <= 0) {
    return success(new RecordCursor(recordsSource(buffer, at, buffer, start, end)))
  }
  const plain = decompress(codecId, buffer.subarray(start, end), 2, options)
  if (!plain.ok) return plain
  return success(new RecordCursor(recordsSource(buffer, at, plain.value, 0, plain.value.length)))
}

/**
 * All records of the complete batch (or legacy message) at `at`. Where it is not compressed, keys and values
 * are views.
 */
export function recordsOf(
  buffer: Buffer,
  at: number,
  options: RecordReadOptions = {},
): Result<readonly LogRecord[], RecordFault> {
  if (batchMagic(buffer, at) < 2) return legacyRecordsOf(buffer, at, options)
  const opened = openRecords(buffer, at, options)
  if (!opened.ok) return opened
  const cursor = opened.value
  const records: LogRecord[] = []
  while (cursor.next()) records.push(cursor.record())
  return cursor.fault === null ? success(records) : failure(cursor.fault)
}
