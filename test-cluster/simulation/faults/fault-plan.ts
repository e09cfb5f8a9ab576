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
const STORM_MS_MIN = 2_000
const STORM_MS_MAX = 10_000

/** `fromMs`: when the cluster is up. */
export function planFaults(swarm: SwarmOptions, random: Random, fromMs: number): PlannedFault[] {
  const plan: PlannedFault[] = []
  let stormEndMs = fromMs + stormMs(swarm, random)
  for (let atMs = fromMs; atMs < fromMs + swarm.faultyMs; ) {
    atMs += swarm.faultEveryMs * (0.2 + 1.6 * random.unit())
    if (atMs > stormEndMs) {
      atMs += swarm.tempo.restMsMax * random.unit()
      stormEndMs = atMs + stormMs(swarm, random)
    }
    const kind = swarm.faultKinds[random.below(swarm.faultKinds.length)]!
    const long = random.unit() < 0.2
    const durationMs = long ? 2_000 + 8_000 * random.unit() : 50 + 1_500 * random.unit()
    plan.push({ atMs, kind, dice: Array.from({ length: DICE }, () => random.unit()), durationMs })
  }
  return plan
}

/** No dice where it does not rest, so that intense runs are what they were before others existed. */
function stormMs({ tempo }: SwarmOptions, random: Random): number {
  return tempo.restMsMax === 0 ? Infinity : STORM_MS_MIN + (STORM_MS_MAX - STORM_MS_MIN) * random.unit()
}

export function describeFault({ atMs, kind, durationMs }: PlannedFault): string {
  return `${atMs.toFixed(0).padStart(7)} ms ${kind} (${durationMs.toFixed(0)} ms)`
}
