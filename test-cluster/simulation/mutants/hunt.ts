/** Runs the simulation on each planted bug until a checker complains, and makes sure that it is the bug that it complains about. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { simulate } from '../simulate.ts'
import type { Mutant } from './mutant.ts'
import { mutants } from './mutants.ts'
import { SourceTree } from './source-tree.ts'

export interface HuntOptions {
  /** Parts of names, with bars between them; null: all. */
  readonly only: string | null
  /** Bounds of the search for each. */
  readonly seedsMax: number
  readonly secondsMax: number
  readonly from: number
  readonly report: (line: string) => void
}

export type HuntResult =
  | { readonly kind: 'found'; readonly mutant: string; readonly seeds: number; readonly predicate: string }
  | { readonly kind: 'not-found'; readonly mutant: string; readonly seeds: number }

/** Short-lived memory by the million: a larger nursery is emptied less often. */
const NURSERY = ['--max-semi-space-size=32']

interface Search {
  readonly from: number
  readonly seeds: number
  readonly seconds: number
}

interface Failure {
  readonly seed: number
  readonly predicate: string
}

export async function hunt(options: HuntOptions): Promise<HuntResult[]> {
  const tree = new SourceTree()
  const results: HuntResult[] = []
  try {
    for (const mutant of mutants.filter(({ name }) => isMeant(name, options.only))) {
      const result = await tree.with(mutant, () => huntOne(mutant, tree, options))
      results.push(result)
      options.report(`${result.kind === 'found' ? `found after ${result.seeds} seeds by ${result.predicate}` : `NOT FOUND in ${result.seeds} seeds`}: ${mutant.name}`)
    }
  } finally {
    tree.remove()
  }
  options.report(`${results.filter(({ kind }) => kind === 'found').length} of ${results.length} planted bugs found`)
  return results
}

function isMeant(name: string, only: string | null): boolean {
  return only === null || only.split('|').some((part) => name.includes(part))
}

async function huntOne(mutant: Mutant, tree: SourceTree, { seedsMax, secondsMax, from }: HuntOptions): Promise<HuntResult> {
  const untilMs = performance.now() + secondsMax * 1_000
  let seed = from
  while (seed < from + seedsMax && performance.now() < untilMs) {
    const outcome = await firstFailure(tree, mutant, { from: seed, seeds: from + seedsMax - seed, seconds: Math.max(1, (untilMs - performance.now()) / 1_000) })
    if (outcome.failure === null) return { kind: 'not-found', mutant: mutant.name, seeds: seed + outcome.seeds - from }
    // A seed that also fails without the patch has found something else.
    const unpatched = await simulate({ seed: outcome.failure.seed })
    if (unpatched.violation === null) {
      return { kind: 'found', mutant: mutant.name, seeds: outcome.failure.seed - from + 1, predicate: outcome.failure.predicate }
    }
    seed = outcome.failure.seed + 1
  }
  return { kind: 'not-found', mutant: mutant.name, seeds: seed - from }
}

/** In a process of its own, from the patched sources. */
function firstFailure(tree: SourceTree, { proves, takes }: Mutant, { from, seeds, seconds }: Search): Promise<{ failure: Failure | null; seeds: number }> {
  const program = join(tree.root, 'test-cluster', 'simulation', 'mutants', 'first-failure.ts')
  // Between two hunts only the patched file has changed: nothing else needs to be compiled again.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tree.root, 'compiled') }
  const child = spawn(process.execPath, ['--conditions=@kavka/source', ...NURSERY, program, String(from), String(seeds), String(seconds), proves ?? '-', takes ?? '-'], { cwd: tree.root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let complaints = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('close', () => {
      const found = /^SEED=(\d+) (.*)$/m.exec(output)
      const held = /^HELD (\d+)$/m.exec(output)
      if (found !== null) resolve({ failure: { seed: Number(found[1]), predicate: found[2]! }, seeds: Number(found[1]) - from + 1 })
      else if (held !== null) resolve({ failure: null, seeds: Number(held[1]) })
      else reject(new Error(`the patched sources do not run: ${complaints.slice(0, 1_000)}`))
    })
  })
}
