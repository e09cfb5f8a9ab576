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
    predicate: 'R17 LinearizableMetadata',
    seeds: [11_001_562],
    what: 'A replaced controller counts a fetch as heard when it arrives: one that a cut link delivers seconds later revives its lease for a second. '
      + 'What changes nothing is to be answered when something that was proposed after the request is committed.',
  },
]

export function isOpen({ name }: Violation): boolean {
  return openFindings.some(({ predicate }) => predicate === name)
}
