/**
 * The core under a hostile world. Each seed is a quorum of its own; a failure prints how to replay it alone, with a trace:
 * `SEED=123 TRACE=1 npx jest raft.sim`. `SEEDS=50000 FROM=1` runs more.
 */
import { Simulation } from './testing/simulation.ts'

const only = process.env['SEED']
const from = Number(process.env['FROM'] ?? 1)
const count = Number(process.env['SEEDS'] ?? 250)

function runSeed(seed: number): void {
  const trace: string[] | null = process.env['TRACE'] === undefined ? null : []
  const simulation = new Simulation(seed, trace === null ? null : (line) => trace.push(line))
  try {
    simulation.run()
  } catch (error) {
    if (trace !== null) process.stderr.write(`${trace.join('\n')}\n`)
    const { message } = error as Error
    throw new Error(`SEED=${seed} ${message}\n${JSON.stringify(simulation.options)}`, { cause: error })
  }
}

test('every seed keeps the invariants in the storm and makes progress in the calm', () => {
  if (only !== undefined) return runSeed(Number(only))
  for (let seed = from; seed < from + count; seed++) runSeed(seed)
}, 3_600_000)

test('a seed always gives the same run', () => {
  const runs = [1, 2].map(() => {
    const lines: string[] = []
    const result = new Simulation(7, (line) => lines.push(line)).run()
    return { lines, result }
  })
  expect(runs[0]).toEqual(runs[1])
})
