/**
 * All replicas of this broker: follows the metadata, hosts what clients and coordinators ask, and serves and follows other
 * brokers' streams. The rules are in `core/`, the work of each request in `requests/`; here they are put together.
 */
import { every } from '@kavka/kernel'
import type { Logger, Random, Scheduler, TimerHandle } from '@kavka/kernel'
import type { ControllerChannel, MetadataChanges, MetadataImage } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import type { NodeId, TopicPartition } from '@kavka/protocol'
import type { LogConfig } from '@kavka/storage'
import type {
  AppendRequest,
  AppendResult,
  CurrentLeader,
  FetchParameters,
  FetchPartitionResult,
  LeaderEpochAnswer,
  LeaderEpochQuery,
  LeadershipListener,
  OffsetAnswer,
  OffsetQuery,
  PartitionView,
  ReplicaManager,
} from './api.ts'
import { BrokerDirectory } from './hosting/broker-directory.ts'
import { preferredReplica } from './core/preferred-replica.ts'
import type { ReadableReplica } from './core/preferred-replica.ts'
import { DeleteRecordsPath } from './requests/delete-records-path.ts'
import type { DeleteRecordsEntry, DeleteRecordsResult } from './requests/delete-records-path.ts'
import { DirectoryAssignments } from './controller-asks/directory-assignments.ts'
import { FetchPath } from './requests/fetch-path.ts'
import { FollowerFetchers } from './streams/follower-fetchers.ts'
import { HostedPartitions } from './hosting/hosted-partitions.ts'
import { IsrUpdates } from './controller-asks/isr-updates.ts'
import { LeaderStreams } from './streams/leader-streams.ts'
import { LeadershipListeners } from './hosting/leadership-listeners.ts'
import type { LogStore } from './log-store.ts'
import { readMetrics } from './metrics-view.ts'
import type { ReplicationMetricsView } from './metrics-view.ts'
import { listOffset, offsetForLeaderEpoch } from './requests/offset-queries.ts'
import type { Partition, PartitionDependencies } from './partition/partition.ts'
import type { PartitionDirectory } from './requests/partition-lookup.ts'
import type { ReplicationTransport } from './ports.ts'
import { ProducePath } from './requests/produce-path.ts'
import { ReplicaHosting } from './hosting/replica-hosting.ts'
import { createReplicationCounters } from './replication-counters.ts'

export interface ReplicaManagerOptions {
  readonly nodeId: NodeId
  readonly clusterId: string
  /** `inter.broker.listener.name`: where followers find their leaders. */
  readonly interBrokerListener: string
  /** `broker.rack`. */
  readonly rack: string | null
  /** `replica.lag.time.max.ms` (30,000). */
  readonly replicaLagTimeMsMax: number
  /** `fetch.max.bytes` (55 MiB): bound of a consumer's answer. */
  readonly fetchBytesMax: number
  /** `replica.fetch.max.bytes` (1 MiB): record bytes that one frame to a follower aims for. */
  readonly replicaFrameBytesMax: number
  /** Data frames under way on each stream that this broker opened; 2 to 4. */
  readonly replicaFramesInFlightMax: number
  /** Back-off after a broken or refused stream; 20 ms to 1 s unless `replica.fetch.backoff.ms` says less. */
  readonly replicaBackoff: { readonly delayMsMin: number; readonly delayMsMax: number }
  /** `replica.selector.class`: `rack-aware` sends consumers to a follower in their rack (KIP-392). */
  readonly replicaSelector: 'leader' | 'rack-aware'
  /** Time-out of an AlterPartition request. */
  readonly controllerRequestTimeoutMs: number
  /** Bound of each purgatory. */
  readonly parkedMax: number
}

export interface ReplicaManagerDependencies {
  readonly logs: LogStore
  readonly transport: ReplicationTransport
  readonly controller: ControllerChannel
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  /** Of the current registration of this broker; changes when it registers anew. */
  readonly brokerEpoch: () => number
  /** The topic's settings as of that metadata, overrides over broker defaults. */
  readonly logConfigOf: (topic: string, image: MetadataImage) => LogConfig
}

export class ReplicaManagerShell implements ReplicaManager {
  readonly #options: ReplicaManagerOptions
  readonly #brokers: BrokerDirectory
  readonly #hosted = new HostedPartitions()
  readonly #listeners = new LeadershipListeners()
  readonly #counters = createReplicationCounters()
  readonly #produce: ProducePath
  readonly #fetch: FetchPath
  readonly #deletions: DeleteRecordsPath
  readonly #isrUpdates: IsrUpdates
  readonly #assignments: DirectoryAssignments
  readonly #streams: LeaderStreams
  readonly #fetchers: FollowerFetchers
  readonly #hosting: ReplicaHosting
  readonly #isrReview: TimerHandle
  readonly #directory: PartitionDirectory
  #stopped = false

  constructor(options: ReplicaManagerOptions, dependencies: ReplicaManagerDependencies) {
    this.#options = options
    const { scheduler, transport } = dependencies
    this.#brokers = new BrokerDirectory({ listener: options.interBrokerListener })
    const directory: PartitionDirectory = {
      find: (topicPartition) => this.#hosted.find(topicPartition),
      leaderOf: (topicPartition) => this.#leaderOf(topicPartition),
    }
    this.#directory = directory
    const { parkedMax, fetchBytesMax: bytesMax } = options
    this.#produce = new ProducePath({ parkedMax }, { directory, scheduler })
    this.#deletions = new DeleteRecordsPath({ parkedMax }, { directory, scheduler })
    this.#fetch = new FetchPath(
      { bytesMax, parkedMax },
      { directory, scheduler, preferredReadReplica: (partition, rack, at) => this.#preferredReplica(partition, rack, at) },
    )
    const asked = { localId: options.nodeId, requestTimeoutMs: options.controllerRequestTimeoutMs }
    this.#isrUpdates = new IsrUpdates(asked, { ...dependencies, counters: this.#counters })
    this.#assignments = new DirectoryAssignments(asked, dependencies)
    this.#streams = this.#createStreams(dependencies)
    this.#fetchers = this.#createFetchers(dependencies)
    this.#hosting = new ReplicaHosting(options, {
      ...dependencies,
      partition: this.#partitionDependencies(dependencies),
      brokers: this.#brokers,
      hosted: this.#hosted,
      fetchers: this.#fetchers,
      streams: this.#streams,
      listeners: this.#listeners,
      assignments: this.#assignments,
    })
    transport.onFollower((hello, stream) => this.#streams.accept(hello, stream))
    // Twice in the time that a follower may lag, as Kafka does.
    this.#isrReview = every(scheduler, options.replicaLagTimeMsMax / 2, () => this.#hosting.reviewAll())
  }

  /** What metrics read; counted when called. */
  get metrics(): ReplicationMetricsView {
    return readMetrics({
      partitions: () => this.#hosted.all(),
      counters: this.#counters,
      produce: this.#produce,
      fetch: this.#fetch,
      deletions: this.#deletions,
      fetchers: this.#fetchers,
    })
  }

  append(request: AppendRequest): Promise<readonly AppendResult[]> {
    return this.#produce.append(request)
  }

  fetch(request: FetchParameters): Promise<readonly FetchPartitionResult[]> {
    return this.#fetch.fetch(request)
  }

  listOffset(query: OffsetQuery): Promise<OffsetAnswer> {
    return listOffset(this.#directory, query)
  }

  offsetForLeaderEpoch(query: LeaderEpochQuery): LeaderEpochAnswer {
    return offsetForLeaderEpoch(this.#directory, query)
  }

  deleteRecords(
    partitions: readonly DeleteRecordsEntry[],
    timeoutMs: number,
  ): Promise<readonly DeleteRecordsResult[]> {
    return this.#deletions.delete(partitions, timeoutMs)
  }

  /** Offline replicas are listed as long as their log was once open. */
  *partitions(): Iterable<PartitionView> {
    for (const partition of this.#hosted.all()) if (partition.hasLog) yield partition
  }

  partition(topicPartition: TopicPartition): PartitionView | null {
    const partition = this.#hosted.find(topicPartition)
    return partition?.hasLog === true ? partition : null
  }

  onLeadership(topic: string, listener: LeadershipListener): void {
    this.#listeners.add(topic, listener)
    for (const partition of this.#hosted.all()) {
      if (partition.topicPartition.topic === topic && partition.leaderState !== null) {
        listener.elected(partition.partition, partition.leaderEpoch)
      }
    }
  }

  publish(image: MetadataImage, changes: MetadataChanges, previous: MetadataImage): void {
    if (!this.#stopped) this.#hosting.publish(image, changes, previous)
  }

  /**
   * Marks logs that no partition of this broker claims as stray. To be called once, when the metadata has caught up after
   * the start: before that a log may only seem to be nobody's.
   */
  setStraysAside(): void {
    this.#hosting.setStraysAside()
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#isrReview.cancel()
    this.#hosting.stop()
    this.#isrUpdates.stop()
    this.#assignments.stop()
    this.#fetchers.stop()
    this.#streams.stop()
    for (const partition of this.#hosted.all()) {
      this.#listeners.tell(partition, partition.takeOffline(ErrorCode.NOT_LEADER_OR_FOLLOWER))
    }
    this.#produce.stop()
    this.#deletions.stop()
    this.#fetch.stop()
  }

  /** The streams of those who follow this broker. */
  #createStreams({ scheduler, logger }: ReplicaManagerDependencies): LeaderStreams {
    const { clusterId, nodeId: localId, replicaFrameBytesMax: frameBytesMax } = this.#options
    return new LeaderStreams(
      { clusterId, localId, frameBytesMax },
      {
        scheduler,
        logger,
        counters: this.#counters,
        find: (key) => this.#hosted.findById(key),
        brokerEpochOf: (id) => this.#brokers.brokerEpochOf(id),
      },
    )
  }

  /** The streams to those whom this broker follows. */
  #createFetchers({ transport, scheduler, random, logger, brokerEpoch }: ReplicaManagerDependencies): FollowerFetchers {
    const { clusterId, nodeId: localId, replicaFramesInFlightMax: framesInFlightMax, replicaBackoff: backoff } = this.#options
    return new FollowerFetchers(
      { clusterId, localId, framesInFlightMax, backoff },
      {
        transport,
        scheduler,
        random,
        logger,
        brokerEpoch,
        counters: this.#counters,
        addressOf: (id) => this.#brokers.addressOf(id),
      },
    )
  }

  /** What the replicas are told of the brokers, and whom they tell. */
  #partitionDependencies({ scheduler, logger, brokerEpoch }: ReplicaManagerDependencies): PartitionDependencies {
    const brokers = this.#brokers
    return {
      scheduler,
      logger,
      isEligible: (id, brokerEpoch) => brokers.isEligible(id, brokerEpoch),
      isAlive: (id) => brokers.isAlive(id),
      hasOnlineDirectory: (id, directory) => brokers.hasOnlineDirectory(id, directory),
      brokerEpochOf: (id) => (id === this.#options.nodeId ? brokerEpoch() : brokers.brokerEpochOf(id)),
      events: {
        proposed: (partition, proposal) => this.#isrUpdates.propose(partition, proposal),
        acknowledge: (partition) => this.#fetchers.acknowledge(partition),
        failed: (failed, cause) => this.#hosting.failed(failed, cause),
        damaged: (partition) => this.#assignments.review(partition),
        emptied: (partition) => this.#assignments.review(partition),
        proved: (partition) => this.#streams.partitionChanged(partition),
      },
    }
  }

  #leaderOf({ topic, partition }: TopicPartition): CurrentLeader | null {
    const registration = this.#brokers.image.topics.byName.get(topic)?.partitions[partition]
    if (registration === undefined) return null
    return { leaderId: registration.leader, leaderEpoch: registration.leaderEpoch }
  }

  #preferredReplica(partition: Partition, rack: string, fetchOffset: number): NodeId | null {
    if (this.#options.replicaSelector !== 'rack-aware' || rack === '') return null
    return preferredReplica(rack, { rack: this.#options.rack }, this.#readableFollowers(partition, fetchOffset))
  }

  *#readableFollowers(partition: Partition, fetchOffset: number): Iterable<ReadableReplica> {
    const state = partition.leaderState
    for (const follower of state?.followers() ?? []) {
      const hasOffset = follower.durableEnd >= fetchOffset && follower.logStart <= fetchOffset
      if (!hasOffset || !this.#brokers.isAlive(follower.id) || !partition.isr.includes(follower.id)) continue
      const { id, durableEnd: logEndOffset, caughtUpMs } = follower
      yield { id, rack: this.#brokers.rackOf(id), logEndOffset, caughtUpMs }
    }
  }
}
