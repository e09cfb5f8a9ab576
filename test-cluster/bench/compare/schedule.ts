import type { Side } from './clusters/compared-cluster.ts'
import type { Measurement, Phase } from './measurement.ts'
import { resultKey } from './results-file.ts'

/** Measurements of one side without a turn of the others between them, in the order in which they must come. */
export interface Pass {
  readonly round: number
  readonly side: Side
  readonly nodes: number
  /** `fresh`: a cluster that is made for this pass. `kept`: the side's warm one, which runs until the last pass that needs it. */
  readonly cluster: 'fresh' | 'kept'
  readonly measurements: readonly Measurement[]
}

const NODES = 3
const sides: readonly Side[] = ['kafka', 'kavka', 'kafka-quick-start']

/**
 * The passes of all rounds. Sides take turns, so that whatever drifts on the machine drifts for all of them; what `done` names
 * (see resultKey) is not measured again. All rounds of what wants fresh clusters come first, when nothing else runs; then those that
 * need warm ones, which a JVM takes gigabytes to become.
 */
export function schedule(measurements: readonly Measurement[], rounds: number, done: ReadonlySet<string>): Pass[] {
  const of = (...phases: Phase[]): Measurement[] => phases.flatMap((phase) => measurements.filter((one) => one.phase === phase))
  const stages = [
    { cluster: 'fresh', together: [of('start', 'fresh')] }, { cluster: 'fresh', together: of('own').map((one) => [one]) },
    { cluster: 'kept', together: [of('warm')] },
  ] as const
  return stages.flatMap(({ cluster, together }) => Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) => (
    together.flatMap((group) => sides.map((side): Pass => ({
      round, side, nodes: group[0]?.nodes ?? NODES, cluster,
      measurements: group.filter((one) => one.sides.includes(side) && !done.has(resultKey({ round, side, measurement: one.name }))),
    })))
  ))).filter((pass) => pass.measurements.length > 0)
}
