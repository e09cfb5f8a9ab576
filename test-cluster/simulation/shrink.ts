/** Makes a failing plan smaller while the same predicate still breaks (delta debugging, Zeller 2002): what is left is what it takes. */
import type { PlannedFault } from './faults/fault-plan.ts'
import { simulate } from './simulate.ts'
import type { RunOptions, RunResult } from './simulate.ts'

export interface ShrinkOptions {
  /** Runs spent at most. */
  readonly runsMax: number
}

/** The smallest failing run found; `failing` itself when nothing can be left out. */
export async function shrink(
  failing: RunResult,
  { runsMax }: ShrinkOptions,
  run: (options: RunOptions) => Promise<RunResult> = simulate,
): Promise<RunResult> {
  let smallest = failing
  const budget = { runs: runsMax }
  for (let pieces = 2; pieces <= Math.max(2, smallest.plan.length) && budget.runs > 0; ) {
    const smaller = await withoutOnePiece(smallest, pieces, (plan) => (budget.runs-- > 0 ? run({ seed: failing.seed, plan }) : null))
    if (smaller !== null) {
      smallest = smaller
      pieces = Math.max(2, pieces - 1)
    } else if (pieces >= smallest.plan.length) {
      break
    } else {
      pieces = Math.min(smallest.plan.length, pieces * 2)
    }
  }
  return smallest
}

/** `run` gives null when no more runs may be spent. */
async function withoutOnePiece(
  failing: RunResult,
  pieces: number,
  run: (plan: readonly PlannedFault[]) => Promise<RunResult> | null,
): Promise<RunResult | null> {
  const size = Math.max(1, Math.ceil(failing.plan.length / pieces))
  for (let from = 0; from < failing.plan.length; from += size) {
    const result = await run(failing.plan.filter((_, at) => at < from || at >= from + size))
    if (result === null) return null
    if (result.violation?.name === failing.violation?.name) return result
  }
  return null
}
