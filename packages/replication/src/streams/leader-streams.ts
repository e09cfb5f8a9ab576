/** All followers' streams to this broker: one a follower, the newest incarnation wins. */
import type { Logger, Scheduler } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { LeaderStreamServer } from './leader-stream.ts'
import type { Partition } from '../partition/partition.ts'
import type { FollowerHello, LeaderStream, LeaderStreamEvents, PartitionKey } from '../ports.ts'
import type { ReplicationCounters } from '../replication-counters.ts'

export interface LeaderStreamsOptions {
  readonly clusterId: string
  readonly localId: NodeId
  readonly frameBytesMax: number
}

export interface LeaderStreamsDependencies {
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly counters: ReplicationCounters
  readonly find: (key: PartitionKey) => Partition | null
  /** -1 when the metadata here does not know the broker. */
  readonly brokerEpochOf: (id: NodeId) => number
}

const REFUSED: LeaderStreamEvents = { frame: () => {}, drained: () => {}, closed: () => {} }

export class LeaderStreams {
  readonly #options: LeaderStreamsOptions
  readonly #dependencies: LeaderStreamsDependencies
  readonly #streams = new Map<NodeId, LeaderStreamServer>()
  #stopped = false

  constructor(options: LeaderStreamsOptions, dependencies: LeaderStreamsDependencies) {
    this.#options = options
    this.#dependencies = dependencies
  }

  get size(): number {
    return this.#streams.size
  }

  accept(hello: FollowerHello, stream: LeaderStream): LeaderStreamEvents {
    const problem = this.#problemWith(hello)
    if (problem !== null) {
      stream.close(problem)
      return REFUSED
    }
    this.#streams.get(hello.followerId)?.close('replaced by a newer stream of the same follower')
    const server = this.#serve(hello, stream)
    this.#streams.set(hello.followerId, server)
    return server
  }

  partitionChanged(partition: Partition): void {
    for (const stream of this.#streams.values()) stream.partitionChanged(partition)
  }

  /** Ends streams of incarnations that have registered anew since (KIP-903). */
  brokerChanged(id: NodeId): void {
    const stream = this.#streams.get(id)
    if (stream !== undefined && stream.followerBrokerEpoch < this.#dependencies.brokerEpochOf(id)) {
      stream.close('stale broker epoch')
    }
  }

  stop(): void {
    this.#stopped = true
    for (const stream of this.#streams.values()) stream.close('the leader stops')
  }

  #problemWith(hello: FollowerHello): string | null {
    if (this.#stopped) return 'the leader stops'
    if (hello.clusterId !== this.#options.clusterId) return 'another cluster'
    if (hello.leaderId !== this.#options.localId) return `this is broker ${this.#options.localId}`
    if (hello.followerId === this.#options.localId) return 'a broker does not follow itself'
    const newest = Math.max(
      this.#dependencies.brokerEpochOf(hello.followerId),
      this.#streams.get(hello.followerId)?.followerBrokerEpoch ?? -1,
    )
    return hello.followerBrokerEpoch < newest ? 'stale broker epoch' : null
  }

  #serve(hello: FollowerHello, stream: LeaderStream): LeaderStreamServer {
    const server: LeaderStreamServer = new LeaderStreamServer(
      {
        followerId: hello.followerId,
        followerBrokerEpoch: hello.followerBrokerEpoch,
        frameBytesMax: this.#options.frameBytesMax,
      },
      {
        ...this.#dependencies,
        stream,
        onClosed: () => {
          if (this.#streams.get(hello.followerId) === server) this.#streams.delete(hello.followerId)
        },
      },
    )
    return server
  }
}
