/** Whom a fault that is about an election needs: who leads, who is elected next, and who follows both. */
import { sleep } from '@kavka/kernel'
import type { NodeId, TopicPartition, Uuid } from '@kavka/protocol'
import type { Cluster } from '../cluster.ts'

/** Among so many faults few moments fit: a fault waits for one. */
const FIT_MS_MAX = 3_000
const LOOKED_EVERY_MS = 20

export interface ElectionAtHand extends TopicPartition {
  readonly topicId: Uuid
  readonly leaderEpoch: number
  readonly leader: NodeId
  /** The first of those in sync, in the order of the replicas. */
  readonly successor: NodeId
  readonly follower: NodeId
  /** Who decides about the election: neither of the first two. */
  readonly controller: NodeId
}

/** Null when there is none for a while, or nothing may be broken any more. */
export async function electionAtHand(cluster: Cluster, mayBreak: () => boolean, die: number): Promise<ElectionAtHand | null> {
  const found = (): ElectionAtHand[] => [...electionsAtHand(cluster)]
  if (!await becomes(cluster, FIT_MS_MAX, () => mayBreak() && found().length > 0)) return null
  const fit = found()
  return fit[Math.floor(die * fit.length)]!
}

/** False when it did not within that time, or all is being healed. */
export async function becomes(cluster: Cluster, withinMs: number, isSo: () => boolean): Promise<boolean> {
  const { world } = cluster
  const untilMs = world.nowMs + withinMs
  while (world.nowMs < untilMs && !cluster.isHealing) {
    if (isSo()) return true
    await sleep(world.scheduler, LOOKED_EVERY_MS)
  }
  return false
}

function* electionsAtHand(cluster: Cluster): Iterable<ElectionAtHand> {
  const controller = cluster.activeController?.id
  if (controller === undefined) return
  for (const { name: topic, id: topicId, partitions } of cluster.image.topics.byId.values()) {
    for (const { partition, leader, leaderEpoch, isr, replicas } of partitions) {
      const others = replicas.filter((id) => id !== leader && cluster.node(id)?.isServing === true)
      const successor = others.find((id) => isr.includes(id))
      const follower = others.find((id) => id !== successor)
      if (leader === null || successor === undefined || follower === undefined) continue
      if (leader !== controller && successor !== controller) yield { topic, topicId, partition, leader, leaderEpoch, successor, follower, controller }
    }
  }
}
