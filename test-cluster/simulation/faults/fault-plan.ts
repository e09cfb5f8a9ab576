/** What goes wrong in a run, drawn up beforehand: leaving out a line of the plan changes nothing else, so a failing plan can be shrunk. */
import type { Random } from '@kavka/kernel'
import type { FaultKind, SwarmOptions } from '../swarm.ts'

export interface PlannedFault {
  readonly atMs: number
  readonly kind: FaultKind
  /** Chooses targets and amounts, whatever is there when the time has come. */
  readonly dice: readonly number[]
  readonly durationMs: number
}

const DICE = 4

/** `fromMs`: when the cluster is up. */
export function planFaults(swarm: SwarmOptions, random: Random, fromMs: number): PlannedFault[] {
  const plan: PlannedFault[] = []
  for (let atMs = fromMs; atMs < fromMs + swarm.faultyMs; ) {
    atMs += swarm.faultEveryMs * (0.2 + 1.6 * random.unit())
    const kind = swarm.faultKinds[random.below(swarm.faultKinds.length)]!
    const long = random.unit() < 0.2
    const durationMs = long ? 2_000 + 8_000 * random.unit() : 50 + 1_500 * random.unit()
    plan.push({ atMs, kind, dice: Array.from({ length: DICE }, () => random.unit()), durationMs })
  }
  return plan
}

export function describeFault({ atMs, kind, durationMs }: PlannedFault): string {
  return `${atMs.toFixed(0).padStart(7)} ms ${kind} (${durationMs.toFixed(0)} ms)`
}
