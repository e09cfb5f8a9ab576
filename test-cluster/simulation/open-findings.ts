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
    predicate: 'P11 EpochEndTold',
    seeds: [2_135_863_984, 2_135_865_150],
    what: 'After DeleteRecords and a kill the log start falls back, as its checkpoint is a minute old, but the epochs before it are gone from theirs.',
  },
  {
    predicate: 'P9 AckRule',
    seeds: [2_135_865_325],
    what: 'An acknowledgment was on its way through a clogged link while the metadata store of its sender was damaged and thrown away.',
  },
]

export function isOpen({ name }: Violation): boolean {
  return openFindings.some(({ predicate }) => predicate === name)
}
