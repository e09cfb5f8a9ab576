/**
 * Who leads is cut off from all other nodes, but not from clients, for longer than the others wait for it: it is replaced, and does not
 * know. What it still tells clients must be true.
 */
import { sleep } from '@kavka/kernel'
import { coordinatorPartitionFor } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { Admin } from '../clients/admin.ts'
import { KEPT_GROUP } from '../clients/offset-keeper.ts'
import type { Cluster } from '../cluster.ts'
import type { PlannedFault } from './fault-plan.ts'

const BEYOND_SESSION_MS_MAX = 5_000
const TOPIC = 't2'
/** Short: a replaced controller that nobody hears does not lead for much longer than it takes the others to elect. */
const ASKED_EVERY_MS = 60
const LOOKED_EVERY_MS = 50
/** For a coordinator to be found, and to store an offset. */
const SUCCESSOR_MS = 2_500
/** Longer than a leader of the quorum waits before it tells voters that do not fetch who leads. */
const DEAF_MS = 2_500

/** Two administrators: one reaches only who was cut off, one only the others. */
export interface BothSides {
  readonly inside: Admin
  readonly outside: Admin
}

interface CutOff {
  readonly id: NodeId
  readonly role: 'controller' | 'coordinator'
  /** To block, both ways. */
  readonly links: readonly [number, number][]
  readonly durationMs: number
}

export function whomToReplace(cluster: Cluster, { dice }: PlannedFault): CutOff | null {
  const role = dice[2]! < 0.5 ? 'controller' : 'coordinator'
  const id = role === 'controller' ? cluster.activeController?.id : keptGroupsCoordinator(cluster)
  if (id === undefined) return null
  const others = cluster.nodeIds.filter((other) => other !== id)
  const links = others.flatMap((other) => [[id, other], [other, id]] as [number, number][])
  return { id, role, links, durationMs: cluster.swarm.sessionTimeoutMs + dice[3]! * BEYOND_SESSION_MS_MAX }
}

/**
 * The links come back when another coordinates and has had time to store something; but what a voter asks of the quorum is lost a while
 * longer. It hears who leads, and its heartbeats arrive, before it knows that it was replaced.
 */
export async function replaceCoordinator(cluster: Cluster, { id, links, durationMs }: CutOff): Promise<void> {
  const { world, network } = cluster
  world.probes.hit('leader replaced in silence')
  for (const [from, to] of links) network.block(from, to, 'cut')
  const latestMs = world.nowMs + durationMs + cluster.swarm.sessionTimeoutMs
  const isOver = (): boolean => cluster.isHealing || world.nowMs >= latestMs
  while (!isOver() && !isReplaced(cluster, id)) await sleep(world.scheduler, LOOKED_EVERY_MS)
  if (!isOver()) await sleep(world.scheduler, SUCCESSOR_MS)
  for (const [from, to] of links) network.unblock(from, to)
  if (isOver() || !isReplaced(cluster, id) || !cluster.voterIds.includes(id)) return
  const asks = links.filter(([from]) => from === id)
  world.probes.hit('leader back without its metadata')
  for (const [from, to] of asks) network.block(from, to, 'lossy')
  await sleep(world.scheduler, DEAF_MS)
  for (const [from, to] of asks) network.unblock(from, to)
}

function isReplaced(cluster: Cluster, id: NodeId): boolean {
  const now = keptGroupsCoordinator(cluster)
  return now !== undefined && now !== id
}

/** While one asks a cut-off controller whether a topic is there, the other creates and deletes it where the next one leads. */
export async function askBothSides(cluster: Cluster, { inside, outside }: BothSides, { id, durationMs }: CutOff): Promise<void> {
  const untilMs = cluster.world.nowMs + durationMs
  const successor = (): NodeId | undefined => [...cluster.nodes()].find((node) => node.id !== id && node.controller?.isActive === true)?.id
  const repeat = async (admin: Admin, whom: () => NodeId | undefined, act: () => Promise<unknown>): Promise<void> => {
    while (cluster.world.nowMs < untilMs && !cluster.isHealing) {
      await admin.client.process.sleep(ASKED_EVERY_MS)
      const node = whom()
      if (node === undefined) continue
      admin.keepTo(node)
      await act()
    }
  }
  await Promise.all([
    repeat(inside, () => id, () => inside.exists(TOPIC)),
    repeat(outside, successor, async () => {
      if (!(await outside.createTopic(TOPIC, 1, {}))) return
      await outside.client.process.sleep(ASKED_EVERY_MS * 5)
      await outside.deleteTopic(TOPIC)
    }),
  ])
}

function keptGroupsCoordinator({ image }: Cluster): NodeId | undefined {
  const partitions = image.topics.byName.get('__consumer_offsets')?.partitions ?? []
  return partitions[coordinatorPartitionFor(KEPT_GROUP, Math.max(1, partitions.length))]?.leader ?? undefined
}
