/**
 * A follower hears of an election before the one who was elected: it is refused, and tells again and again where it stands. What it tells
 * last is held up on its way, so that the leader, when it knows at last, serves what it was told before, and then all of it once more.
 */
import { sleep } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import type { PartitionView } from '@kavka/replication'
import type { Cluster } from '../cluster.ts'
import { becomes, electionAtHand } from './election-at-hand.ts'
import type { PlannedFault } from './fault-plan.ts'

const RESTART_MS = 50
const ELECTED_MS_MAX = 2_500
/** For the follower to connect and to be refused, besides what the network takes. */
const REFUSED_MS = 60
const MESSAGES_UNTIL_REFUSED = 5
/** Longer than a follower waits that was refused many times. */
const ANNOUNCED_MS = 1_000
/** Longer than a voter or observer waits for an answer that was lost. */
const HEARD_MS_MAX = 1_500
const SERVED_MS_MAX = 1_000

export async function electUnheard(cluster: Cluster, mayBreak: () => boolean, { dice }: PlannedFault): Promise<void> {
  const { network, world: { scheduler, probes }, swarm } = cluster
  const election = await electionAtHand(cluster, mayBreak, dice[0]!)
  if (election === null) return
  const { leader, leaderEpoch, successor, follower, controller } = election
  const viewOf = (id: NodeId): PartitionView | null => cluster.node(id)?.replicas?.partition(election) ?? null
  // Datagrams alone: who does not hear of it is taken to be well.
  network.block(controller, successor, 'lossy')
  cluster.kill(leader, 'kill')
  cluster.restartLater(leader, RESTART_MS)
  const isElected = await becomes(cluster, ELECTED_MS_MAX, () => viewOf(follower)?.leaderId === successor)
  if (isElected) await sleep(scheduler, REFUSED_MS + MESSAGES_UNTIL_REFUSED * swarm.network.delayMsMax)
  const isHeld = isElected && mayBreak()
  if (isHeld) {
    network.block(follower, successor, 'stalled')
    await sleep(scheduler, ANNOUNCED_MS)
  }
  network.unblock(controller, successor)
  const isHeard = isHeld && await becomes(cluster, HEARD_MS_MAX, () => viewOf(successor)?.role === 'leader' && viewOf(successor)!.leaderEpoch > leaderEpoch)
  if (isHeard) {
    probes.hit('leader hears late of its election')
    const endBefore = viewOf(follower)?.log.logEndOffset ?? Infinity
    await becomes(cluster, SERVED_MS_MAX, () => (viewOf(follower)?.log.logEndOffset ?? 0) > endBefore)
  }
  network.unblock(follower, successor)
}
