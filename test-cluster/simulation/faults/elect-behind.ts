/** The preferred leader of a partition comes back and cannot reach who leads now: asked to elect it, the controller must say no. */
import type { NodeId } from '@kavka/protocol'
import type { PartitionRegistration } from '@kavka/controller'
import type { Admin } from '../clients/admin.ts'
import type { Cluster } from '../cluster.ts'
import type { PlannedFault } from './fault-plan.ts'

const DOWN_MS = 300
const ASKED_EVERY_MS = 150
/** Until it is counted in again, and some time beyond that. */
const ASKED_MS_MAX = 6_000

export async function electWhoIsBehind(cluster: Cluster, admin: Admin, mayBreak: () => boolean, { dice }: PlannedFault): Promise<void> {
  const { image, world, nodeIds, network } = cluster
  const controller = cluster.activeController?.id
  const isFit = ({ replicas, isr }: PartitionRegistration): boolean => replicas.length > 1 && isr.length > 1 && replicas[0] !== controller
  const fit = [...image.topics.byId.values()].flatMap(({ partitions, id }) => partitions.filter(isFit).map((registration) => ({ id, registration })))
  const chosen = fit[Math.floor(dice[0]! * fit.length)]
  if (chosen === undefined || !mayBreak()) return
  const behind = chosen.registration.replicas[0]!
  // Who leads next follows whom it reaches: all are cut off from it but the controller, which counts it in.
  const links = nodeIds.filter((id) => id !== behind && id !== controller).flatMap((id) => [[id, behind], [behind, id]] as [NodeId, NodeId][])
  for (const [from, to] of links) network.block(from, to, 'cut')
  cluster.kill(behind, 'kill')
  cluster.restartLater(behind, DOWN_MS)
  const untilMs = world.nowMs + DOWN_MS + ASKED_MS_MAX
  while (world.nowMs < untilMs && !cluster.isHealing) {
    await admin.client.process.sleep(ASKED_EVERY_MS)
    if (isOutOfSync(cluster, chosen.id, chosen.registration.partition, behind)) world.probes.hit('election of who is not in sync asked for')
    await admin.electLeaders()
  }
  for (const [from, to] of links) network.unblock(from, to)
}

function isOutOfSync({ image }: Cluster, topicId: Parameters<Cluster['image']['topics']['byId']['get']>[0], partition: number, id: NodeId): boolean {
  const registration = image.topics.byId.get(topicId)?.partitions[partition]
  const isActive = image.brokers.get(id)?.fenced === false
  return registration !== undefined && isActive && registration.leader !== null && !registration.isr.includes(id)
}
