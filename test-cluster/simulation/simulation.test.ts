import { describeFailure } from './report.ts'
import { regressionSeeds } from './regression-seeds.ts'
import { shrink } from './shrink.ts'
import { simulate } from './simulate.ts'
import type { RunResult } from './simulate.ts'

/** As many of the first seeds as fit; `npm run sim` plays fresh ones, so that a new find is not the failure of whoever runs the tests. */
const SEEDS_SECONDS = 45
const TEST_MS_MAX = 120_000

async function expectToHold(seed: number): Promise<RunResult> {
  const result = await simulate({ seed })
  if (result.violation !== null) throw new Error(describeFailure(result, 20))
  return result
}

test('the same seed is the same run, bit for bit', async () => {
  for (const seed of [2, 33, 71]) {
    const first = await simulate({ seed })
    const second = await simulate({ seed })
    expect({ hash: second.hash, events: second.events, log: second.log }).toEqual({ hash: first.hash, events: first.events, log: first.log })
  }
}, TEST_MS_MAX)

test('other seeds are other runs', async () => {
  const hashes = new Set<number>()
  for (const seed of [4, 5, 6]) hashes.add((await simulate({ seed })).hash)
  expect(hashes.size).toBe(3)
}, TEST_MS_MAX)

test.each(regressionSeeds)('seed $seed holds, which once found $found', async ({ seed }) => {
  await expectToHold(seed)
}, TEST_MS_MAX)

test('the first seeds hold', async () => {
  const from = Number(process.env['SEED'] ?? 1)
  const untilMs = performance.now() + SEEDS_SECONDS * 1_000
  let acknowledged = 0
  for (let seed = from; performance.now() < untilMs; seed++) acknowledged += (await expectToHold(seed)).acknowledged
  expect(acknowledged).toBeGreaterThan(0)
}, TEST_MS_MAX)

test('a plan is shrunk to what it takes', async () => {
  const result = await simulate({ seed: 9 })
  const isCause = (kind: string): boolean => kind === 'write-error'
  // A failure that depends on one fault alone, as a run would report it.
  const failing = { ...result, violation: { name: 'made up', message: '', atMs: 0 } }
  const smallest = await shrink(failing, { runsMax: 60 }, async ({ seed, plan = [] }) => ({
    ...result, seed, plan, violation: plan.some(({ kind }) => isCause(kind)) ? failing.violation : null,
  }))
  expect(smallest.plan).toHaveLength(1)
  expect(isCause(smallest.plan[0]!.kind)).toBe(true)
}, TEST_MS_MAX)
