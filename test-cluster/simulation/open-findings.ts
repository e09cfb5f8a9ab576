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

export const openFindings: readonly OpenFinding[] = []

export function isOpen({ name }: Violation): boolean {
  return openFindings.some(({ predicate }) => predicate === name)
}
