/** What a planted bug is. */
import type { PredicateName } from '../invariants/predicates.ts'
import type { FaultKind } from '../swarm.ts'

/** A planted bug: a patch of a line or two, applied to a temporary copy of the sources. One that no longer applies fails a test. */
export interface Patch {
  readonly file: string
  /** Occurs exactly once. */
  readonly find: string
  readonly replace: string
}

export interface Mutant extends Patch {
  readonly name: string
  /** Where something else would protect from it: that goes as well. */
  readonly also?: readonly Patch[]
  /** Shows that this predicate finds it when all others look away; absent: whichever finds it first. */
  readonly proves?: PredicateName
  /** It takes this kind of trouble: seeds without it are counted, and not played. */
  readonly takes?: FaultKind
}

export function patchesOf(mutant: Mutant): readonly Patch[] {
  return [mutant, ...(mutant.also ?? [])]
}
