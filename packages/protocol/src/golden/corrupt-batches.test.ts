import { batchesIn, batchFault, checkProduceRecords, openRecords, recordsOf } from '../index.ts'
import type { RecordFault } from '../index.ts'
import { CORRUPT_DEPARTURES } from './departures.ts'
import { goldenLines } from './load-golden.ts'

interface Outcome {
  readonly ok?: string
  readonly errorName?: string
  readonly errorCode?: number
  readonly message?: string
}

interface GoldenCorrupt {
  readonly case: string
  readonly hex: string
  readonly batches: Outcome
  readonly ensureValid: Outcome
  readonly iterate: Outcome
  readonly streamingIterate: Outcome
  readonly produceRequest: Outcome
  readonly produceRequestV6?: Outcome
}

/** A count, or the code of the first fault. */
type Verdict = { readonly ok: string } | { readonly errorCode: number }

const fault = (error: RecordFault): Verdict => ({ errorCode: error.errorCode })

/** Visits the complete batches in order until one fails or the walk itself does. */
function visit(buffer: Buffer, each: (at: number) => Verdict | number): number | Verdict {
  let sum = 0
  for (const step of batchesIn(buffer)) {
    if (step.kind === 'corrupt') return fault(step.fault)
    if (step.kind === 'truncated') return sum
    const result = each(step.at)
    if (typeof result !== 'number') return result
    sum += result
  }
  return sum
}

function verdict(result: number | Verdict, unit: string): Verdict {
  return typeof result === 'number' ? { ok: `${result} ${unit}` } : result
}

const layers: Record<string, (buffer: Buffer) => Verdict> = {
  batches: (buffer) =>
    verdict(
      visit(buffer, () => 1),
      'batch(es)',
    ),
  ensureValid: (buffer) =>
    verdict(
      visit(buffer, (at) => {
        const found = batchFault(buffer, at)
        return found === null ? 1 : fault(found)
      }),
      'valid',
    ),
  iterate: (buffer) =>
    verdict(
      visit(buffer, (at) => {
        const records = recordsOf(buffer, at)
        return records.ok ? records.value.length : fault(records.error)
      }),
      'record(s)',
    ),
  /** Kafka's streaming iterator skips values; here the cursor does, without making an object. */
  streamingIterate: (buffer) =>
    verdict(
      visit(buffer, (at) => {
        if (buffer[at + 16]! < 2) return legacyCount(buffer, at)
        const opened = openRecords(buffer, at)
        if (!opened.ok) return fault(opened.error)
        let count = 0
        while (opened.value.next()) count++
        return opened.value.fault === null ? count : fault(opened.value.fault)
      }),
      'record(s)',
    ),
  produceRequest: (buffer) => produce(buffer, 12),
  produceRequestV6: (buffer) => produce(buffer, 6),
}

function legacyCount(buffer: Buffer, at: number): Verdict | number {
  const records = recordsOf(buffer, at)
  return records.ok ? records.value.length : fault(records.error)
}

function produce(buffer: Buffer, version: number): Verdict {
  const checked = checkProduceRecords(buffer, version)
  return checked.ok ? { ok: 'accepted' } : fault(checked.error)
}

function expected(golden: GoldenCorrupt, layer: string): Verdict {
  const departure = CORRUPT_DEPARTURES.get(`${golden.case} ${layer}`)
  if (departure !== undefined) return departure.ours
  const outcome = (golden as unknown as Record<string, Outcome>)[layer]!
  return outcome.ok !== undefined ? { ok: outcome.ok } : { errorCode: outcome.errorCode! }
}

const golden = goldenLines<GoldenCorrupt>('corrupt-batches.jsonl')

test('there are 148 buffers', () => expect(golden).toHaveLength(148))

test.each(golden)('$case', (one) => {
  const buffer = Buffer.from(one.hex, 'hex')
  const stated = Object.keys(layers).filter((layer) => layer in one)
  const ours = Object.fromEntries(stated.map((layer) => [layer, layers[layer]!(buffer)]))
  expect(ours).toEqual(Object.fromEntries(stated.map((layer) => [layer, expected(one, layer)])))
})

test('checksum messages name both checksums, as Kafka does', () => {
  const stated = golden.filter((one) => one.ensureValid.message?.startsWith('Record is corrupt (stored'))
  expect(stated.length).toBeGreaterThan(5)
  for (const one of stated) {
    const buffer = Buffer.from(one.hex, 'hex')
    const faults = [...batchesIn(buffer)]
      .filter((step) => step.kind === 'complete')
      .map((step) => batchFault(buffer, step.at))
    expect(faults.find((found) => found !== null)?.message).toBe(one.ensureValid.message)
  }
})
