/**
 * npm run sim -- [--seconds N | --hours N | --seeds N] [--from S] [--workers N] [--nightly]
 *   fresh seeds, on all cores; --nightly: a rare path that nobody reached fails too
 * npm run sim -- --seed S [--no-shrink]
 *   one seed, its failure shrunk
 * npm run sim -- --mutants [--only NAME] [--seeds N] [--seconds N]
 *   planted bugs; bounds are for each
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { hunt } from './mutants/hunt.ts'
import { isOpen } from './open-findings.ts'
import { describeFailure, Tally } from './report.ts'
import { shrink } from './shrink.ts'
import { simulate } from './simulate.ts'
import { playSeeds } from './workers/seed-pool.ts'

const SHRINK_RUNS_MAX = 150
const LOG_LINES = 40
const DEFAULT_SECONDS = 60
const MUTANT_SEEDS_MAX = 10_000
const MUTANT_SECONDS_MAX = 60

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' }, hours: { type: 'string' }, seeds: { type: 'string' }, seed: { type: 'string' }, from: { type: 'string' },
    workers: { type: 'string' },
    mutants: { type: 'boolean' }, only: { type: 'string' }, nightly: { type: 'boolean' }, 'no-shrink': { type: 'boolean' }, quiet: { type: 'boolean' },
  },
})

if (values.mutants === true) process.exitCode = await findMutants()
else if (values.seed !== undefined) process.exitCode = await replay(Number(values.seed))
else process.exitCode = await runFresh()

async function replay(seed: number): Promise<number> {
  const result = await simulate({ seed })
  const again = await simulate({ seed })
  if (again.hash !== result.hash) console.log(`SEED=${seed} does not replay: ${result.hash} and ${again.hash}`)
  if (result.violation === null) {
    console.log(`SEED=${seed} holds: ${result.events} events, ${(result.simulatedMs / 1_000).toFixed(1)} s, hash ${result.hash}`)
    return again.hash === result.hash ? 0 : 1
  }
  const smallest = values['no-shrink'] === true ? result : await shrink(result, { runsMax: SHRINK_RUNS_MAX })
  console.log(describeFailure(smallest, LOG_LINES))
  return 1
}

async function runFresh(): Promise<number> {
  const bySeeds = values.seeds === undefined ? DEFAULT_SECONDS : Infinity
  const seconds = values.hours === undefined ? Number(values.seconds ?? bySeeds) : Number(values.hours) * 3_600
  const seedsMax = Number(values.seeds ?? Infinity)
  const from = Number(values.from ?? Date.now() % 2 ** 31)
  const workers = Number(values.workers ?? availableParallelism())
  const tally = new Tally({ workers })
  const failed: number[] = []
  await playSeeds({ workers, from, seedsMax, seconds }, {
    played: (result) => {
      tally.add(result)
      if (result.violation === null) return
      failed.push(result.seed)
      if (isOpen(result.violation)) console.log(`SEED=${result.seed} is of a kind that is known and open`)
      console.log(values.quiet === true ? `SEED=${result.seed} ${result.violation.name}` : describeFailure(result, 5))
    },
    lost: (seed, problem) => {
      failed.push(seed)
      console.log(`SEED=${seed} did not end: ${problem}`)
    },
  })
  console.log([`seeds from ${from}`, ...tally.lines(), `violations: ${failed.length === 0 ? 'none' : failed.join(', ')}`].join('\n'))
  return failed.length > 0 || (values.nightly === true && tally.unreached.length + tally.unjudged.length > 0) ? 1 : 0
}

async function findMutants(): Promise<number> {
  const found = await hunt({
    only: values.only ?? null,
    seedsMax: Number(values.seeds ?? MUTANT_SEEDS_MAX),
    secondsMax: Number(values.seconds ?? MUTANT_SECONDS_MAX),
    from: Number(values.from ?? 1),
    report: (line) => console.log(line),
  })
  return found.every(({ kind }) => kind === 'found') ? 0 : 1
}
