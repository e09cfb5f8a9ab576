import type { Decision, DecisionContext } from '../metadata/decision.ts'

/** What became of an operation that was not committed: certainly nothing, or nobody can say. */
export type OperationFate = 'not-done' | 'unknown'

/** One unit of the controller's work: a request, or a duty of its own. */
export interface Operation {
  /** For logs. */
  readonly name: string
  decide(context: DecisionContext): Decision<unknown>
  /** All that the decision saw and all its records are committed. */
  completed(response: unknown): void
  dropped(fate: OperationFate): void
}
