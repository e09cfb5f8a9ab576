/** Damaged batches end in values: whatever the bytes, no layer throws. `SEED=…` repeats a run. */
import { seededRandom } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'
import { batchesIn, batchFault, checkProduceRecords, recordsOf } from '../index.ts'
import { goldenLines } from './load-golden.ts'

const SEED = Number(process.env['SEED'] ?? 20_261_121)
const MUTATIONS_A_BUFFER = 150
const BYTES_MAX = 4096

function mutate(bytes: Buffer, random: Random): void {
  for (let change = random.below(4); change >= 0; change--) {
    // Half of the changes hit the first header, where the dangerous numbers stand.
    const at = random.below(random.unit() < 0.5 ? Math.min(64, bytes.length) : bytes.length)
    bytes[at] = random.below(256)
  }
}

function readEverything(bytes: Buffer): { complete: number; readable: number } {
  let complete = 0
  let readable = 0
  for (const step of batchesIn(bytes)) {
    if (step.kind !== 'complete') break
    complete++
    batchFault(bytes, step.at)
    const records = recordsOf(bytes, step.at, { decompressedBytesMax: 1_000_000 })
    if (records.ok) readable++
  }
  return { complete, readable }
}

test(`mutated batches never throw (SEED=${SEED})`, () => {
  const random = seededRandom(SEED)
  const totals = { complete: 0, readable: 0 }
  for (const { hex } of goldenLines<{ hex: string }>('record-batches.jsonl')) {
    const original = Buffer.from(hex, 'hex')
    if (original.length === 0 || original.length > BYTES_MAX) continue
    for (let round = 0; round < MUTATIONS_A_BUFFER; round++) {
      const bytes = Buffer.from(original)
      mutate(bytes, random)
      checkProduceRecords(bytes, round % 14)
      const { complete, readable } = readEverything(bytes)
      totals.complete += complete
      totals.readable += readable
    }
  }
  expect(totals.complete).toBeGreaterThan(1000)
  expect(totals.readable).toBeGreaterThan(500)
  expect(totals.readable).toBeLessThan(totals.complete)
})
