/** A leader's proposal to take a follower back is held on its way, and arrives when the follower is in its next life. */
import type { NodeId } from '@kavka/protocol'
import type { Cluster } from '../cluster.ts'
import type { PlannedFault } from './fault-plan.ts'

const RESTART_MS = 100
const HELD_MS = 4_000

export function overtakeProposal(cluster: Cluster, mayBreak: () => boolean, { dice }: PlannedFault): void {
  const controller = cluster.activeController?.id
  const partitions = [...cluster.image.topics.byId.values()].flatMap((topic) => topic.partitions)
    .filter(({ leader, replicas }) => leader !== null && leader !== controller && replicas.length > 1)
  const partition = partitions[Math.floor(dice[0]! * partitions.length)]
  if (partition === undefined || controller === undefined) return
  const leader = partition.leader!
  const followers = partition.replicas.filter((id) => id !== leader && id !== controller)
  const follower = followers[Math.floor(dice[1]! * followers.length)]
  if (follower === undefined) return
  const { scheduler } = cluster.world
  restart(follower)
  scheduler.after(200 + 1_500 * dice[2]!, () => hold(leader, controller))
  scheduler.after(900 + 2_500 * dice[3]!, () => restart(follower))

  function restart(id: NodeId): void {
    if (!mayBreak()) return
    cluster.kill(id, 'kill')
    cluster.restartLater(id, RESTART_MS)
  }

  function hold(from: NodeId, to: NodeId): void {
    if (!mayBreak()) return
    cluster.network.block(from, to, 'clogged')
    scheduler.after(HELD_MS, () => cluster.network.unblock(from, to))
  }
}
