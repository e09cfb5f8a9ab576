/**
 * A node is down while a topic that it holds is deleted and another of the same name is made: it comes back with a log in the way of the
 * next one. At times the topic was so new that its node had not synced its name or its id when the power went.
 */
import { buildBatch } from '@kavka/protocol'
import type { NodeId, Uuid } from '@kavka/protocol'
import type { Admin } from '../clients/admin.ts'
import { PASSING_TOPICS } from '../clients/topic-admin.ts'
import type { Cluster } from '../cluster.ts'
import type { PlannedFault } from './fault-plan.ts'

const RESTART_MS = 50
const NEW_MS_MAX = 60
const WRITE_MS_MAX = 1_000
/** Behind the arrival of a batch. */
const UNSYNCED_MS_MAX = 10

export async function recreateWhileDown(cluster: Cluster, admin: Admin, mayBreak: () => boolean, { dice }: PlannedFault): Promise<void> {
  const { world, swarm } = cluster
  const topic = PASSING_TOPICS[Math.floor(dice[2]! * PASSING_TOPICS.length)]!
  const isNew = dice[3]! < 0.5
  const controller = cluster.activeController?.id
  if (controller === undefined) return
  admin.keepTo(controller)
  if (isNew) await admin.deleteTopic(topic)
  if (!cluster.image.topics.byName.has(topic)) await admin.createTopic(topic, 1, {})
  if (isNew) await writeSoon(cluster, admin, topic, dice)
  const holder = holderOf(cluster, topic, controller, dice[0]!)
  if (holder === null || !mayBreak()) return
  const { id, topicId } = holder
  cluster.kill(id, swarm.durability === 'synced' && (isNew || dice[3]! < 0.6) ? 'power' : 'kill')
  await admin.deleteTopic(topic)
  await admin.createTopic(topic, 1, {})
  const next = cluster.image.topics.byName.get(topic)
  const isItsOwn = next !== undefined && next.id !== topicId && next.partitions[0]!.replicas.includes(id)
  if (isItsOwn && cluster.node(id) === null) world.probes.hit('topic created again while a replica was down')
  cluster.restartLater(id, RESTART_MS)
}

/** One batch that nobody waits for; some of it may be on a disk when the power goes, and some of what it lies in not. */
async function writeSoon(cluster: Cluster, { client }: Admin, topic: string, dice: readonly number[]): Promise<void> {
  const { process } = client
  await process.sleep(NEW_MS_MAX * dice[1]!)
  const leader = cluster.image.topics.byName.get(topic)?.partitions[0]!.leader ?? null
  if (leader === null) return
  const records = buildBatch([{ timestamp: process.wallMs(), key: null, value: Buffer.from(`${client.name}:${process.monotonicMs()}`) }])
  const entries = [{ topicPartition: { topic, partition: 0 }, topicId: null, records }]
  void client.call(leader, WRITE_MS_MAX, (node) => node.replicas!.append({ acks: 1, timeoutMs: WRITE_MS_MAX, origin: 'client', entries }))
  await process.sleep(cluster.network.delayMs() * 2 + UNSYNCED_MS_MAX * dice[3]! * 2)
}

/** A node that has a log of the topic's first partition, better not the one that is to delete it. */
function holderOf(cluster: Cluster, topic: string, controller: NodeId, die: number): { readonly id: NodeId; readonly topicId: Uuid } | null {
  const image = cluster.image.topics.byName.get(topic)
  if (image === undefined) return null
  const hasLog = (id: NodeId): boolean => cluster.node(id)?.logs?.replica({ topic, partition: 0 })?.topicId === image.id
  const holders = image.partitions[0]!.replicas.filter((id) => id !== controller && hasLog(id))
  const id = holders[Math.floor(die * holders.length)]
  return id === undefined ? null : { id, topicId: image.id }
}
