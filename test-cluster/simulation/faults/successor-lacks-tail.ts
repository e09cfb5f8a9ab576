/**
 * A leader dies with a tail that one follower has and the one who is elected next lacks: the follower, which lives on, must cut it away.
 * At times an administrator has just deleted all that is committed, so that the cut comes right behind the log start.
 */
import type { Admin } from '../clients/admin.ts'
import type { Cluster } from '../cluster.ts'
import { electionAtHand } from './election-at-hand.ts'
import type { ElectionAtHand } from './election-at-hand.ts'
import type { PlannedFault } from './fault-plan.ts'

const RESTART_MS = 50
/** Shorter than the shortest `replica.lag.time.max.ms`: the successor is to stay in sync. */
const TAIL_MS_MIN = 200
const TAIL_MS_MAX = 1_000
const DELETE_MS_MAX = 1_000
const EVERYTHING_COMMITTED = -1

export async function leaveTailBehind(cluster: Cluster, admin: Admin, mayBreak: () => boolean, { dice }: PlannedFault): Promise<void> {
  const { network, world: { scheduler, probes } } = cluster
  const election = await electionAtHand(cluster, mayBreak, dice[0]!)
  if (election === null) return
  const { leader, leaderEpoch, successor, topicId, partition } = election
  if (dice[1]! < 0.5) await deleteAll(admin, election)
  const now = cluster.image.topics.byId.get(topicId)?.partitions[partition]
  if (now?.leaderEpoch !== leaderEpoch || !now.isr.includes(successor) || !mayBreak()) return
  // Connections alone: what the quorum tells arrives.
  const links = [[leader, successor], [successor, leader]] as const
  for (const [from, to] of links) network.block(from, to, 'stalled')
  scheduler.after(TAIL_MS_MIN + (TAIL_MS_MAX - TAIL_MS_MIN) * dice[2]!, () => {
    if (mayBreak()) {
      probes.hit('successor lacks the tail of a follower')
      cluster.kill(leader, 'kill')
      cluster.restartLater(leader, RESTART_MS)
    }
    for (const [from, to] of links) network.unblock(from, to)
  })
}

/** Refused where the topic is compacted. */
async function deleteAll(admin: Admin, { topic, partition, leader }: ElectionAtHand): Promise<void> {
  await admin.client.call(leader, DELETE_MS_MAX, async (node) => {
    await node.replicas?.deleteRecords([{ topicPartition: { topic, partition }, offset: EVERYTHING_COMMITTED }], DELETE_MS_MAX)
  })
}
