/**
 * Everything a leader checks and corrects in a batch before it is stored (Kafka's UnifiedLog.analyzeAndValidateRecords and
 * LogValidator). Pure. Corrections are made in the caller's memory; only a change of codec makes new memory.
 */
import {
  BATCH_HEADER_BYTES,
  batchStep,
  codecId,
  codecOfId,
  compress,
  decompress,
  ErrorCode,
  setAttributes,
  setMaxTimestamp,
  verifyBatchCrc,
} from '@kavka/protocol'
import type { CompressionCodec } from '@kavka/protocol'
import type { LogConfig } from '../../log-config.ts'
import type { AppendOrigin } from '../../partition-log.ts'
import { BatchView } from '../batches/batch-view.ts'
import { inspectRecords } from '../batches/record-inspection.ts'
import type { FaultyRecord, InspectionRules } from '../batches/record-inspection.ts'

export interface AppendContext {
  readonly config: LogConfig
  readonly origin: AppendOrigin
  readonly nowMs: number
  /** For messages only. */
  readonly partition: string
}

export interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

export interface Refusal {
  readonly kind: 'refused'
  readonly errorCode: number
  readonly message: string
  readonly recordErrors: readonly RecordError[]
}

export type LeaderValidation = { readonly kind: 'valid'; readonly batches: readonly BatchView[] } | Refusal

/** Splits and judges `records`; what is valid still lacks its offsets and leader epoch. Trailing partial batches are dropped. */
export function validateForLeader(records: Buffer, context: AppendContext): LeaderValidation {
  const split = splitBatches(records, context)
  if (split.kind === 'refused') return split
  if (split.batches.length === 0) return refuse(ErrorCode.INVALID_RECORD, `The append to ${context.partition} holds no whole record batch`)
  if (split.batches.length > 1 && context.origin === 'client') {
    return refuse(ErrorCode.INVALID_RECORD, `The append to ${context.partition} holds more than one record batch`)
  }
  const batches: BatchView[] = []
  for (const batch of split.batches) {
    const validated = validateBatch(batch, context)
    if (validated instanceof BatchView) batches.push(validated)
    else return validated
  }
  return { kind: 'valid', batches }
}

function splitBatches(records: Buffer, context: AppendContext): LeaderValidation {
  const batches: BatchView[] = []
  let position = 0
  while (position < records.length) {
    const step = batchStep(records, position, records.length)
    if (step.kind === 'truncated') break
    if (step.kind === 'corrupt') return refuse(step.fault.errorCode, step.fault.message)
    const batch = new BatchView(records, position)
    const refusal = checkEnvelope(batch, step.sizeBytes, context)
    if (refusal !== null) return refusal
    batches.push(batch)
    position += step.sizeBytes
  }
  return { kind: 'valid', batches }
}

function checkEnvelope(batch: BatchView, sizeBytes: number, { config, origin, partition }: AppendContext): Refusal | null {
  if (batch.magic !== 2) {
    return refuse(ErrorCode.INVALID_RECORD, `Record batches of magic ${batch.magic} cannot be appended to ${partition}, only those of magic 2`)
  }
  if (sizeBytes < BATCH_HEADER_BYTES) {
    return refuse(ErrorCode.CORRUPT_MESSAGE, `Record batch is corrupt (the size ${sizeBytes} is smaller than the minimum allowed overhead ${BATCH_HEADER_BYTES})`)
  }
  if (origin === 'client' && batch.baseOffset !== 0) {
    return refuse(ErrorCode.INVALID_RECORD, `The baseOffset of the record batch in the append to ${partition} should be 0, but it is ${batch.baseOffset}`)
  }
  if (sizeBytes > config.maxMessageBytes) return refuseTooLarge(sizeBytes, config.maxMessageBytes, partition)
  if (!verifyBatchCrc(batch.buffer, batch.position)) {
    return refuse(ErrorCode.CORRUPT_MESSAGE, `Record is corrupt (stored crc = ${batch.crc}) in topic partition ${partition}.`)
  }
  if (codecOfId(batch.codecId) === null) return refuse(ErrorCode.UNKNOWN_SERVER_ERROR, `Unknown compression type id: ${batch.codecId}`)
  return null
}

function validateBatch(batch: BatchView, context: AppendContext): BatchView | Refusal {
  if (context.origin === 'client') {
    const refusal = checkClientHeader(batch, context.partition)
    if (refusal !== null) return refusal
  }
  const codec = batch.isControl ? batch.codecId : targetCodecId(context.config.compressionType, batch.codecId)
  // What our own coordinators built is well-formed: only a client's records, or those to be packed anew, are looked into.
  if (context.origin !== 'client' && codec === batch.codecId) return correctTimestamps(batch, batch.maxTimestampMs, context)
  return validateRecords(batch, codec, context)
}

function checkClientHeader(batch: BatchView, partition: string): Refusal | null {
  const where = `in topic partition ${partition}`
  if (batch.isControl) return refuse(ErrorCode.INVALID_RECORD, `Clients are not allowed to write control records ${where}`)
  const { lastOffsetDelta, recordCount } = batch
  if (lastOffsetDelta < 0) return refuse(ErrorCode.INVALID_RECORD, `Batch has an invalid offset range: [0, ${lastOffsetDelta}] ${where}`)
  if (recordCount <= 0) return refuse(ErrorCode.INVALID_RECORD, `Invalid reported count for record batch: ${recordCount} ${where}`)
  if (recordCount !== lastOffsetDelta + 1) {
    return refuse(ErrorCode.INVALID_RECORD, `Inconsistent batch offset range [0, ${lastOffsetDelta}] and count of records ${recordCount} ${where}`)
  }
  if (batch.producerId >= 0 && batch.baseSequence < 0) {
    return refuse(ErrorCode.INVALID_RECORD, `Invalid sequence number ${batch.baseSequence} in record batch with producerId ${batch.producerId} ${where}`)
  }
  return null
}

function validateRecords(batch: BatchView, codec: number, context: AppendContext): BatchView | Refusal {
  const logAppendTimeRefusal = checkTimestampType(batch, context)
  if (logAppendTimeRefusal !== null) return logAppendTimeRefusal
  const inspection = inspectRecords(batch, inspectionRules(context))
  if (inspection.kind === 'malformed') return refuse(inspection.fault.errorCode, inspection.fault.message)
  if (inspection.faultyRecords.length > 0) return refuseRecords(inspection.faultyRecords, context)
  const isCompressed = batch.codecId !== 0 || codec !== 0
  if (isCompressed && !inspection.offsetsSequential) {
    // Kafka fails here too, though by accident (UnsupportedOperationException on the key): its code is kept.
    return refuse(ErrorCode.UNKNOWN_SERVER_ERROR, `Offset deltas of the compressed batch are not sequential in topic partition ${context.partition}`)
  }
  if (codec === batch.codecId) return correctTimestamps(batch, inspection.maxTimestampMs, context)
  return repack(batch, codec, inspection.maxTimestampMs, context)
}

/** A client may not claim the broker's time: refused where the broker's time is meant, or where there is none to fall back on. */
function checkTimestampType(batch: BatchView, context: AppendContext): Refusal | null {
  if (context.origin !== 'client' || !batch.hasLogAppendTime) return null
  if (context.config.messageTimestampType === 'CreateTime' && batch.maxTimestampMs !== -1) return null
  const message = 'Invalid timestamp type in message. Producer should not set timestamp type to LogAppendTime.'
  return { kind: 'refused', errorCode: ErrorCode.INVALID_TIMESTAMP, message, recordErrors: [{ batchIndex: 0, message }] }
}

function inspectionRules({ config, origin, nowMs }: AppendContext): InspectionRules {
  const checksTime = origin === 'client' && config.messageTimestampType === 'CreateTime'
  const fromMs = nowMs - config.messageTimestampBeforeMaxMs
  const toMs = nowMs + config.messageTimestampAfterMaxMs
  return {
    keys: config.cleanupPolicy.includes('compact') ? 'required' : 'optional',
    timestampBounds: checksTime ? { fromMs, toMs } : null,
  }
}

function refuseRecords(faults: readonly FaultyRecord[], { config, nowMs, partition }: AppendContext): Refusal {
  const bounds = `[${nowMs - config.messageTimestampBeforeMaxMs}, ${nowMs + config.messageTimestampAfterMaxMs}]`
  const recordErrors = faults.map(({ batchIndex, fault, timestampMs }) => ({
    batchIndex,
    message:
      fault === 'no-key'
        ? `Compacted topic cannot accept message without key in topic partition ${partition}.`
        : `Timestamp ${timestampMs} of message with offset ${batchIndex} is out of range. The timestamp should be within ${bounds}`,
  }))
  if (faults[0]!.fault === 'timestamp') {
    return { kind: 'refused', errorCode: ErrorCode.INVALID_TIMESTAMP, message: 'One or more records have been rejected due to invalid timestamp', recordErrors }
  }
  const message = `One or more records have been rejected due to ${recordErrors.length} record errors in total: ${recordErrors[0]!.message}`
  return { kind: 'refused', errorCode: ErrorCode.INVALID_RECORD, message, recordErrors }
}

/** Makes the header tell the truth about time; the checksum is computed anew only when something changed. */
function correctTimestamps(batch: BatchView, maxTimestampMs: number, context: AppendContext): BatchView {
  const type = context.config.messageTimestampType
  const timeMs = type === 'LogAppendTime' ? context.nowMs : maxTimestampMs
  if (batch.hasLogAppendTime === (type === 'LogAppendTime') && batch.maxTimestampMs === timeMs) return batch
  setMaxTimestamp(batch.buffer, batch.position, type, timeMs)
  return batch
}

/** `producer` keeps what the client chose. */
function targetCodecId(type: LogConfig['compressionType'], sourceId: number): number {
  if (type === 'producer') return sourceId
  return codecId(type === 'uncompressed' ? 'none' : type)
}

/** The same records under another codec (`compression.type`): their bytes stay, so deltas and offsets do too. */
function repack(batch: BatchView, targetId: number, maxTimestampMs: number, context: AppendContext): BatchView | Refusal {
  const { config, partition } = context
  const codec = codecOfId(targetId)!
  const packedBefore = batch.bytes.subarray(BATCH_HEADER_BYTES)
  const plain = decompress(batch.codecId, packedBefore, batch.magic)
  if (!plain.ok) return refuse(plain.error.errorCode, plain.error.message)
  const packed = compress(codec, plain.value, compressionLevel(codec, config))
  const sizeBytes = BATCH_HEADER_BYTES + packed.length
  if (sizeBytes > config.maxMessageBytes) return refuseTooLarge(sizeBytes, config.maxMessageBytes, partition)
  const header = batch.buffer.subarray(batch.position, batch.position + BATCH_HEADER_BYTES)
  const repacked = Buffer.concat([header, packed], sizeBytes)
  repacked.writeInt32BE(sizeBytes - LOG_OVERHEAD_BYTES, BATCH_LENGTH_POSITION)
  setAttributes(repacked, 0, (batch.attributes & ~CODEC_MASK) | targetId)
  const type = config.messageTimestampType
  setMaxTimestamp(repacked, 0, type, type === 'LogAppendTime' ? context.nowMs : maxTimestampMs)
  return new BatchView(repacked, 0)
}

const LOG_OVERHEAD_BYTES = 12
const BATCH_LENGTH_POSITION = 8
const CODEC_MASK = 0x07

function compressionLevel(codec: CompressionCodec, config: LogConfig): number | undefined {
  if (codec === 'gzip') return config.compressionGzipLevel
  if (codec === 'lz4') return config.compressionLz4Level
  return codec === 'zstd' ? config.compressionZstdLevel : undefined
}

function refuseTooLarge(sizeBytes: number, bytesMax: number, partition: string): Refusal {
  return refuse(ErrorCode.MESSAGE_TOO_LARGE, `The record batch size in the append to ${partition} is ${sizeBytes} bytes which exceeds the maximum configured value of ${bytesMax}.`)
}

function refuse(errorCode: number, message: string): Refusal {
  return { kind: 'refused', errorCode, message, recordErrors: [] }
}
