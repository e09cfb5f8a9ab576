import type { Random } from '@kavka/kernel'
import type { ChaosCluster, ChaosNode } from '../cluster/chaos-cluster.ts'
import type { Machine } from '../machine/machine.ts'
import type { ClusterView } from '../workload/cluster-view.ts'

/** Where a nemesis strikes. */
export interface Stage {
  readonly cluster: ChaosCluster
  readonly view: ClusterView
  readonly random: Random
}

/** Something that is broken now. */
export interface Fault {
  /** What was done to whom, for the timeline. */
  readonly description: string
  /** Nodes of which the process ended, or may end as it should. */
  readonly mayEnd?: readonly number[]
  /** Takes it back: processes run again, links are whole. Resolves when nodes serve, not when replicas have caught up. */
  heal(): Promise<void>
}

/** What a fault may do to clients while it lasts. */
export type Reach =
  /** A majority and enough replicas stay: writes must go on. */
  | 'minority'
  /** The cluster may be down until it is healed. */
  | 'majority'

export interface Nemesis {
  readonly name: string
  /** One sentence for the list of nemeses. */
  readonly does: string
  readonly reach: Reach
  /** What of the machine it needs. */
  readonly needs: readonly (keyof Machine)[]
  /** Only on a cluster of our own. */
  readonly managedOnly: boolean
  strike(stage: Stage): Promise<Fault>
}

export function anyNode({ cluster, random }: Stage): ChaosNode {
  return cluster.nodes[random.below(cluster.nodes.length)]!
}

/** Mostly somebody who matters: the leader of some partition, or the controller's leader. */
export function someLeader(stage: Stage): ChaosNode {
  const { cluster, view, random } = stage
  const leaders = view.partitions().map(({ leader }) => leader)
  const candidates = random.below(3) === 0 ? [view.controller] : leaders
  const chosen = candidates[random.below(Math.max(1, candidates.length))]
  return cluster.nodes.find(({ nodeId }) => nodeId === chosen) ?? anyNode(stage)
}

/** What somebody is, for descriptions: `node 2 (controller, leads 3)`. */
export function describeNode({ view }: Stage, { nodeId }: ChaosNode): string {
  const leads = view.partitions().filter(({ leader }) => leader === nodeId).length
  return `node ${nodeId} (${view.controller === nodeId ? 'controller, ' : ''}leads ${leads})`
}
