/**
 * Everything a leader checks and corrects in a batch before it is stored (Kafka's UnifiedLog.analyzeAndValidateRecords and
 * LogValidator). Pure. Corrections are made in the caller's memory; only a change of codec makes new memory.
 */
import { ErrorCode } from '@kavka/protocol'
import type { LogConfig } from '../log-config.ts'
import type { AppendOrigin } from '../partition-log.ts'
import { BATCH_HEADER_BYTES, BatchView, frameAt, patchCodecAndLength, patchCrc, patchTimestamp } from './batch-view.ts'
import { computeCrc, decompressPayload, isCrcValid, knownCodec, targetCodec, compressPayload } from './batch-payload.ts'
import { scanRecords } from './record-scan.ts'
import type { RecordFault, ScanResult } from './record-scan.ts'

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
    const framing = frameAt(records, position, records.length)
    if (framing.kind === 'partial') break
    if (framing.kind === 'corrupt') return refuse(ErrorCode.CORRUPT_MESSAGE, framing.message)
    const batch = new BatchView(records, position)
    const refusal = checkEnvelope(batch, framing.sizeBytes, context)
    if (refusal !== null) return refusal
    batches.push(batch)
    position += framing.sizeBytes
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
  if (!isCrcValid(batch)) {
    return refuse(ErrorCode.CORRUPT_MESSAGE, `Record is corrupt (stored crc = ${batch.crc}) in topic partition ${partition}.`)
  }
  if (!knownCodec(batch.codec)) return refuse(ErrorCode.UNKNOWN_SERVER_ERROR, `Unknown compression type id: ${batch.codec}`)
  return null
}

function validateBatch(batch: BatchView, context: AppendContext): BatchView | Refusal {
  if (context.origin === 'client') {
    const refusal = checkClientHeader(batch, context.partition)
    if (refusal !== null) return refusal
  }
  const codec = batch.isControl ? batch.codec : targetCodec(context.config.compressionType, batch.codec)
  // What our own coordinators built is well-formed: only a client's records, or those to be packed anew, are looked into.
  if (context.origin !== 'client' && codec === batch.codec) return correctTimestamps(batch, batch.maxTimestampMs, context)
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
  const unpacked = decompressPayload(batch)
  if (unpacked.kind === 'failed') return refuse(unpacked.errorCode, unpacked.message)
  const scan = scanBatch(batch, unpacked.payload, context)
  if (scan.kind === 'malformed') {
    return refuse(scan.cause === 'varint' ? ErrorCode.UNKNOWN_SERVER_ERROR : ErrorCode.INVALID_RECORD, scan.message)
  }
  if (scan.faults.length > 0) return refuseRecords(scan.faults, context)
  const isCompressed = batch.codec !== 0 || codec !== 0
  if (isCompressed && !scan.offsetsSequential) {
    // Kafka fails here too, though by accident (UnsupportedOperationException on the key): its code is kept.
    return refuse(ErrorCode.UNKNOWN_SERVER_ERROR, `Offset deltas of the compressed batch are not sequential in topic partition ${context.partition}`)
  }
  if (codec === batch.codec) return correctTimestamps(batch, scan.maxTimestampMs, context)
  return repack(batch, unpacked.payload, codec, scan.maxTimestampMs, context)
}

/** A client may not claim the broker's time: refused where the broker's time is meant, or where there is none to fall back on. */
function checkTimestampType(batch: BatchView, context: AppendContext): Refusal | null {
  if (context.origin !== 'client' || !batch.hasLogAppendTime) return null
  if (context.config.messageTimestampType === 'CreateTime' && batch.maxTimestampMs !== -1) return null
  const message = 'Invalid timestamp type in message. Producer should not set timestamp type to LogAppendTime.'
  return { kind: 'refused', errorCode: ErrorCode.INVALID_TIMESTAMP, message, recordErrors: [{ batchIndex: 0, message }] }
}

function scanBatch(batch: BatchView, payload: Buffer, { config, origin, nowMs }: AppendContext): ScanResult {
  const isOwnPayload = batch.codec === 0
  const checksTime = origin === 'client' && config.messageTimestampType === 'CreateTime'
  return scanRecords({
    payload: isOwnPayload ? batch.buffer : payload,
    start: isOwnPayload ? batch.position + BATCH_HEADER_BYTES : 0,
    end: isOwnPayload ? batch.position + batch.sizeBytes : payload.length,
    recordCount: batch.recordCount,
    baseTimestampMs: batch.baseTimestampMs,
    keys: config.cleanupPolicy.includes('compact') ? 'required' : 'optional',
    timestampBounds: checksTime
      ? { fromMs: nowMs - config.messageTimestampBeforeMaxMs, toMs: nowMs + config.messageTimestampAfterMaxMs }
      : null,
    timestampOverrideMs: batch.hasLogAppendTime ? batch.maxTimestampMs : null,
  })
}

function refuseRecords(faults: readonly RecordFault[], { config, nowMs, partition }: AppendContext): Refusal {
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
  const { messageTimestampType } = context.config
  const time = messageTimestampType === 'LogAppendTime' ? context.nowMs : maxTimestampMs
  const isRight = batch.hasLogAppendTime === (messageTimestampType === 'LogAppendTime') && batch.maxTimestampMs === time
  if (isRight) return batch
  patchTimestamp(batch, messageTimestampType, time)
  patchCrc(batch, computeCrc(batch))
  return batch
}

/** The same records under another codec (`compression.type`): their bytes stay, so deltas and offsets do too. */
function repack(batch: BatchView, payload: Buffer, codec: number, maxTimestampMs: number, context: AppendContext): BatchView | Refusal {
  const { config, partition } = context
  const packed = compressPayload(codec, payload, config)
  const sizeBytes = BATCH_HEADER_BYTES + packed.length
  if (sizeBytes > config.maxMessageBytes) return refuseTooLarge(sizeBytes, config.maxMessageBytes, partition)
  const header = batch.buffer.subarray(batch.position, batch.position + BATCH_HEADER_BYTES)
  const repacked = new BatchView(Buffer.concat([header, packed], sizeBytes), 0)
  patchCodecAndLength(repacked, codec, sizeBytes)
  const isLogAppendTime = config.messageTimestampType === 'LogAppendTime'
  patchTimestamp(repacked, config.messageTimestampType, isLogAppendTime ? context.nowMs : maxTimestampMs)
  patchCrc(repacked, computeCrc(repacked))
  return repacked
}

function refuseTooLarge(sizeBytes: number, bytesMax: number, partition: string): Refusal {
  return refuse(ErrorCode.MESSAGE_TOO_LARGE, `The record batch size in the append to ${partition} is ${sizeBytes} bytes which exceeds the maximum configured value of ${bytesMax}.`)
}

function refuse(errorCode: number, message: string): Refusal {
  return { kind: 'refused', errorCode, message, recordErrors: [] }
}
