import type { Side } from './clusters/compared-cluster.ts'
import type { Measurement, Phase } from './measurement.ts'
import { resultKey } from './results-file.ts'

/** Measurements that one cluster of one side serves, in the order in which they must come. */
export interface Pass {
  readonly round: number
  readonly side: Side
  readonly nodes: number
  readonly measurements: readonly Measurement[]
}

const NODES = 3
const phases: readonly Phase[] = ['start', 'fresh', 'warm', 'last', 'own']
const sides: readonly Side[] = ['kafka', 'kavka', 'kafka-quick-start']

/**
 * The passes of all rounds. Sides take turns, so that whatever drifts on the machine drifts for all of them; what `done` names
 * (see resultKey) is not measured again.
 */
export function schedule(measurements: readonly Measurement[], rounds: number, done: ReadonlySet<string>): Pass[] {
  const inOrder = phases.flatMap((phase) => measurements.filter((one) => one.phase === phase))
  const shared = inOrder.filter(({ phase }) => phase !== 'own')
  const alone = inOrder.filter(({ phase }) => phase === 'own')
  return Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) => (
    [shared, ...alone.map((one) => [one])].flatMap((together) => sides.map((side): Pass => ({
      round, side, nodes: together[0]?.nodes ?? NODES,
      measurements: together.filter((one) => one.sides.includes(side) && !done.has(resultKey({ round, side, measurement: one.name }))),
    })))
  )).filter((pass) => pass.measurements.length > 0)
}
