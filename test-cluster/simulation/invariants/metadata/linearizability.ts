/** Is there an order of these operations that respects real time and explains every answer? After Wing & Gong 1993 and Lowe 2017. */

export interface TimedOperation {
  readonly invokedMs: number
  /** Infinity: nobody knows what became of it; it may take effect at any time after, or never. */
  readonly answeredMs: number
  /** The state after it; null when it cannot have been answered like this in that state. */
  apply(state: string): string | null
}

export type Verdict = 'linearizable' | 'not-linearizable' | 'gave-up'

interface Step {
  /** Operations that have taken effect, a bit each. */
  readonly done: bigint
  readonly state: string
}

/** Of one register; `stepsMax` bounds the search, which many unanswered operations can make long. */
export function judgeLinearizability(operations: readonly TimedOperation[], initial: string, stepsMax: number): Verdict {
  const sorted = operations.toSorted((a, b) => a.invokedMs - b.invokedMs)
  const answered = sorted.reduce((bits, { answeredMs }, index) => (answeredMs === Infinity ? bits : bits | (1n << BigInt(index))), 0n)
  const seen = new Set<string>()
  const open: Step[] = [{ done: 0n, state: initial }]
  for (let steps = 0; open.length > 0; steps++) {
    if (steps >= stepsMax) return 'gave-up'
    const step = open.pop()!
    if ((step.done & answered) === answered) return 'linearizable'
    for (const next of successors(sorted, step)) {
      const key = `${next.done.toString(36)} ${next.state}`
      if (seen.has(key)) continue
      seen.add(key)
      open.push(next)
    }
  }
  return 'not-linearizable'
}

/** Latest first, so that the earliest is tried first. */
function successors(sorted: readonly TimedOperation[], { done, state }: Step): Step[] {
  const steps: Step[] = []
  let firstAnswerMs = Infinity
  for (const [index, operation] of sorted.entries()) {
    // Whatever comes later was asked for when one of these had already been answered.
    if (operation.invokedMs > firstAnswerMs) break
    const bit = 1n << BigInt(index)
    if ((done & bit) !== 0n) continue
    firstAnswerMs = Math.min(firstAnswerMs, operation.answeredMs)
    const after = operation.apply(state)
    // One that nobody heard of and that changes nothing may as well not have happened.
    if (after !== null && !(operation.answeredMs === Infinity && after === state)) steps.push({ done: done | bit, state: after })
  }
  return steps.toReversed()
}
