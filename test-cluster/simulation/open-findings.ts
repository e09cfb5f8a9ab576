/**
 * Bugs that the simulation has found and nobody has fixed yet. Runs report them and end with code 1 as for any other, and say
 * that they are known. Take a line out with the fix, and keep its seeds.
 */
import type { Violation } from './world/world.ts'

export interface OpenFinding {
  readonly predicate: string
  readonly seeds: readonly number[]
  readonly what: string
}

export const openFindings: readonly OpenFinding[] = [
  {
    predicate: 'P13 OffsetDensity',
    seeds: [2_145_879_183],
    what: 'A disk that loses what it synced takes the last batch of a sealed segment that no index entry names: the gap passes for one of a compaction.',
  },
  {
    predicate: 'C7 UncleanExclusion',
    seeds: [20_665],
    what: 'A false alarm as far as is seen: power goes between the mark of a clean shutdown and the end of the stop, and the check knows stops that ended only.',
  },
]

export function isOpen({ name }: Violation): boolean {
  return openFindings.some(({ predicate }) => predicate === name)
}
