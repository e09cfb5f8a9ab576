/**
 * A partition moves to two nodes of which one is down, so that it does not arrive; when the other has joined, those who had it go down
 * and come back out of sync, and the administrator calls it off: all that is committed is with the one who has joined.
 */
import type { PartitionRegistration } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'
import type { Admin } from '../clients/admin.ts'
import type { Cluster } from '../cluster.ts'
import type { PlannedFault } from './fault-plan.ts'

const JOINED_MS_MAX = 4_000
const STOLEN_MS_MAX = 4_000
/** Those who had it are in sync again a few messages after they came back. */
const LOOKED_EVERY_MS = 5

/** `admin` keeps to the node that it is told. */
export async function stealFromOriginals(cluster: Cluster, admin: Admin, mayBreak: () => boolean, { dice }: PlannedFault): Promise<void> {
  const { nodeIds } = cluster
  const controller = cluster.activeController?.id
  const moves = [...cluster.image.topics.byId.values()].flatMap((topic) => topic.partitions.map((registration) => ({ topic, registration }))).filter(
    ({ registration: { replicas, addingReplicas, removingReplicas } }) =>
      replicas.length + 2 <= nodeIds.length && addingReplicas.length + removingReplicas.length === 0 && !replicas.some((id) => id === controller),
  )
  const move = moves[Math.floor(dice[0]! * moves.length)]
  if (move === undefined || !mayBreak()) return
  const { topic, registration: { replicas: originals, partition } } = move
  const where = { topic: topic.name, partition }
  // The controller is to live on, so it is the one who joins if it can be.
  const others = nodeIds.filter((id) => !originals.includes(id)).toSorted((a, b) => Number(b === controller) - Number(a === controller))
  const [joins, isDown] = others as [NodeId, NodeId]
  restart(isDown, JOINED_MS_MAX + STOLEN_MS_MAX)
  reachController()
  await admin.reassign(where, [joins, isDown])
  if (!(await becomes(JOINED_MS_MAX, ({ isr }) => isr.includes(joins)))) return
  for (const id of originals) restart(id, 100 + 600 * dice[1]!)
  if (!(await becomes(STOLEN_MS_MAX, ({ isr }) => isr.length > 0 && !isr.some((id) => originals.includes(id))))) return
  // At times the one who has joined goes as well: then nobody can take anything over from it.
  if (dice[2]! < 0.4 && joins !== controller) restart(joins, 2_000)
  reachController()
  await admin.reassign(where, null)

  function restart(id: NodeId, afterMs: number): void {
    if (!mayBreak()) return
    cluster.kill(id, 'kill')
    cluster.restartLater(id, afterMs)
  }

  function reachController(): void {
    const now = cluster.activeController
    if (now !== null) admin.keepTo(now.id)
  }

  /** False when it did not within that time, or may not any more. */
  async function becomes(withinMs: number, isSo: (now: PartitionRegistration) => boolean): Promise<boolean> {
    const untilMs = cluster.world.nowMs + withinMs
    while (cluster.world.nowMs < untilMs && !cluster.isHealing) {
      const now = cluster.image.topics.byId.get(topic.id)?.partitions[partition]
      if (now !== undefined && isSo(now)) return mayBreak()
      await admin.client.process.sleep(LOOKED_EVERY_MS)
    }
    return false
  }
}
