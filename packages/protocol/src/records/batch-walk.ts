import { batchMagic, batchSizeBytes, LOG_OVERHEAD_BYTES } from './batch-layout.ts'
import { corrupt, undecodable } from './record-fault.ts'
import type { RecordFault } from './record-fault.ts'

/** The smallest legacy message; the stricter minimum of magic 2 is checked with the checksum. */
const RECORD_BYTES_MIN = 14
const BYTES_UP_TO_MAGIC = 17
const MAGIC_MAX = 2
const INT32_MAX = 0x7fff_ffff

/** What stands at a place in a buffer of batches. */
export type BatchStep =
  | { readonly kind: 'complete'; readonly at: number; readonly sizeBytes: number; readonly magic: number }
  /** Some bytes are left but no whole batch: the usual end of a fetch response. */
  | { readonly kind: 'truncated'; readonly at: number }
  /** The bytes cannot be a batch; nothing after them can be found. */
  | { readonly kind: 'corrupt'; readonly at: number; readonly fault: RecordFault }

/**
 * Steps from batch to batch; a truncated or corrupt end is the last value. Nothing inside the batches is
 * checked.
 */
export function* batchesIn(
  buffer: Buffer,
  from = 0,
  end = buffer.length,
): Generator<BatchStep, void, undefined> {
  for (let at = from; at < end;) {
    const step = batchStep(buffer, at, end)
    yield step
    if (step.kind !== 'complete') return
    at += step.sizeBytes
  }
}

/** The step at one place; `at` is below `end`. */
export function batchStep(buffer: Buffer, at: number, end: number): BatchStep {
  const sizeBytes = nextBatchBytes(buffer, at, end)
  if (sizeBytes > 0) return { kind: 'complete', at, sizeBytes, magic: batchMagic(buffer, at) }
  const fault = sizeBytes < 0 ? sizeFault(buffer, at) : null
  return fault === null ? { kind: 'truncated', at } : { kind: 'corrupt', at, fault }
}

/** For hot loops: the size of the complete batch at `at`, 0 when it is cut off, -1 when it cannot be one. */
export function nextBatchBytes(buffer: Buffer, at: number, end: number): number {
  const left = end - at
  if (left < LOG_OVERHEAD_BYTES) return 0
  const sizeBytes = batchSizeBytes(buffer, at)
  if (sizeBytes < RECORD_BYTES_MIN + LOG_OVERHEAD_BYTES) return -1
  if (left < BYTES_UP_TO_MAGIC) return 0
  const magic = batchMagic(buffer, at)
  if (magic < 0 || magic > MAGIC_MAX || sizeBytes > INT32_MAX) return -1
  return left < sizeBytes ? 0 : sizeBytes
}

function sizeFault(buffer: Buffer, at: number): RecordFault {
  const length = batchSizeBytes(buffer, at) - LOG_OVERHEAD_BYTES
  if (length < RECORD_BYTES_MIN) {
    return corrupt(`Record size ${length} is less than the minimum record overhead (${RECORD_BYTES_MIN})`)
  }
  const magic = batchMagic(buffer, at)
  if (magic < 0 || magic > MAGIC_MAX) return corrupt(`Invalid magic found in record: ${magic}`)
  // Kafka's arithmetic overflows here, which it reports as an unknown error.
  return undecodable(`Record size ${length} is larger than any batch can be`)
}
