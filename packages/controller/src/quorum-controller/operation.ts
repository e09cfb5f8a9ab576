import type { Decision, DecisionContext } from '../metadata/decision.ts'

/** What became of an operation that was not committed: certainly nothing, or nobody can say. */
export type OperationFate = 'not-done' | 'unknown'

/**
 * What must be known before an answer is told that changes nothing, since another may lead by now and may have changed what it says.
 * `commit`: something that was proposed after the operation came is committed, so this leader was the leader until then (Ongaro 2014,
 * §6.4). `lease`: the voters were heard a moment ago; a fetch that the network held back can make that untrue for a while.
 */
export type Assurance = 'commit' | 'lease'

/** One unit of the controller's work: a request, or a duty of its own. */
export interface Operation {
  /** For logs. */
  readonly name: string
  readonly assurance: Assurance
  decide(context: DecisionContext): Decision<unknown>
  /** All that the decision saw and all its records are committed. */
  completed(response: unknown): void
  dropped(fate: OperationFate): void
}
