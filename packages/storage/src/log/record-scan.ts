/**
 * Walks the records of one uncompressed batch payload without making an object per record: checks their structure the way
 * Kafka's reader does, and gathers what a leader must know (largest timestamp, keys, offset order). Pure; a hot path.
 */

/** Structure errors past this many say nothing new; Kafka lists all, a batch may hold millions. */
const RECORD_ERRORS_MAX = 1_000

export interface ScanRequest {
  readonly payload: Buffer
  readonly start: number
  readonly end: number
  readonly recordCount: number
  readonly baseTimestampMs: number
  /** Records without a key are errors (compacted topics). */
  readonly keys: 'required' | 'optional'
  /** Records outside are errors, those at -1 excepted; null where the broker sets the time. */
  readonly timestampBounds: { readonly fromMs: number; readonly toMs: number } | null
  /** Replaces every record's own timestamp: a log-append-time batch has but one. */
  readonly timestampOverrideMs: number | null
}

export interface RecordFault {
  readonly batchIndex: number
  readonly fault: 'no-key' | 'timestamp'
  readonly timestampMs: number
}

export type ScanResult =
  | {
      readonly kind: 'well-formed'
      /** Largest record timestamp; -1 when there is none above. */
      readonly maxTimestampMs: number
      /** Offset deltas are 0, 1, 2 … */
      readonly offsetsSequential: boolean
      readonly faults: readonly RecordFault[]
    }
  | { readonly kind: 'malformed'; readonly message: string; readonly cause: 'record' | 'varint' }

/** Position of the reader below; module state because returning two numbers would allocate on every varint. Never kept over a call. */
let position = 0

class MalformedRecord extends Error {}
class OverlongVarint extends Error {}

export function scanRecords(request: ScanRequest): ScanResult {
  try {
    return scan(request)
  } catch (error) {
    if (error instanceof MalformedRecord) return { kind: 'malformed', message: error.message, cause: 'record' }
    if (error instanceof OverlongVarint) return { kind: 'malformed', message: error.message, cause: 'varint' }
    throw error
  }
}

function scan(request: ScanRequest): ScanResult {
  const { payload, end, recordCount, baseTimestampMs, timestampOverrideMs, timestampBounds } = request
  const keysRequired = request.keys === 'required'
  const faults: RecordFault[] = []
  let maxTimestampMs = -1
  let offsetsSequential = true
  position = request.start
  for (let index = 0; index < recordCount; index++) {
    if (position >= end) throw new MalformedRecord('Incorrect declared batch size, premature EOF reached')
    const length = readVarint(payload, end)
    const bodyStart = position
    if (length > end - position) {
      throw new MalformedRecord(`Invalid record size: expected ${length} bytes in record payload, but instead the buffer has only ${end - position} remaining bytes.`)
    }
    position++ // attributes: unused, any value passes
    const timestampDelta = readVarlong(payload, end)
    if (readVarint(payload, end) !== index) offsetsSequential = false
    const keyLength = readVarint(payload, end)
    if (keyLength > 0) skip(keyLength, end)
    const valueLength = readVarint(payload, end)
    if (valueLength > 0) skip(valueLength, end)
    skipHeaders(payload, end)
    if (position - bodyStart !== length) {
      throw new MalformedRecord(`Invalid record size: expected to read ${length} bytes in record payload, but instead read ${position - bodyStart}`)
    }
    const timestampMs = timestampOverrideMs ?? baseTimestampMs + timestampDelta
    if (timestampMs > maxTimestampMs) maxTimestampMs = timestampMs
    if (keysRequired && keyLength < 0) addFault(faults, { batchIndex: index, fault: 'no-key', timestampMs })
    else if (timestampBounds !== null && timestampMs !== -1 && (timestampMs < timestampBounds.fromMs || timestampMs > timestampBounds.toMs)) {
      addFault(faults, { batchIndex: index, fault: 'timestamp', timestampMs })
    }
  }
  if (position !== end) throw new MalformedRecord('Incorrect declared batch size, records still remaining in file')
  return { kind: 'well-formed', maxTimestampMs, offsetsSequential, faults }
}

function skipHeaders(payload: Buffer, end: number): void {
  const count = readVarint(payload, end)
  if (count === 0) return
  if (count < 0) throw new MalformedRecord(`Found invalid number of record headers ${count}`)
  if (count > end - position) {
    throw new MalformedRecord(`Found invalid number of record headers. ${count} is larger than the remaining size of the buffer`)
  }
  for (let i = 0; i < count; i++) {
    const keyLength = readVarint(payload, end)
    if (keyLength < 0) throw new MalformedRecord(`Invalid negative header key size ${keyLength}`)
    skip(keyLength, end)
    const valueLength = readVarint(payload, end)
    if (valueLength > 0) skip(valueLength, end)
  }
}

function skip(length: number, end: number): void {
  position += length
  if (position > end) throw new MalformedRecord('Found invalid record structure')
}

function addFault(faults: RecordFault[], fault: RecordFault): void {
  if (faults.length < RECORD_ERRORS_MAX) faults.push(fault)
}

/** Zigzag varint of at most 5 bytes (golden: high bits of an overlong 5th byte are lost, a 6th byte is an error). */
function readVarint(payload: Buffer, end: number): number {
  let byte = payload[position]!
  if (byte < 0x80 && position < end) {
    position++
    return (byte >>> 1) ^ -(byte & 1)
  }
  let value = 0
  for (let shift = 0; shift <= 28; shift += 7) {
    if (position >= end) throw new MalformedRecord('Found invalid record structure')
    byte = payload[position++]!
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
  }
  throw new OverlongVarint('Varint is too long, the most significant bit in the 5th byte is set')
}

/** Zigzag varint of at most 10 bytes; exact within ±2^53. */
function readVarlong(payload: Buffer, end: number): number {
  if (position >= end) throw new MalformedRecord('Found invalid record structure')
  let byte = payload[position++]!
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
  const isNegative = (byte & 1) === 1
  let value = (byte & 0x7f) >>> 1
  let factor = 64
  for (let length = 2; length <= 10; length++) {
    if (position >= end) throw new MalformedRecord('Found invalid record structure')
    byte = payload[position++]!
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return isNegative ? -value - 1 : value
    factor *= 128
  }
  throw new MalformedRecord('Varlong is too long')
}
