/**
 * A coordinator dies with something that only one other replica has. That one takes over, cut off from who else is in sync, so that it
 * never gets it committed; clients reach it, and must not be told of it: when it is replaced in turn, it is gone.
 */
import { coordinatorPartitionFor } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { KEPT_GROUP } from '../clients/offset-keeper.ts'
import type { Cluster } from '../cluster.ts'
import type { PlannedFault } from './fault-plan.ts'

const RESTART_MS = 50

export function loseBySuccessor(cluster: Cluster, mayBreak: () => boolean, { dice }: PlannedFault): void {
  const { image, network, world: { scheduler, probes }, swarm } = cluster
  const partitions = image.topics.byName.get('__consumer_offsets')?.partitions ?? []
  const partition = partitions[coordinatorPartitionFor(KEPT_GROUP, Math.max(1, partitions.length))]
  const controller = cluster.activeController?.id
  const first = partition?.leader ?? null
  const inSync = partition?.replicas.filter((id) => partition.isr.includes(id) && id !== first) ?? []
  // The next is elected in the order of the replicas; who decides that must live on.
  const [second, ...others] = inSync
  if (first === null || second === undefined || others.length === 0 || first === controller || second === controller || !mayBreak()) return
  probes.hit('coordinator replaced by one that lacks the others')
  hold(first, others)
  scheduler.after(300 + 1_000 * dice[1]!, () => {
    if (!mayBreak()) return
    hold(second, others)
    cluster.kill(first, 'kill')
    cluster.restartLater(first, RESTART_MS)
    release(first, others, 0)
  })
  release(second, others, 2_000 + 2 * swarm.sessionTimeoutMs)

  /** Connections alone: what the quorum tells arrives, so that it is known who leads. */
  function hold(one: NodeId, all: readonly NodeId[]): void {
    for (const id of all) for (const [from, to] of [[one, id], [id, one]] as const) network.block(from, to, 'stalled')
  }

  function release(one: NodeId, all: readonly NodeId[], afterMs: number): void {
    scheduler.after(afterMs, () => {
      for (const id of all) for (const [from, to] of [[one, id], [id, one]] as const) network.unblock(from, to)
    })
  }
}
