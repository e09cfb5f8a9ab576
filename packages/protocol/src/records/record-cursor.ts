/**
 * Steps over the records of a batch of magic 2 without making objects: keys, timestamps and offsets can be
 * looked
 * at while values are only skipped. Checks what Kafka's own reader checks, in its order.
 */
import {
  batchBaseOffset,
  batchBaseSequence,
  batchBaseTimestamp,
  batchMaxTimestamp,
  batchRecordCount,
  batchTimestampType,
  sequenceAfter,
} from './batch-layout.ts'
import { NO_HEADERS } from './record.ts'
import type { LogRecord, RecordHeader } from './record.ts'
import { invalid, undecodable } from './record-fault.ts'
import type { RecordFault } from './record-fault.ts'

/** Leaves `next()` by the shortest way; never gets out of this file. */
class Fault extends Error {
  readonly fault: RecordFault

  constructor(fault: RecordFault) {
    super(fault.message)
    this.fault = fault
  }
}

/** What the cursor needs to know of the batch around the records. */
export interface RecordsSource {
  /** The records, decompressed. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly count: number
  readonly compressed: boolean
  readonly baseOffset: number
  readonly baseTimestamp: number
  /** The append time that replaces every record's own timestamp, or null. */
  readonly logAppendTime: number | null
  readonly baseSequence: number
}

export function recordsSource(
  buffer: Buffer,
  at: number,
  bytes: Buffer,
  start: number,
  end: number,
): RecordsSource {
  return {
    bytes,
    start,
    end,
    count: batchRecordCount(buffer, at),
    compressed: bytes !== buffer,
    baseOffset: batchBaseOffset(buffer, at),
    baseTimestamp: batchBaseTimestamp(buffer, at),
    logAppendTime: batchTimestampType(buffer, at) === 'LogAppendTime' ? batchMaxTimestamp(buffer, at) : null,
    baseSequence: batchBaseSequence(buffer, at),
  }
}

/** `while (cursor.next()) { … }`, then look at `fault`. */
export class RecordCursor {
  /** Set when the records turned out to be damaged; `next` is false from then on. */
  fault: RecordFault | null = null
  /** Of the current record, as below. */
  offsetDelta = 0
  /** The record's own timestamp minus the batch's base. */
  timestampDelta = 0
  attributes = 0
  /** Bytes of the record including its length. */
  sizeBytes = 0
  headerCount = 0
  #keyAt = -1
  #keyEnd = -1
  #valueAt = -1
  #valueEnd = -1
  #headersAt = 0
  #at: number
  #limit: number
  #left: number
  readonly #source: RecordsSource

  constructor(source: RecordsSource) {
    this.#source = source
    this.#at = source.start
    this.#limit = source.end
    this.#left = source.count
    if (source.count < 0) this.fault = invalid(`Found invalid record count ${source.count} in magic v2 batch`)
  }

  get offset(): number {
    return this.#source.baseOffset + this.offsetDelta
  }

  get timestamp(): number {
    return this.#source.logAppendTime ?? this.#source.baseTimestamp + this.timestampDelta
  }

  get sequence(): number {
    return this.#source.baseSequence < 0 ? -1 : sequenceAfter(this.#source.baseSequence, this.offsetDelta)
  }

  get hasKey(): boolean {
    return this.#keyAt >= 0
  }

  get hasValue(): boolean {
    return this.#valueAt >= 0
  }

  /** A view, not a copy. */
  key(): Buffer | null {
    return this.#keyAt < 0 ? null : this.#source.bytes.subarray(this.#keyAt, this.#keyEnd)
  }

  /** A view, not a copy. */
  value(): Buffer | null {
    return this.#valueAt < 0 ? null : this.#source.bytes.subarray(this.#valueAt, this.#valueEnd)
  }

  headers(): readonly RecordHeader[] {
    if (this.headerCount === 0) return NO_HEADERS
    const resumeAt = this.#at
    this.#at = this.#headersAt
    const headers: RecordHeader[] = []
    for (let index = 0; index < this.headerCount; index++) headers.push(this.#header())
    this.#at = resumeAt
    return headers
  }

  /** The current record as an object. */
  record(): LogRecord {
    return {
      offset: this.offset,
      timestamp: this.timestamp,
      sequence: this.sequence,
      key: this.key(),
      value: this.value(),
      headers: this.headers(),
    }
  }

  /** Moves to the next record; false after the last, and when `fault` is set. */
  next(): boolean {
    if (this.fault !== null) return false
    if (this.#left === 0) return this.#finish()
    this.#left--
    try {
      this.#read()
      return true
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.fault = error.fault
      return false
    }
  }

  /** A batch that says it has no records is not looked into. */
  #finish(): false {
    if (this.#source.count > 0 && this.#at !== this.#source.end) {
      this.fault = invalid('Incorrect declared batch size, records still remaining in file')
    }
    return false
  }

  #read(): void {
    const { end, compressed } = this.#source
    const from = this.#at
    this.#limit = end
    const size = this.#length()
    const start = this.#at
    if (size > end - start) {
      throw new Fault(
        invalid(`Invalid record size: expected ${size} bytes in record payload, but ${end - start} remain`),
      )
    }
    // Only out of compressed data does Kafka take each record into a buffer of its own before it parses.
    if (compressed) this.#limit = start + Math.max(size, 0)
    this.#body()
    if (this.#at - start !== size) {
      throw new Fault(
        invalid(
          `Invalid record size: expected to read ${size} bytes in record payload, but instead read ${this.#at - start}`,
        ),
      )
    }
    this.sizeBytes = this.#at - from
  }

  #length(): number {
    const { bytes, compressed } = this.#source
    let value = 0
    for (let shift = 0; shift <= 28; shift += 7) {
      if (this.#at >= this.#limit)
        throw new Fault(invalid('Incorrect declared batch size, premature EOF reached'))
      const byte = bytes[this.#at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new Fault(compressed ? invalid('Incorrect declared batch size') : undecodable('Varint is too long'))
  }

  #body(): void {
    this.attributes = this.#byte()
    this.timestampDelta = this.#varlong()
    this.offsetDelta = this.#varint()
    const keyBytes = this.#varint()
    this.#keyAt = keyBytes < 0 ? -1 : this.#at
    this.#skip(keyBytes)
    this.#keyEnd = this.#at
    const valueBytes = this.#varint()
    this.#valueAt = valueBytes < 0 ? -1 : this.#at
    this.#skip(valueBytes)
    this.#valueEnd = this.#at
    this.headerCount = this.#varint()
    this.#headersAt = this.#at
    if (this.headerCount < 0)
      throw new Fault(invalid(`Found invalid number of record headers ${this.headerCount}`))
    if (this.headerCount > this.#limit - this.#at) {
      throw new Fault(
        invalid(
          `Found invalid number of record headers. ${this.headerCount} is larger than the remaining size of the buffer`,
        ),
      )
    }
    for (let index = 0; index < this.headerCount; index++) this.#skipHeader()
  }

  #skipHeader(): void {
    this.#headerKeyBytes()
    this.#skip(this.#varint())
  }

  #headerKeyBytes(): number {
    const keyBytes = this.#varint()
    if (keyBytes < 0) throw new Fault(invalid(`Invalid negative header key size ${keyBytes}`))
    this.#skip(keyBytes)
    return keyBytes
  }

  #header(): RecordHeader {
    const { bytes } = this.#source
    const keyBytes = this.#headerKeyBytes()
    const key = bytes.toString('utf8', this.#at - keyBytes, this.#at)
    const valueBytes = this.#varint()
    if (valueBytes < 0) return { key, value: null }
    this.#skip(valueBytes)
    return { key, value: bytes.subarray(this.#at - valueBytes, this.#at) }
  }

  #malformed(): never {
    throw new Fault(invalid('Found invalid record structure'))
  }

  /** Lengths below zero mean null and skip nothing. */
  #skip(size: number): void {
    if (size <= 0) return
    if (size > this.#limit - this.#at) this.#malformed()
    this.#at += size
  }

  #byte(): number {
    if (this.#at >= this.#limit) this.#malformed()
    return this.#source.bytes[this.#at++]!
  }

  #varint(): number {
    let byte = this.#byte()
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 0x7f
    for (let shift = 7; shift <= 28; shift += 7) {
      byte = this.#byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    return this.#malformed()
  }

  /** Rounded beyond 2^53, which no timestamp of this age is. */
  #varlong(): number {
    let value = 0
    let scale = 1
    for (let index = 0; index < 10; index++) {
      const byte = this.#byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      scale *= 128
    }
    return this.#malformed()
  }
}
