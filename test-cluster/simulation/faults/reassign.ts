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
  const where = { topicId: topic.id, topic: topic.name, partition: registration.partition }
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

/**
 * A partition moves to two nodes of which one is down, so that it does not arrive; when the other has joined, those who had it go down,
 * and the administrator calls it off: all that is committed is with the one who has joined.
 */
export async function stealFromOriginals(cluster: Cluster, admin: Admin, mayBreak: () => boolean, { dice }: PlannedFault): Promise<void> {
  const { world, nodeIds } = cluster
  const controller = cluster.activeController?.id
  const moves = [...cluster.image.topics.byId.values()].flatMap((topic) => topic.partitions.map((registration) => ({ topic, registration }))).filter(
    ({ registration: { replicas, addingReplicas, removingReplicas } }) =>
      replicas.length + 2 <= nodeIds.length && addingReplicas.length + removingReplicas.length === 0 && !replicas.some((id) => id === controller),
  )
  const move = moves[Math.floor(dice[0]! * moves.length)]
  if (move === undefined || !mayBreak()) return
  const { topic, registration } = move
  const where = { topicId: topic.id, topic: topic.name, partition: registration.partition }
  // The controller is to live on, so it is the one who joins if it can be.
  const [joins, isDown] = nodeIds.filter((id) => !registration.replicas.includes(id)).toSorted((a, b) => Number(b === controller) - Number(a === controller))
  restart(isDown!, 6_000)
  await admin.reassign(where, [joins!, isDown!])
  world.scheduler.after(600 + 600 * dice[1]!, () => {
    for (const id of registration.replicas) restart(id, 3_000)
    // At times the one who has joined goes as well: nobody is in sync then, and it alone is eligible.
    if (dice[2]! < 0.4 && joins !== controller) world.scheduler.after(300, () => restart(joins!, 2_000))
  })
  world.scheduler.after(1_500 + 800 * dice[1]!, () => {
    if (!cluster.isHealing) void admin.reassign(where, null)
  })

  function restart(id: NodeId, afterMs: number): void {
    if (!mayBreak()) return
    cluster.kill(id, 'kill')
    cluster.restartLater(id, afterMs)
  }
}
