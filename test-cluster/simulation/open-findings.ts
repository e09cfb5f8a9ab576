/**
 * Bugs that the simulation has found and nobody has fixed yet. Runs report them and end with code 1 as for any other; only the test
 * that plays fresh seeds looks past them, so that it still notices what is new. Take a line out with the fix, and keep its seeds.
 */
import type { Violation } from './world/world.ts'

export interface OpenFinding {
  readonly predicate: string
  readonly seeds: readonly number[]
  readonly what: string
}

export const openFindings: readonly OpenFinding[] = [
  {
    predicate: 'S2 RecoveryKeepsSynced',
    seeds: [71, 129, 193, 309],
    what: 'After kill -9 the next process trusts names that the last one made and did not sync: a power cut takes them and what was synced under them. '
      + 'With write errors in between synced records are lost under names that stay, too.',
  },
]

export function isOpen({ name }: Violation): boolean {
  return openFindings.some(({ predicate }) => predicate === name)
}
