/** An administrator moves a partition to other nodes, with more or fewer replicas, changes his mind, and looks at what is under way. */
import type { NodeId } from '@kavka/protocol'
import type { Admin } from '../clients/admin.ts'
import type { Cluster } from '../cluster.ts'
import type { PlannedFault } from './fault-plan.ts'

export async function reassign(cluster: Cluster, admin: Admin, { kind, dice }: PlannedFault): Promise<void> {
  const partitions = [...cluster.image.topics.byId.values()].flatMap((topic) => topic.partitions.map((registration) => ({ topic, registration })))
  const isUnderWay = ({ registration }: (typeof partitions)[number]): boolean => registration.addingReplicas.length + registration.removingReplicas.length > 0
  const candidates = kind === 'cancel-reassignment' && partitions.some(isUnderWay) ? partitions.filter(isUnderWay) : partitions
  const chosen = candidates[Math.floor(dice[0]! * candidates.length)]
  if (chosen === undefined) return
  const { topic, registration } = chosen
  const where = { topic: topic.name, partition: registration.partition }
  if (kind === 'reassign' || !isUnderWay(chosen)) await admin.reassign(where, targetOf(cluster, registration.replicas.length, dice))
  if (kind === 'cancel-reassignment') await admin.reassign(where, null)
  await admin.listReassignments()
}

/** One fewer to one more than there are. */
function targetOf({ nodeIds }: Cluster, replicaCount: number, dice: readonly number[]): NodeId[] {
  const count = Math.max(1, Math.min(nodeIds.length, replicaCount + Math.floor(dice[2]! * 4) - 1 - (dice[2]! >= 0.5 ? 1 : 0)))
  const order = (id: NodeId): number => (dice[3]! * 997 * id) % 1
  return nodeIds.toSorted((a, b) => order(a) - order(b)).slice(0, count)
}
