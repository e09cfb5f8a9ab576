/**
 * Makes this broker host what the metadata assigns to it: opens and drops replicas, gives them their roles, and tells whoever
 * follows, serves or listens.
 */
import type { Logger, Scheduler } from '@kavka/kernel'
import type { MetadataChanges, MetadataImage, PartitionRegistration, TopicImage } from '@kavka/controller'
import { ErrorCode, ZERO_UUID } from '@kavka/protocol'
import type { NodeId, TopicPartition } from '@kavka/protocol'
import type { LogConfig } from '@kavka/storage'
import type { BrokerDirectory } from './broker-directory.ts'
import type { DirectoryAssignments } from '../controller-asks/directory-assignments.ts'
import type { FollowerFetchers } from '../streams/follower-fetchers.ts'
import type { HostedPartitions } from './hosted-partitions.ts'
import type { LeaderStreams } from '../streams/leader-streams.ts'
import type { LeadershipListeners } from './leadership-listeners.ts'
import type { LogStore } from '../log-store.ts'
import { Partition } from '../partition/partition.ts'
import type { PartitionDependencies } from '../partition/partition.ts'
import type { PartitionKey } from '../ports.ts'
import { ReplicaCreations } from './replica-creations.ts'
import { assignedDirectory } from '../partition/replica-health.ts'

export interface ReplicaHostingOptions {
  readonly nodeId: NodeId
  /** `replica.lag.time.max.ms` */
  readonly replicaLagTimeMsMax: number
}

export interface ReplicaHostingDependencies {
  readonly logs: LogStore
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly logConfigOf: (topic: string, image: MetadataImage) => LogConfig
  readonly hosted: HostedPartitions
  readonly brokers: BrokerDirectory
  readonly fetchers: FollowerFetchers
  readonly streams: LeaderStreams
  readonly listeners: LeadershipListeners
  readonly assignments: DirectoryAssignments
  /** What each replica is given. */
  readonly partition: PartitionDependencies
}

export class ReplicaHosting {
  readonly #options: ReplicaHostingOptions
  readonly #dependencies: ReplicaHostingDependencies
  readonly #hosted: HostedPartitions
  readonly #fetchers: FollowerFetchers
  readonly #streams: LeaderStreams
  readonly #listeners: LeadershipListeners
  readonly #assignments: DirectoryAssignments
  readonly #creations: ReplicaCreations
  /** As last published. */
  #image: MetadataImage | null = null

  constructor(options: ReplicaHostingOptions, dependencies: ReplicaHostingDependencies) {
    this.#options = options
    this.#dependencies = dependencies
    this.#hosted = dependencies.hosted
    this.#fetchers = dependencies.fetchers
    this.#streams = dependencies.streams
    this.#listeners = dependencies.listeners
    this.#assignments = dependencies.assignments
    this.#creations = new ReplicaCreations((key) => this.#createLate(key), dependencies)
  }

  publish(image: MetadataImage, changes: MetadataChanges, previous: MetadataImage): void {
    this.#image = image
    this.#dependencies.brokers.update(image)
    for (const topic of changes.topicsDeleted.values()) this.#deleteTopic(topic)
    this.#reconfigure(image, changes)
    for (const topicId of changes.topicsCreatedOrChanged) {
      const topic = image.topics.byId.get(topicId)
      if (topic !== undefined) this.#applyTopic(topic, previous.topics.byId.get(topicId), image)
    }
    this.#applyBrokers(image, changes, previous)
  }

  stop(): void {
    this.#creations.stop()
  }

  /** Marks the logs as stray that no partition of this broker claims. */
  setStraysAside(): void {
    for (const log of this.#dependencies.logs.logs()) {
      if (this.#hosted.find(log.topicPartition)?.topicId === log.topicId) continue
      this.#dependencies.logger.warn({ partition: log.directory }, 'a log that is not assigned here is set aside')
      this.#dependencies.logs.markStray(log.topicPartition)
    }
  }

  /** The log of the partition failed under it. */
  failed(partition: Partition, cause: Error): void {
    if (partition.role === 'offline') return
    this.#dependencies.logger.error({ partition: partition.name, cause }, 'the log failed: the replica is offline')
    this.#fetchers.unfollow(partition)
    const change = partition.takeOffline(ErrorCode.KAFKA_STORAGE_ERROR)
    this.#streams.partitionChanged(partition)
    this.#listeners.tell(partition, change)
  }

  /** In-sync sets and claims of directories, as time and brokers' states have changed them. */
  reviewAll(): void {
    for (const partition of this.#hosted.all()) {
      partition.reviewIsr()
      this.#assignments.review(partition)
    }
  }

  #applyTopic(topic: TopicImage, before: TopicImage | undefined, image: MetadataImage): void {
    for (const registration of topic.partitions) {
      const known = this.#hosted.findById({ topicId: topic.id, partition: registration.partition })
      if (known !== null && before?.partitions[registration.partition] === registration) continue
      if (registration.replicas.includes(this.#options.nodeId)) {
        if (known === null && this.#mustWait(topic, registration)) continue
        this.#applyPartition(known ?? this.#host(topic, registration, image), registration)
      } else if (known !== null) {
        this.#drop(known)
      }
    }
  }

  /** Only for logs that have to be made: those that a start has opened are taken at once. */
  #mustWait(topic: TopicImage, { partition }: PartitionRegistration): boolean {
    if (this.#dependencies.logs.get({ topic: topic.name, partition }) !== null) return false
    return !this.#creations.admit({ topicId: topic.id, partition })
  }

  /** By the metadata of now: the topic may be gone, or the replica assigned elsewhere. */
  #createLate(key: PartitionKey): void {
    const image = this.#image!
    const topic = image.topics.byId.get(key.topicId)
    const registration = topic?.partitions[key.partition]
    if (topic === undefined || registration?.replicas.includes(this.#options.nodeId) !== true) return
    this.#applyPartition(this.#host(topic, registration, image), registration)
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
      this.#dependencies.partition,
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
    this.reviewAll()
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
}
