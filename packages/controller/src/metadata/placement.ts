/**
 * Where the replicas of new partitions go. The rules are those of Kafka's striped placer: replicas of a
 * partition alternate between racks, leaders are spread evenly over racks and over the brokers of a rack, the
 * first replica is never on a fenced broker, and in a rack fenced brokers come last. Over and above that,
 * followers are shifted from round to round, so that the partitions led by one broker are followed by
 * different ones, and its load is shared out when it dies.
 */
import { assert } from '@kavka/kernel'
import type { Random, Result } from '@kavka/kernel'
import { failure, success } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'

export interface PlacementBroker {
  readonly id: NodeId
  /** Brokers without a rack share one. */
  readonly rack: string | null
  /** Unfenced and not shutting down. */
  readonly active: boolean
}

export interface PlacementRequest {
  readonly partitionCount: number
  readonly replicationFactor: number
}

interface Rack {
  readonly active: readonly NodeId[]
  readonly fenced: readonly NodeId[]
}

/** One list of replicas a partition, or the sentence that says why there is no room. */
export function placeReplicas(
  brokers: readonly PlacementBroker[],
  { partitionCount, replicationFactor }: PlacementRequest,
  random: Random,
): Result<NodeId[][], string> {
  assert(replicationFactor > 0, 'a replication factor is positive', { replicationFactor })
  const active = brokers.filter((broker) => broker.active).length
  if (active === 0) return failure('All brokers are currently fenced or in controlled shutdown.')
  if (replicationFactor > brokers.length) {
    return failure(
      `The target replication factor of ${replicationFactor} cannot be reached because only ${brokers.length} broker(s) are registered.`,
    )
  }
  const racks = shuffled(racksOf(brokers, random), random)
  const start = random.below(racks.length * brokers.length)
  return success(
    Array.from({ length: partitionCount }, (_, i) => placePartition(racks, start + i, replicationFactor)),
  )
}

function racksOf(brokers: readonly PlacementBroker[], random: Random): Rack[] {
  const byRack = new Map<string | null, PlacementBroker[]>()
  for (const broker of shuffled(brokers, random))
    byRack.set(broker.rack, [...(byRack.get(broker.rack) ?? []), broker])
  return [...byRack.values()].map((members) => ({
    active: members.filter((broker) => broker.active).map(({ id }) => id),
    fenced: members.filter((broker) => !broker.active).map(({ id }) => id),
  }))
}

/**
 * `turn` counts partitions: it chooses the rack of the leader; once each rack had its turn, the next broker
 * of each is taken.
 */
function placePartition(racks: readonly Rack[], turn: number, replicationFactor: number): NodeId[] {
  const leading = racks.filter((rack) => rack.active.length > 0)
  const round = Math.floor(turn / leading.length)
  const leaderRack = racks.indexOf(leading[turn % leading.length]!)
  const queues = racks.map((_, distance) => {
    return brokersInOrder(racks[(leaderRack + distance) % racks.length]!, round, distance)
  })
  const replicas: NodeId[] = []
  for (let i = 0; replicas.length < replicationFactor; i++) {
    const next = queues[i % queues.length]!.shift()
    if (next !== undefined) replicas.push(next)
  }
  return replicas
}

function brokersInOrder({ active, fenced }: Rack, round: number, distance: number): NodeId[] {
  return [...rotated(active, round, distance), ...rotated(fenced, round, distance)]
}

/** First the broker whose turn it is, then the others, starting elsewhere each time all had their turn. */
function rotated(brokers: readonly NodeId[], round: number, distance: number): NodeId[] {
  if (brokers.length <= 1) return [...brokers]
  const lap = Math.floor(round / brokers.length)
  const [first, ...others] = turned(brokers, round + distance * lap)
  return [first!, ...turned(others, lap)]
}

function turned<T>(items: readonly T[], by: number): T[] {
  const cut = by % items.length
  return [...items.slice(cut), ...items.slice(0, cut)]
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const swapped = result[i]!
    result[i] = result[j]!
    result[j] = swapped
  }
  return result
}
