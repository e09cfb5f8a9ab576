/** Replication streams over the simulated network: frames keep their order, are copied on the way, and end when the connection does. */
import type { NodeId } from '@kavka/protocol'
import type {
  FollowerFrame, FollowerHello, FollowerStream, FollowerStreamEvents, LeaderFrame, LeaderStream, LeaderStreamEvents, ReplicationTransport,
} from '@kavka/replication'
import type { Connection, Network } from '../world/network.ts'

export type AcceptFollower = (hello: FollowerHello, stream: LeaderStream) => LeaderStreamEvents

export interface TransportDependencies {
  readonly network: Network
  /** How the broker at that id takes followers; null when none runs there. */
  readonly acceptOf: (id: NodeId) => AcceptFollower | null
  /** Is the stream's buffer full after this frame? Then how long until it has drained. */
  readonly congestionMs: () => number | null
  /** A frame of a leader is about to be taken. */
  readonly receiving: (frame: LeaderFrame) => void
  /** What is asked for first runs first among those that are due at one time. */
  readonly later: (delayMs: number, callback: () => void) => void
}

export class SimulatedReplicationTransport implements ReplicationTransport {
  readonly #nodeId: NodeId
  readonly #dependencies: TransportDependencies
  accept: AcceptFollower | null = null

  constructor(options: { readonly nodeId: NodeId }, dependencies: TransportDependencies) {
    this.#nodeId = options.nodeId
    this.#dependencies = dependencies
  }

  onFollower(accept: AcceptFollower): void {
    this.accept = accept
  }

  openStream(leader: { readonly id: NodeId }, hello: FollowerHello, events: FollowerStreamEvents): FollowerStream {
    const { network, acceptOf } = this.#dependencies
    let leaderEvents: LeaderStreamEvents | null = null
    const connection: Connection = network.connect(this.#nodeId, leader.id, {
      accepted: () => {
        const accept = acceptOf(leader.id)
        if (accept === null) return connection.close(leader.id)
        leaderEvents = accept(hello, this.#leaderStream(leader.id, connection, events, () => leaderEvents))
      },
      endedAtOpener: () => events.closed('the stream broke'),
      endedAtTarget: () => leaderEvents?.closed(),
    })
    return {
      send: (frame: FollowerFrame) => connection.toTarget(() => leaderEvents?.frame(frame)),
      close: () => connection.close(this.#nodeId),
    }
  }

  #leaderStream(leaderId: NodeId, connection: Connection, events: FollowerStreamEvents, mine: () => LeaderStreamEvents | null): LeaderStream {
    const { congestionMs, receiving, later } = this.#dependencies
    return {
      send: (frame) => {
        const copy = copyOf(frame)
        connection.toOpener(() => {
          receiving(copy)
          events.frame(copy)
          later(0, () => wipe(copy))
        })
        const fullMs = congestionMs()
        if (fullMs === null) return true
        later(fullMs, () => connection.isOpen && mine()?.drained())
        return false
      },
      close: () => connection.close(leaderId),
    }
  }
}

/** Two machines share no memory. */
function copyOf(frame: LeaderFrame): LeaderFrame {
  return { partitions: frame.partitions.map((entry) => ({ ...entry, records: entry.records.map((piece) => Buffer.from(piece)) })) }
}

/** Records are lent until the turn ends: the memory of a real connection is used again, so whoever still holds them finds no records. */
function wipe({ partitions }: LeaderFrame): void {
  for (const { records } of partitions) for (const piece of records) piece.fill(0xdd)
}
