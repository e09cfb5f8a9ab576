/** Record batches as tests write and read them: values as text. */
import { systemScheduler } from '@kavka/kernel'
import { batchesIn, buildBatch, recordsOf } from '@kavka/protocol'

/** One batch with a record for each value. */
export function batchOf(...values: string[]): Buffer {
  return buildBatch(values.map((value) => ({ timestamp: systemScheduler.wallMs(), key: null, value: Buffer.from(value), headers: [] })))
}

/** The values of all whole batches, in order. */
export function valuesIn(records: Buffer | null): string[] {
  if (records === null) return []
  const values: string[] = []
  for (const step of batchesIn(records)) {
    if (step.kind !== 'complete') break
    const read = recordsOf(records, step.at)
    if (!read.ok) throw new Error(JSON.stringify(read.error))
    values.push(...read.value.map(({ value }) => String(value)))
  }
  return values
}
