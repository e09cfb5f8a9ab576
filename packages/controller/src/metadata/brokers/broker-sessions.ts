/**
 * What the active controller knows of brokers besides their registrations: when each was last heard of, how
 * far it has replayed, whether its liveness stream is open. Not replicated: a new active controller starts
 * from "all heard of just now".
 */
import type { BrokerEpoch, NodeId } from '@kavka/protocol'
import type { MetadataImage } from '../image.ts'

interface Session {
  readonly brokerEpoch: BrokerEpoch
  lastContactMs: number
  /** Highest metadata offset that the broker said it has; -1 before its first heartbeat. */
  metadataOffset: number
  /** Where the last leadership moved away during its controlled shutdown; null before. */
  controlledShutdownOffset: number | null
}

/**
 * Liveness streams of a registration; one that breaks may overlap with its successor. Kept while this
 * controller is not active too.
 */
interface Streams {
  readonly brokerEpoch: number
  open: number
}

export class BrokerSessions {
  readonly #sessions = new Map<NodeId, Session>()
  /** Of the newest registration that opened one. */
  readonly #streams = new Map<NodeId, Streams>()
  readonly #fencedAt = new Map<NodeId, number>()
  readonly #sessionTimeoutMs: number

  constructor(options: { readonly sessionTimeoutMs: number }) {
    this.#sessionTimeoutMs = options.sessionTimeoutMs
  }

  /** This controller became active: nobody is blamed for silence towards its predecessor. */
  reset(image: MetadataImage, nowMs: number): void {
    this.#sessions.clear()
    this.#fencedAt.clear()
    for (const broker of image.brokers.values()) {
      if (broker.fenced) this.#fencedAt.set(broker.id, image.offset)
      else this.#open(broker.id, broker.epoch, nowMs)
    }
  }

  /** It was decided to fence the broker; at which offset is known when the turn is over, and it may ask again before that. */
  fencing(brokerId: NodeId): void {
    this.#fencedAt.set(brokerId, Infinity)
  }

  /** The broker is fenced by a record at `offset` or before. */
  fenced(brokerId: NodeId, offset: number): void {
    this.#fencedAt.set(brokerId, offset)
  }

  /** Metadata up to here says that the broker was fenced, and who leads instead; -1 when it was not. */
  fencedAt(brokerId: NodeId): number {
    return this.#fencedAt.get(brokerId) ?? -1
  }

  /** A registration is committed; returns nothing that was known of an earlier one. */
  registered(brokerId: NodeId, brokerEpoch: BrokerEpoch, nowMs: number): void {
    this.#open(brokerId, brokerEpoch, nowMs)
  }

  heartbeat(brokerId: NodeId, brokerEpoch: BrokerEpoch, metadataOffset: number, nowMs: number): void {
    const session = this.#current(brokerId, brokerEpoch) ?? this.#open(brokerId, brokerEpoch, nowMs)
    session.lastContactMs = nowMs
    session.metadataOffset = Math.max(session.metadataOffset, metadataOffset)
  }

  streamOpened(brokerId: NodeId, brokerEpoch: number, nowMs: number): void {
    const streams = this.#streams.get(brokerId)
    if (streams === undefined || streams.brokerEpoch < brokerEpoch)
      this.#streams.set(brokerId, { brokerEpoch, open: 1 })
    else if (streams.brokerEpoch === brokerEpoch) streams.open++
    const session = this.#current(brokerId, brokerEpoch)
    if (session !== null) session.lastContactMs = nowMs
  }

  streamLost(brokerId: NodeId, brokerEpoch: number): void {
    const streams = this.#streams.get(brokerId)
    if (streams?.brokerEpoch === brokerEpoch) streams.open = Math.max(0, streams.open - 1)
  }

  /** The broker was fenced: whoever registers next under its id need not wait. */
  ended(brokerId: NodeId): void {
    this.#sessions.delete(brokerId)
  }

  isLive(brokerId: NodeId, brokerEpoch: number, nowMs: number): boolean {
    const session = this.#current(brokerId, brokerEpoch)
    return session !== null && nowMs - session.lastContactMs < this.#sessionTimeoutMs
  }

  hasStream(brokerId: NodeId, brokerEpoch: number): boolean {
    const streams = this.#streams.get(brokerId)
    return streams?.brokerEpoch === brokerEpoch && streams.open > 0
  }

  /** Brokers that are unfenced in the image and were silent for longer than the session time-out. */
  expired(image: MetadataImage, nowMs: number): NodeId[] {
    const silent = [...image.brokers.values()].filter(
      (broker) => !broker.fenced && !this.isLive(broker.id, broker.epoch, nowMs),
    )
    return silent.map((broker) => broker.id)
  }

  controlledShutdownOffset(brokerId: NodeId): number | null {
    return this.#sessions.get(brokerId)?.controlledShutdownOffset ?? null
  }

  /** The committed offset of records that moved leadership off a broker that is shutting down. */
  shutdownRecordsAt(brokerId: NodeId, offset: number): void {
    const session = this.#sessions.get(brokerId)
    if (session === undefined) return
    session.controlledShutdownOffset = Math.max(session.controlledShutdownOffset ?? -1, offset)
  }

  /** Everybody who may be asked by clients knows the metadata up to here. */
  lowestActiveOffset(image: MetadataImage): number {
    let lowest = Infinity
    for (const broker of image.brokers.values()) {
      if (broker.fenced || broker.inControlledShutdown) continue
      lowest = Math.min(lowest, this.#current(broker.id, broker.epoch)?.metadataOffset ?? -1)
    }
    return lowest
  }

  #open(brokerId: NodeId, brokerEpoch: BrokerEpoch, nowMs: number): Session {
    const session = { brokerEpoch, lastContactMs: nowMs, metadataOffset: -1, controlledShutdownOffset: null }
    this.#sessions.set(brokerId, session)
    return session
  }

  #current(brokerId: NodeId, brokerEpoch: number): Session | null {
    const session = this.#sessions.get(brokerId)
    return session?.brokerEpoch === brokerEpoch ? session : null
  }
}
