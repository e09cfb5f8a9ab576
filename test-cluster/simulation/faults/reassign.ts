/** An administrator moves a partition to other nodes, with more or fewer replicas, changes his mind, and looks at what is under way. */
import type { PartitionRegistration } from '@kavka/controller'
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
  const isCanceled = kind === 'cancel-reassignment'
  if (!isCanceled || !isUnderWay(chosen)) {
    const target = targetOf(cluster, registration.replicas.length, dice)
    if (isLeftToDamaged(cluster, topic.name, registration, target)) return
    await admin.reassign(where, target)
  } else if (isLeftToDamaged(cluster, topic.name, registration, originalReplicas(registration))) return
  if (isCanceled) await admin.reassign(where, null)
  await admin.listReassignments()
}

/** An administrator who throws all good copies away is beyond help: what has rotted may be known to nobody yet. Who is new copies all of it first. */
function isLeftToDamaged(cluster: Cluster, topic: string, { partition, replicas }: PartitionRegistration, remaining: readonly NodeId[]): boolean {
  const { disks } = cluster.replication
  return remaining.every((id) => replicas.includes(id) && disks.mayLack(id, { topic, partition }))
}

function originalReplicas({ replicas, addingReplicas }: PartitionRegistration): NodeId[] {
  return replicas.filter((id) => !addingReplicas.includes(id))
}

/** One fewer to one more than there are. */
function targetOf({ nodeIds }: Cluster, replicaCount: number, dice: readonly number[]): NodeId[] {
  const count = Math.max(1, Math.min(nodeIds.length, replicaCount + Math.floor(dice[2]! * 4) - 1 - (dice[2]! >= 0.5 ? 1 : 0)))
  const order = (id: NodeId): number => (dice[3]! * 997 * id) % 1
  return nodeIds.toSorted((a, b) => order(a) - order(b)).slice(0, count)
}
