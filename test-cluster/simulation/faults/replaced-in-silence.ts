/**
 * Who leads is cut off from all other nodes, but not from clients, for longer than the others wait for it: it is replaced, and does not
 * know. What it still tells clients must be true.
 */
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
  /** One way: what it asks of the quorum. */
  readonly deafening: readonly [number, number][]
  readonly durationMs: number
}

export function whomToReplace(cluster: Cluster, { dice }: PlannedFault): CutOff | null {
  const role = dice[2]! < 0.5 ? 'controller' : 'coordinator'
  const id = role === 'controller' ? cluster.activeController?.id : keptGroupsCoordinator(cluster)
  if (id === undefined) return null
  const others = cluster.nodeIds.filter((other) => other !== id)
  const links = others.flatMap((other) => [[id, other], [other, id]] as [number, number][])
  const deafening = role === 'coordinator' ? others.map((other) => [id, other] as [number, number]) : []
  return { id, role, links, deafening, durationMs: cluster.swarm.sessionTimeoutMs + dice[3]! * BEYOND_SESSION_MS_MAX }
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
