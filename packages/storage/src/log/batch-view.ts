/**
 * The fields of a record batch that the log itself reads and patches, by position in a larger buffer and without an object
 * per field. What lies inside the batch is `@kavka/protocol`'s.
 */
import { readInt64, writeInt64 } from './int64.ts'

/** Base offset and length: what precedes the part that `batchLength` counts. */
export const LOG_OVERHEAD_BYTES = 12
export const BATCH_HEADER_BYTES = 61
/** Below this a length cannot be that of any format (Kafka's LegacyRecord overhead). */
export const RECORD_OVERHEAD_BYTES_MIN = 14
export const MAGIC_POSITION = 16
const HEADER_UP_TO_MAGIC_BYTES = 17

const LENGTH_POSITION = 8
const LEADER_EPOCH_POSITION = 12
export const CRC_POSITION = 17
export const ATTRIBUTES_POSITION = 21
const LAST_OFFSET_DELTA_POSITION = 23
const BASE_TIMESTAMP_POSITION = 27
const MAX_TIMESTAMP_POSITION = 35
const PRODUCER_ID_POSITION = 43
const PRODUCER_EPOCH_POSITION = 51
const BASE_SEQUENCE_POSITION = 53
const RECORD_COUNT_POSITION = 57

const CODEC_MASK = 0x07
const LOG_APPEND_TIME_BIT = 0x08
const TRANSACTIONAL_BIT = 0x10
const CONTROL_BIT = 0x20

/** One batch of format 2; every getter reads the bytes, so a patched batch shows its new fields. */
export class BatchView {
  readonly buffer: Buffer
  /** Of the batch's first byte in `buffer`. */
  readonly position: number

  constructor(buffer: Buffer, position: number) {
    this.buffer = buffer
    this.position = position
  }

  get baseOffset(): number {
    return readInt64(this.buffer, this.position)
  }

  get sizeBytes(): number {
    return this.buffer.readInt32BE(this.position + LENGTH_POSITION) + LOG_OVERHEAD_BYTES
  }

  get leaderEpoch(): number {
    return this.buffer.readInt32BE(this.position + LEADER_EPOCH_POSITION)
  }

  get magic(): number {
    return this.buffer.readInt8(this.position + MAGIC_POSITION)
  }

  get crc(): number {
    return this.buffer.readUInt32BE(this.position + CRC_POSITION)
  }

  get attributes(): number {
    return this.buffer.readInt16BE(this.position + ATTRIBUTES_POSITION)
  }

  get codec(): number {
    return this.attributes & CODEC_MASK
  }

  get hasLogAppendTime(): boolean {
    return (this.attributes & LOG_APPEND_TIME_BIT) !== 0
  }

  get isTransactional(): boolean {
    return (this.attributes & TRANSACTIONAL_BIT) !== 0
  }

  get isControl(): boolean {
    return (this.attributes & CONTROL_BIT) !== 0
  }

  get lastOffsetDelta(): number {
    return this.buffer.readInt32BE(this.position + LAST_OFFSET_DELTA_POSITION)
  }

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }

  get baseTimestampMs(): number {
    return readInt64(this.buffer, this.position + BASE_TIMESTAMP_POSITION)
  }

  get maxTimestampMs(): number {
    return readInt64(this.buffer, this.position + MAX_TIMESTAMP_POSITION)
  }

  get producerId(): number {
    return readInt64(this.buffer, this.position + PRODUCER_ID_POSITION)
  }

  get producerEpoch(): number {
    return this.buffer.readInt16BE(this.position + PRODUCER_EPOCH_POSITION)
  }

  get baseSequence(): number {
    return this.buffer.readInt32BE(this.position + BASE_SEQUENCE_POSITION)
  }

  get recordCount(): number {
    return this.buffer.readInt32BE(this.position + RECORD_COUNT_POSITION)
  }

  /** The batch as a view of its own. */
  get bytes(): Buffer {
    return this.buffer.subarray(this.position, this.position + this.sizeBytes)
  }
}

export type Framing =
  | { readonly kind: 'batch'; readonly sizeBytes: number }
  /** The bytes end before the batch does. */
  | { readonly kind: 'partial'; readonly sizeBytes: number | null }
  | { readonly kind: 'corrupt'; readonly message: string }

const PARTIAL_HEADER: Framing = { kind: 'partial', sizeBytes: null }

/** What starts at `position`, judged by length and magic alone. `sizeBytes` of a partial batch is null when not even that can be read. */
export function frameAt(buffer: Buffer, position: number, end: number): Framing {
  if (end - position < HEADER_UP_TO_MAGIC_BYTES) {
    if (end - position < LOG_OVERHEAD_BYTES) return PARTIAL_HEADER
    const problem = lengthProblem(buffer, position)
    return problem === null ? PARTIAL_HEADER : { kind: 'corrupt', message: problem }
  }
  const problem = lengthProblem(buffer, position)
  if (problem !== null) return { kind: 'corrupt', message: problem }
  const magic = buffer.readInt8(position + MAGIC_POSITION)
  if (magic < 0 || magic > 2) return { kind: 'corrupt', message: `Invalid magic found in record: ${magic}` }
  const sizeBytes = buffer.readInt32BE(position + LENGTH_POSITION) + LOG_OVERHEAD_BYTES
  return position + sizeBytes > end ? { kind: 'partial', sizeBytes } : { kind: 'batch', sizeBytes }
}

function lengthProblem(buffer: Buffer, position: number): string | null {
  const length = buffer.readInt32BE(position + LENGTH_POSITION)
  return length < RECORD_OVERHEAD_BYTES_MIN ? `Record size ${length} is less than the minimum record overhead (${RECORD_OVERHEAD_BYTES_MIN})` : null
}

/** Not covered by the checksum: a leader writes both into every batch. */
export function patchBaseOffsetAndLeaderEpoch(batch: BatchView, baseOffset: number, leaderEpoch: number): void {
  writeInt64(batch.buffer, baseOffset, batch.position)
  batch.buffer.writeInt32BE(leaderEpoch, batch.position + LEADER_EPOCH_POSITION)
}

/** Sets the time type and the largest timestamp; the checksum must be computed anew. Attribute bits without a meaning are cleared, as Kafka does. */
export function patchTimestamp(batch: BatchView, type: 'CreateTime' | 'LogAppendTime', maxTimestampMs: number): void {
  const attributes = batch.attributes & KNOWN_ATTRIBUTES & ~LOG_APPEND_TIME_BIT
  batch.buffer.writeInt16BE(type === 'LogAppendTime' ? attributes | LOG_APPEND_TIME_BIT : attributes, batch.position + ATTRIBUTES_POSITION)
  writeInt64(batch.buffer, maxTimestampMs, batch.position + MAX_TIMESTAMP_POSITION)
}

const KNOWN_ATTRIBUTES = 0x7f

/** For a batch whose payload was replaced. */
export function patchCodecAndLength(batch: BatchView, codec: number, sizeBytes: number): void {
  batch.buffer.writeInt16BE((batch.attributes & KNOWN_ATTRIBUTES & ~CODEC_MASK) | codec, batch.position + ATTRIBUTES_POSITION)
  batch.buffer.writeInt32BE(sizeBytes - LOG_OVERHEAD_BYTES, batch.position + LENGTH_POSITION)
}

export function patchCrc(batch: BatchView, crc: number): void {
  batch.buffer.writeUInt32BE(crc, batch.position + CRC_POSITION)
}
