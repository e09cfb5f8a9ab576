import { batchBaseOffset, batchesIn, batchLastOffset, buildBatch, recordsOf, verifyBatchCrc } from '@kavka/protocol'

const WRITERS_MAX = 1000
const VALUE_BYTES = 100

/** Values unique in a history: a number that tells who wrote it and as what number. */
export function valueOf(writer: number, index: number): number {
  if (writer >= WRITERS_MAX) throw new Error('too many writers')
  return index * WRITERS_MAX + writer
}

export interface SequencedProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

/** Null: no producer id. */
export function batchOf(values: readonly number[], producer: SequencedProducer | null): Buffer {
  const timestamp = Date.now()
  const records = values.map((value) => ({ timestamp, key: null, value: Buffer.from(String(value).padEnd(VALUE_BYTES, '.')) }))
  return buildBatch(records, producer ?? {})
}

export interface Decoded {
  readonly offsets: readonly number[]
  readonly values: readonly number[]
  /** Where to read on; null: there was no whole batch. */
  readonly next: number | null
  /** Why the rest could not be read: bytes of which the checksum or form is wrong. */
  readonly corrupt: string | null
}

/** Records from `from` on in what a fetch returned, which may begin before it and end in the middle of a batch. */
export function decodeFetched(bytes: Buffer, from: number): Decoded {
  const offsets: number[] = []
  const values: number[] = []
  let next: number | null = null
  for (const step of batchesIn(bytes)) {
    if (step.kind === 'truncated') break
    const decoded = step.kind === 'complete' && verifyBatchCrc(bytes, step.at) ? recordsOf(bytes, step.at) : null
    if (decoded === null || !decoded.ok) return { offsets, values, next, corrupt: `bad bytes served at ${batchBaseOffset(bytes, step.at)}` }
    for (const record of decoded.value) {
      if (record.offset < from) continue
      offsets.push(record.offset)
      values.push(Number.parseInt(record.value?.toString() ?? 'NaN', 10))
    }
    next = batchLastOffset(bytes, step.at) + 1
  }
  return { offsets, values, next, corrupt: null }
}
