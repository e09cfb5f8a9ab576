import type { ChaosCluster } from '../cluster/chaos-cluster.ts'
import type { Machine } from '../machine/machine.ts'
import { clockJump } from './clocks.ts'
import { bitFlip, fdExhaustion, fullDisk, powerLoss, powerLossAll, slowDisk, syncError, wipeDisk } from './disks.ts'
import { heldFrames } from './held-frames.ts'
import { isolateEntirely, isolateLeader, lossyLink, onePair, oneWay, ring, slowLink } from './links.ts'
import { metadataRot } from './metadata-rot.ts'
import type { Nemesis } from './nemesis.ts'
import { kill, killAll, pause, rollingRestart } from './processes.ts'

export const allNemeses: readonly Nemesis[] = [
  kill, killAll, pause, rollingRestart, isolateLeader, isolateEntirely, oneWay, onePair, ring, slowLink, lossyLink, heldFrames, fullDisk, syncError,
  slowDisk, powerLoss, powerLossAll, bitFlip, wipeDisk, metadataRot, clockJump, fdExhaustion,
]

/** Names that stand for several. */
export const nemesisGroups: ReadonlyMap<string, readonly Nemesis[]> = new Map([
  ['all', allNemeses],
  ['partition', [isolateLeader, isolateEntirely, oneWay, onePair, ring]],
  ['network', [isolateLeader, isolateEntirely, oneWay, onePair, ring, slowLink, lossyLink, heldFrames]],
  ['disk', [fullDisk, syncError, slowDisk, powerLoss, powerLossAll, bitFlip, wipeDisk, metadataRot]],
  ['power', [powerLoss, powerLossAll]],
  ['process', [kill, killAll, pause, rollingRestart]],
  ['none', []],
])

/** The nemeses that a comma-separated list of names and groups means; throws for a name that nobody has. */
export function nemesesNamed(list: string): Nemesis[] {
  const chosen = new Set<Nemesis>()
  for (const name of list.split(',').map((one) => one.trim()).filter((one) => one !== '')) {
    const one = allNemeses.find((nemesis) => nemesis.name === name)
    const group = nemesisGroups.get(name)
    if (one === undefined && group === undefined) throw new Error(`no nemesis is called ${name}; there are ${[...nemesisGroups.keys(), ...allNemeses.map((each) => each.name)].join(', ')}`)
    for (const nemesis of one === undefined ? group! : [one]) chosen.add(nemesis)
  }
  return [...chosen]
}

/** Null when it can strike here, else why not. */
export function whyNot(nemesis: Nemesis, machine: Machine, cluster: Pick<ChaosCluster, 'isManaged'>, canStop: boolean): string | null {
  if (!cluster.isManaged && nemesis.managedOnly) return 'the cluster is not ours'
  if (!cluster.isManaged && !canStop) return 'no --start-command and --stop-command were given'
  for (const need of nemesis.needs) if (machine[need] !== null) return machine[need]
  return null
}
