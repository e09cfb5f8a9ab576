/** Replication streams between simulated brokers: ordered, delayed, and broken whenever the links are. */
import type { Random, Scheduler } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import type {
  FollowerFrame,
  FollowerHello,
  FollowerStream,
  FollowerStreamEvents,
  LeaderFrame,
  LeaderStream,
  LeaderStreamEvents,
  ReplicationTransport,
} from '../ports.ts'

export interface TransportFaults {
  readonly delayMsMax: number
  /** Chance that a leader's stream is full after a frame, and drains a little later. */
  readonly fullProbability: number
  /** How long after a cut the two sides may take to notice. */
  readonly noticeMsMax: number
}

type Accept = (hello: FollowerHello, stream: LeaderStream) => LeaderStreamEvents

/** The network of one simulated cluster. */
export class SimulatedStreams {
  readonly #faults: TransportFaults
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #listening = new Map<NodeId, Accept>()
  readonly #streams = new Set<SimulatedStream>()
  readonly #cut = new Set<string>()
  framesDelivered = 0

  constructor(faults: TransportFaults, dependencies: { readonly scheduler: Scheduler; readonly random: Random }) {
    this.#faults = faults
    this.#scheduler = dependencies.scheduler
    this.#random = dependencies.random
  }

  /** The transport of one incarnation of a broker. */
  transportOf(id: NodeId): ReplicationTransport {
    return {
      openStream: (leader, hello, events) => this.#open(id, leader.id, hello, events),
      onFollower: (accept) => {
        this.#listening.set(id, accept)
      },
    }
  }

  /** The broker is gone, or its machine is. */
  kill(id: NodeId): void {
    this.#listening.delete(id)
    for (const stream of this.#streams) if (stream.touches(id)) stream.break(id)
  }

  isCut(a: NodeId, b: NodeId): boolean {
    return this.#cut.has(linkOf(a, b))
  }

  cut(a: NodeId, b: NodeId): void {
    this.#cut.add(linkOf(a, b))
    for (const stream of this.#streams) if (stream.touches(a) && stream.touches(b)) stream.break(null)
  }

  heal(): void {
    this.#cut.clear()
  }

  delayMs(): number {
    return this.#random.unit() * this.#faults.delayMsMax
  }

  #open(follower: NodeId, leader: NodeId, hello: FollowerHello, events: FollowerStreamEvents): FollowerStream {
    const stream = new SimulatedStream(follower, leader, events, this.#faults, {
      scheduler: this.#scheduler,
      random: this.#random,
      onDelivered: () => this.framesDelivered++,
    })
    this.#streams.add(stream)
    this.#scheduler.after(this.delayMs(), () => {
      const accept = this.#listening.get(leader)
      if (accept === undefined || this.isCut(follower, leader)) stream.refuse()
      else stream.accept(hello, accept)
    })
    stream.onEnded = () => this.#streams.delete(stream)
    return stream
  }
}

interface StreamDependencies {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly onDelivered: () => void
}

class SimulatedStream implements FollowerStream {
  readonly #follower: NodeId
  readonly #leader: NodeId
  readonly #followerEvents: FollowerStreamEvents
  readonly #faults: TransportFaults
  readonly #dependencies: StreamDependencies
  #leaderEvents: LeaderStreamEvents | null = null
  #isOpen = true
  #followerTold = false
  #leaderTold = false
  readonly #lastArrivalMs = { follower: 0, leader: 0 }
  #toLeaderEarly: FollowerFrame[] = []
  onEnded: () => void = () => {}

  constructor(
    follower: NodeId,
    leader: NodeId,
    events: FollowerStreamEvents,
    faults: TransportFaults,
    dependencies: StreamDependencies,
  ) {
    this.#follower = follower
    this.#leader = leader
    this.#followerEvents = events
    this.#faults = faults
    this.#dependencies = dependencies
  }

  touches(id: NodeId): boolean {
    return id === this.#follower || id === this.#leader
  }

  accept(hello: FollowerHello, accept: Accept): void {
    if (!this.#isOpen) return
    this.#leaderEvents = accept(hello, {
      send: (frame) => this.#sendToFollower(frame),
      close: () => {
        this.#leaderTold = true
        this.#end(0)
      },
    })
    for (const frame of this.#toLeaderEarly) this.send(frame)
    this.#toLeaderEarly = []
  }

  refuse(): void {
    this.#end(0)
  }

  send(frame: FollowerFrame): void {
    if (!this.#isOpen) return
    if (this.#leaderEvents === null) this.#toLeaderEarly.push(frame)
    else this.#deliver('leader', () => this.#leaderEvents?.frame(frame))
  }

  close(): void {
    this.#followerTold = true
    this.#end(0)
  }

  /** `gone` notices nothing any more; the others after a while. */
  break(gone: NodeId | null): void {
    if (gone === this.#follower) this.#followerTold = true
    if (gone === this.#leader) this.#leaderTold = true
    this.#end(this.#faults.noticeMsMax)
  }

  #sendToFollower(frame: LeaderFrame): boolean {
    if (!this.#isOpen) return true
    this.#deliver('follower', () => this.#followerEvents.frame(frame))
    const { random, scheduler } = this.#dependencies
    if (this.#faults.fullProbability === 0 || random.unit() >= this.#faults.fullProbability) return true
    scheduler.after(random.unit() * 5, () => {
      if (this.#isOpen) this.#leaderEvents?.drained()
    })
    return false
  }

  #deliver(to: 'follower' | 'leader', run: () => void): void {
    const { random, scheduler, onDelivered } = this.#dependencies
    const now = scheduler.monotonicMs()
    const arrival = Math.max(now + random.unit() * this.#faults.delayMsMax, this.#lastArrivalMs[to])
    this.#lastArrivalMs[to] = arrival
    scheduler.after(arrival - now, () => {
      if (!this.#isOpen) return
      onDelivered()
      run()
    })
  }

  #end(noticeMsMax: number): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.onEnded()
    const { random, scheduler } = this.#dependencies
    if (!this.#followerTold) {
      scheduler.after(random.unit() * noticeMsMax, () => this.#followerEvents.closed('the stream broke'))
    }
    if (!this.#leaderTold && this.#leaderEvents !== null) {
      scheduler.after(random.unit() * noticeMsMax, () => this.#leaderEvents!.closed())
    }
  }
}

function linkOf(a: NodeId, b: NodeId): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`
}
