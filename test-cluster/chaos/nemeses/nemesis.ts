import type { Random } from '@kavka/kernel'
import type { ChaosCluster, ChaosNode } from '../cluster/chaos-cluster.ts'
import type { Machine } from '../machine/machine.ts'
import type { ClusterView } from '../workload/cluster-view.ts'
import type { Rot } from './bit-flips.ts'

/** Where a nemesis strikes. */
export interface Stage {
  readonly cluster: ChaosCluster
  readonly view: ClusterView
  readonly random: Random
  /** Nodes that another fault has in its hands; of their links it has not. */
  readonly spared: ReadonlySet<number>
}

/** Something that is broken now. */
export interface Fault {
  /** What was done to whom, for the timeline. */
  readonly description: string
  /** Nodes of which the process ended, or may end as it should. */
  readonly mayEnd?: readonly number[]
  /** Nodes whose process, disk or clock it has in its hands. */
  readonly holds?: readonly number[]
  /** What it damaged at rest and leaves as it is: nobody need notice before somebody reads it. */
  readonly rot?: readonly Rot[]
  /** Takes it back: processes run again, links are whole. Resolves when nodes serve, not when replicas have caught up. */
  heal(): Promise<void>
}

/** What a fault may do to clients while it lasts. */
export type Reach =
  /** A majority and enough replicas stay: writes must go on. */
  | 'minority'
  /** The cluster may be down until it is healed. */
  | 'majority'

/** What it strikes, and so beside what else it can. */
export type Target =
  /** One node, of which another fault must keep its hands. */
  | 'node'
  | 'all-nodes'
  /** Links, beside anything. */
  | 'links'
  /** What must not be struck beside anything: a copy of the data is destroyed, or it needs a cluster that is whole. */
  | 'alone'

export interface Nemesis {
  readonly name: string
  /** One sentence for the list of nemeses. */
  readonly does: string
  readonly reach: Reach
  readonly target: Target
  /** What of the machine it needs. */
  readonly needs: readonly (keyof Machine)[]
  /** Only on a cluster of our own. */
  readonly managedOnly: boolean
  strike(stage: Stage): Promise<Fault>
}

/** Whether both can be broken at the same time. */
export function canOverlap(first: Nemesis, second: Nemesis): boolean {
  if (first === second || first.target === 'alone' || second.target === 'alone') return false
  return first.target === 'links' || second.target === 'links' || (first.target === 'node' && second.target === 'node')
}

export function anyNode({ cluster, random, spared }: Stage): ChaosNode {
  const free = cluster.nodes.filter(({ nodeId }) => !spared.has(nodeId))
  return free[random.below(free.length)]!
}

/** Mostly somebody who matters: the leader of some partition, or the controller's leader. */
export function someLeader(stage: Stage): ChaosNode {
  const { cluster, view, random, spared } = stage
  const leaders = view.partitions().map(({ leader }) => leader)
  const candidates = (random.below(3) === 0 ? [view.controller] : leaders).filter((nodeId) => !spared.has(nodeId))
  const chosen = candidates[random.below(Math.max(1, candidates.length))]
  return cluster.nodes.find(({ nodeId }) => nodeId === chosen) ?? anyNode(stage)
}

/** What somebody is, for descriptions: `node 2 (controller, leads 3)`. */
export function describeNode({ view }: Stage, { nodeId }: ChaosNode): string {
  const leads = view.partitions().filter(({ leader }) => leader === nodeId).length
  return `node ${nodeId} (${view.controller === nodeId ? 'controller, ' : ''}leads ${leads})`
}
