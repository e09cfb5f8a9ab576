/**
 * All replicas of this broker: follows the metadata, hosts what clients and coordinators ask, and serves and follows other
 * brokers' streams. The rules are in `core/`, the work of each request in the `…-path` files; here they are put together.
 */
import { every } from '@kavka/kernel'
import type { Logger, Random, Scheduler, TimerHandle } from '@kavka/kernel'
import type { ControllerChannel, MetadataChanges, MetadataImage, PartitionRegistration, TopicImage } from '@kavka/controller'
import { ErrorCode, ZERO_UUID } from '@kavka/protocol'
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
import { BrokerDirectory } from './broker-directory.ts'
import { preferredReplica } from './core/preferred-replica.ts'
import type { ReadableReplica } from './core/preferred-replica.ts'
import { DeleteRecordsPath } from './delete-records-path.ts'
import type { DeleteRecordsEntry, DeleteRecordsResult } from './delete-records-path.ts'
import { assignedDirectory } from './replica-health.ts'
import { DirectoryAssignments } from './directory-assignments.ts'
import { FetchPath } from './fetch-path.ts'
import { FollowerFetchers } from './follower-fetchers.ts'
import { HostedPartitions } from './hosted-partitions.ts'
import { IsrUpdates } from './isr-updates.ts'
import { LeaderStreams } from './leader-streams.ts'
import { LeadershipListeners } from './leadership-listeners.ts'
import type { LogStore } from './log-store.ts'
import { readMetrics } from './metrics-view.ts'
import type { ReplicationMetricsView } from './metrics-view.ts'
import { listOffset, offsetForLeaderEpoch } from './offset-queries.ts'
import { Partition } from './partition.ts'
import type { PartitionDependencies } from './partition.ts'
import type { PartitionDirectory } from './partition-lookup.ts'
import type { ReplicationTransport } from './ports.ts'
import { ProducePath } from './produce-path.ts'
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
  readonly #dependencies: ReplicaManagerDependencies
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
  readonly #partitionDependencies: PartitionDependencies
  readonly #isrReview: TimerHandle
  readonly #directory: PartitionDirectory
  #stopped = false

  constructor(options: ReplicaManagerOptions, dependencies: ReplicaManagerDependencies) {
    this.#options = options
    this.#dependencies = dependencies
    const { scheduler, logger, random, transport } = dependencies
    const { nodeId: localId, clusterId, parkedMax } = options
    this.#brokers = new BrokerDirectory({ listener: options.interBrokerListener })
    const brokers = this.#brokers
    const brokerEpochOf = (id: NodeId): number =>
      id === localId ? dependencies.brokerEpoch() : brokers.brokerEpochOf(id)
    this.#directory = {
      find: (topicPartition) => this.#hosted.find(topicPartition),
      leaderOf: (topicPartition) => this.#leaderOf(topicPartition),
    }
    const directory = this.#directory
    this.#produce = new ProducePath({ parkedMax }, { directory, scheduler })
    this.#deletions = new DeleteRecordsPath({ parkedMax }, { directory, scheduler })
    this.#fetch = new FetchPath(
      { bytesMax: options.fetchBytesMax, parkedMax },
      {
        directory,
        scheduler,
        preferredReadReplica: (partition, rack, fetchOffset) => this.#preferredReplica(partition, rack, fetchOffset),
      },
    )
    const asked = { localId, requestTimeoutMs: options.controllerRequestTimeoutMs }
    this.#isrUpdates = new IsrUpdates(asked, { ...dependencies, counters: this.#counters })
    this.#assignments = new DirectoryAssignments(asked, dependencies)
    this.#streams = new LeaderStreams(
      { clusterId, localId, frameBytesMax: options.replicaFrameBytesMax },
      {
        scheduler,
        logger,
        counters: this.#counters,
        find: (key) => this.#hosted.findById(key),
        brokerEpochOf: (id) => brokers.brokerEpochOf(id),
      },
    )
    this.#fetchers = new FollowerFetchers(
      { clusterId, localId, framesInFlightMax: options.replicaFramesInFlightMax, backoff: options.replicaBackoff },
      {
        transport,
        scheduler,
        random,
        logger,
        counters: this.#counters,
        brokerEpoch: dependencies.brokerEpoch,
        addressOf: (id) => brokers.addressOf(id),
      },
    )
    this.#partitionDependencies = {
      scheduler,
      logger,
      isEligible: (id, brokerEpoch) => brokers.isEligible(id, brokerEpoch),
      isAlive: (id) => brokers.isAlive(id),
      hasOnlineDirectory: (id, directory) => brokers.hasOnlineDirectory(id, directory),
      brokerEpochOf,
      events: {
        proposed: (partition, proposal) => this.#isrUpdates.propose(partition, proposal),
        acknowledge: (partition) => this.#fetchers.acknowledge(partition),
        failed: (partition, cause) => this.#failed(partition, cause),
        damaged: (partition) => this.#assignments.review(partition),
        emptied: (partition) => this.#assignments.review(partition),
        proved: (partition) => this.#streams.partitionChanged(partition),
      },
    }
    transport.onFollower((hello, stream) => this.#streams.accept(hello, stream))
    // Twice in the time that a follower may lag, as Kafka does.
    this.#isrReview = every(scheduler, options.replicaLagTimeMsMax / 2, () => this.#reviewAll())
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
    if (this.#stopped) return
    this.#brokers.update(image)
    for (const topic of changes.topicsDeleted.values()) this.#deleteTopic(topic)
    this.#reconfigure(image, changes)
    for (const topicId of changes.topicsCreatedOrChanged) {
      const topic = image.topics.byId.get(topicId)
      if (topic !== undefined) this.#applyTopic(topic, previous.topics.byId.get(topicId), image)
    }
    this.#applyBrokers(image, changes, previous)
  }

  /**
   * Marks logs that no partition of this broker claims as stray. To be called once, when the metadata has caught up after
   * the start: before that a log may only seem to be nobody's.
   */
  setStraysAside(): void {
    for (const log of this.#dependencies.logs.logs()) {
      if (this.#hosted.find(log.topicPartition)?.topicId === log.topicId) continue
      this.#dependencies.logger.warn({ partition: log.directory }, 'a log that is not assigned here is set aside')
      this.#dependencies.logs.markStray(log.topicPartition)
    }
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#isrReview.cancel()
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

  #applyTopic(topic: TopicImage, before: TopicImage | undefined, image: MetadataImage): void {
    for (const registration of topic.partitions) {
      const known = this.#hosted.findById({ topicId: topic.id, partition: registration.partition })
      if (known !== null && before?.partitions[registration.partition] === registration) continue
      if (registration.replicas.includes(this.#options.nodeId)) {
        this.#applyPartition(known ?? this.#host(topic, registration, image), registration)
      } else if (known !== null) {
        this.#drop(known)
      }
    }
  }

  #applyPartition(partition: Partition, registration: PartitionRegistration): void {
    const stateBefore = partition.current.kind === 'offline' ? null : partition.current.state
    const change = partition.follow(registration)
    const { current } = partition
    if (current.kind === 'follower' && current.state !== null) {
      if (current.state !== stateBefore) this.#fetchers.follow(partition, current.state.leaderId)
    } else {
      this.#fetchers.unfollow(partition)
    }
    this.#streams.partitionChanged(partition)
    this.#listeners.tell(partition, change)
    this.#assignments.review(partition)
  }

  #host(topic: TopicImage, registration: PartitionRegistration, image: MetadataImage): Partition {
    const topicPartition = { topic: topic.name, partition: registration.partition }
    const { nodeId: localId, replicaLagTimeMsMax: lagMsMax } = this.#options
    const partition = new Partition(
      { topicPartition, topicId: topic.id, localId, lagMsMax },
      registration,
      this.#partitionDependencies,
    )
    this.#hosted.add(partition)
    const { logs, logConfigOf, logger } = this.#dependencies
    this.#setPredecessorAside(topicPartition, topic, image)
    const assigned = assignedDirectory(registration, localId)
    const opened = logs.getOrCreate(topicPartition, topic.id, logConfigOf(topic.name, image), assigned)
    if (opened.ok) {
      partition.openLog(opened.value, logs.checkpointedHighWatermark(topicPartition), logs.directoryIdOf(topicPartition))
    } else {
      const { errorCode, message } = opened.error
      logger.error({ partition: partition.name, errorCode }, `the replica is offline: ${message}`)
      partition.takeOffline(errorCode)
    }
    return partition
  }

  /** A topic that was deleted and created again while this broker was down: the log of its predecessor still has the name. */
  #setPredecessorAside(topicPartition: TopicPartition, topic: TopicImage, image: MetadataImage): void {
    const { logs, logger } = this.#dependencies
    const log = logs.get(topicPartition)
    if (log === null || log.topicId === topic.id || log.topicId === ZERO_UUID || image.topics.byId.has(log.topicId)) return
    logger.warn({ partition: log.directory, topicId: log.topicId }, 'the log of a deleted topic of this name is set aside')
    logs.markStray(topicPartition)
  }

  #deleteTopic(topic: TopicImage): void {
    for (const partition of this.#hosted.ofTopic(topic.id)) this.#drop(partition)
  }

  /** The partition is not this broker's any more: its log goes. */
  #drop(partition: Partition): void {
    this.#fetchers.unfollow(partition)
    this.#assignments.forget(partition)
    this.#hosted.remove(partition)
    const change = partition.takeOffline(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    this.#streams.partitionChanged(partition)
    this.#listeners.tell(partition, change)
    // A replica that never got its log must not delete that of another topic with its name.
    const log = this.#dependencies.logs.get(partition.topicPartition)
    if (log?.topicId === partition.topicId) this.#dependencies.logs.delete(partition.topicPartition)
  }

  #failed(partition: Partition, cause: Error): void {
    if (partition.role === 'offline') return
    this.#dependencies.logger.error({ partition: partition.name, cause }, 'the log failed: the replica is offline')
    this.#fetchers.unfollow(partition)
    const change = partition.takeOffline(ErrorCode.KAFKA_STORAGE_ERROR)
    this.#streams.partitionChanged(partition)
    this.#listeners.tell(partition, change)
  }

  #reconfigure(image: MetadataImage, changes: MetadataChanges): void {
    let allTopics = false
    const topics = new Set<string>()
    for (const key of changes.configsChanged) {
      if (key.startsWith('2:')) topics.add(key.slice(2))
      if (key.startsWith('4:')) allTopics = true
    }
    if (!allTopics && topics.size === 0) return
    for (const partition of this.#hosted.all()) {
      const { topic } = partition.topicPartition
      if (partition.role === 'offline' || !(allTopics || topics.has(topic))) continue
      partition.log.reconfigure(this.#dependencies.logConfigOf(topic, image))
      partition.reviewIsr()
    }
  }

  #applyBrokers(image: MetadataImage, changes: MetadataChanges, previous: MetadataImage): void {
    if (changes.brokersChanged.size === 0) return
    for (const id of changes.brokersChanged) {
      this.#streams.brokerChanged(id)
      if (id === this.#options.nodeId) this.#ownRegistrationChanged(image, previous)
      else this.#leaderRegistrationChanged(id, image, previous)
    }
    // Whoever became eligible may join now; whoever died no longer holds back a low watermark.
    this.#reviewAll()
  }

  #leaderRegistrationChanged(id: NodeId, image: MetadataImage, previous: MetadataImage): void {
    const now = image.brokers.get(id)
    const before = previous.brokers.get(id)
    const isSameProcess = now?.incarnationId === before?.incarnationId && now?.epoch === before?.epoch
    this.#fetchers.leaderChanged(id, isSameProcess ? 'retry' : 'reconnect')
  }

  #ownRegistrationChanged(image: MetadataImage, previous: MetadataImage): void {
    const before = previous.brokers.get(this.#options.nodeId)?.epoch
    if (before !== undefined && before !== image.brokers.get(this.#options.nodeId)?.epoch) this.#fetchers.reconnectAll()
  }

  #reviewAll(): void {
    for (const partition of this.#hosted.all()) {
      partition.reviewIsr()
      this.#assignments.review(partition)
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
