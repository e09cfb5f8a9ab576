/**
 * A follower meets rot in its log, and what it tells the controller of that is held up; meanwhile another leader is elected, so that the
 * follower announces itself anew. It is still in sync as far as anybody knows, and must not empty its log yet. Two others have everything.
 */
import type { Cluster } from '../cluster.ts'
import type { DiskDamage } from './disk-damage.ts'
import type { PlannedFault } from './fault-plan.ts'

const RESTART_MS = 50
const HELD_MS = 2_000

export function rotBeforeElection(cluster: Cluster, damage: DiskDamage, fault: PlannedFault): void {
  const { image, network, world: { scheduler, probes } } = cluster
  const controller = cluster.activeController?.id
  const fit = [...image.topics.byId.values()].flatMap((topic) => topic.partitions.map((registration) => ({ topic, registration })))
    .filter(({ registration: { leader, isr } }) => leader !== null && leader !== controller && isr.length > 2)
  const chosen = fit[Math.floor(fault.dice[0]! * fit.length)]
  if (chosen === undefined || controller === undefined) return
  const { topic, registration: { leader, isr, replicas, partition } } = chosen
  // The first of those in sync is elected next: the last of them rots.
  const follower = replicas.findLast((id) => isr.includes(id) && id !== leader && id !== controller)
  const next = replicas.find((id) => isr.includes(id) && id !== leader)
  const replica = follower === undefined ? null : cluster.node(follower)?.logs?.replica({ topic: topic.name, partition }) ?? null
  if (follower === undefined || follower === next || replica === null || replica.topicId !== topic.id) return
  if (!damage.rotReplica(follower, replica, fault)) return
  probes.hit('rot before an election')
  for (const [from, to] of [[follower, controller], [controller, follower]] as const) network.block(from, to, 'stalled')
  cluster.kill(leader!, 'kill')
  cluster.restartLater(leader!, RESTART_MS)
  scheduler.after(HELD_MS, () => {
    for (const [from, to] of [[follower, controller], [controller, follower]] as const) network.unblock(from, to)
  })
}
