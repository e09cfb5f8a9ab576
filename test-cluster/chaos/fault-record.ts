import type { Reach } from './nemeses/nemesis.ts'

/** A fault that was: broken from the first blow to healing, and felt until every replica was in sync again. */
export interface FaultRecord {
  /** Under which it is counted. */
  readonly nemesis: string
  /** Of the nemeses that struck. */
  readonly names: readonly string[]
  readonly reach: Reach
  readonly description: string
  readonly fromMs: number
  readonly healedMs: number
  /** When every replica was in sync again. */
  readonly inSyncMs: number
  /** And when every partition had taken a write, as clients saw it. */
  readonly wholeMs: number
}
