/**
 * Who leads is cut off from all other nodes, but not from clients, for longer than the others wait for it: it is replaced, and does not
 * know. What it still tells clients must be true.
 */
import { coordinatorPartitionFor } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { KEPT_GROUP } from '../clients/offset-keeper.ts'
import type { Cluster } from '../cluster.ts'
import type { PlannedFault } from './fault-plan.ts'

const BEYOND_SESSION_MS_MAX = 5_000

/** The links to block, both ways, and for how long. */
export function linksOfReplaced(cluster: Cluster, { dice }: PlannedFault): { links: [number, number][]; durationMs: number } {
  const id = dice[2]! < 0.5 ? cluster.activeController?.id : keptGroupsCoordinator(cluster)
  const others = id === undefined ? [] : cluster.nodeIds.filter((other) => other !== id)
  const links = others.flatMap((other) => [[id!, other], [other, id!]] as [number, number][])
  return { links, durationMs: cluster.swarm.sessionTimeoutMs + dice[3]! * BEYOND_SESSION_MS_MAX }
}

function keptGroupsCoordinator({ image }: Cluster): NodeId | undefined {
  const partitions = image.topics.byName.get('__consumer_offsets')?.partitions ?? []
  return partitions[coordinatorPartitionFor(KEPT_GROUP, Math.max(1, partitions.length))]?.leader ?? undefined
}
