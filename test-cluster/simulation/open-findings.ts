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
    predicate: 'L1 ClusterHeals',
    seeds: [2_123_996_905],
    what: 'After kills of all nodes and a link cut one way a follower stays out of the in-sync set for a minute after everything is whole.',
  },
]

export function isOpen({ name }: Violation): boolean {
  return openFindings.some(({ predicate }) => predicate === name)
}
