/** What the produce path reads of a batch's fixed header before it is handed to the log; no record is looked at. */
import { ErrorCode } from '@kavka/protocol'

const LENGTH_AT = 8
const LENGTH_END = 12
const MAGIC_AT = 16
const ATTRIBUTES_AT = 21
const RECORDS_COUNT_AT = 57
const HEADER_BYTES = 61
/** Smallest length that any format has had; below it the length itself is damaged. */
const BATCH_LENGTH_MIN = 14
const MAGIC = 2
const CODEC_MASK = 0x07
const CODEC_ZSTD = 4
const TRANSACTIONAL_BIT = 0x10
const ZSTD_PRODUCE_VERSION_MIN = 7

export interface BatchRefusal {
  readonly errorCode: number
  readonly message: string | null
}

/** Exactly one batch of format 2 per partition; null when `records` may be appended as far as its shape goes. */
export function refusalOfBatch(records: Buffer | null, produceVersion: number): BatchRefusal | null {
  if (records === null || records.length < HEADER_BYTES) return invalid('a partition needs one whole record batch')
  const size = LENGTH_END + records.readInt32BE(LENGTH_AT)
  if (size < LENGTH_END + BATCH_LENGTH_MIN) return { errorCode: ErrorCode.CORRUPT_MESSAGE, message: 'impossible batch length' }
  if (size > records.length) return invalid('the record batch is cut off')
  if (records[MAGIC_AT] !== MAGIC) return invalid(`record format ${records[MAGIC_AT]} is not accepted, only ${MAGIC}`)
  if (size < records.length) return invalid('a partition takes one record batch a request')
  return refusalOfAttributes(records.readInt16BE(ATTRIBUTES_AT), produceVersion)
}

function refusalOfAttributes(attributes: number, produceVersion: number): BatchRefusal | null {
  if ((attributes & CODEC_MASK) === CODEC_ZSTD && produceVersion < ZSTD_PRODUCE_VERSION_MIN) {
    return { errorCode: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, message: 'zstd needs Produce 7 or later' }
  }
  // No transaction has been opened on this cluster: the batch belongs to none.
  if ((attributes & TRANSACTIONAL_BIT) !== 0) {
    return { errorCode: ErrorCode.INVALID_TXN_STATE, message: 'the transaction is not known' }
  }
  return null
}

/** As the header says; the log checks it against the records. */
export function recordsCountOf(records: Buffer): number {
  return records.length < HEADER_BYTES ? 0 : records.readInt32BE(RECORDS_COUNT_AT)
}

function invalid(message: string): BatchRefusal {
  return { errorCode: ErrorCode.INVALID_RECORD, message }
}
