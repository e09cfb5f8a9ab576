import type { Logger, Random, Scheduler } from '@kavka/kernel'
import { coordinatorPartitionFor, ErrorCode } from '@kavka/protocol'
import type { MetadataChanges, MetadataImage, MetadataPublisher } from '@kavka/controller'
import type { ReplicaManager } from '@kavka/replication'
import type { Correlation, Now } from '../coordinators/coordinator-core.ts'
import { LogBackedCoordinator } from '../coordinators/log-backed-coordinator.ts'
import { joinError, syncError } from './core/classic-context.ts'
import { allLeave } from './core/classic-leave.ts'
import type {
  DescribedGroup,
  ErrorAnswer,
  GroupCoordinator,
  GroupRequestContext,
  GroupView,
  HeartbeatInput,
  JoinGroupAnswer,
  JoinGroupInput,
  LeaveGroupAnswer,
  LeaveGroupInput,
  ListGroupsAnswer,
  ListGroupsFilter,
  OffsetCommitAnswer,
  OffsetCommitInput,
  OffsetDeleteAnswer,
  OffsetDeleteInput,
  OffsetFetchAnswer,
  OffsetFetchInput,
  SyncGroupAnswer,
  SyncGroupInput,
  TransactionalOffsetCommitInput,
  TransactionMarker,
} from './group-coordinator-api.ts'
import { filterGroups } from './list-groups.ts'
import { newUuidText } from './member-uuid.ts'
import type { GroupOptions } from './group-options.ts'
import { GroupPartitionCore } from './core/group-partition-core.ts'
import { commitRefused } from './core/offsets-core.ts'

/** Holds groups and offsets; its number of partitions never changes once it exists. */
export const GROUP_METADATA_TOPIC = '__consumer_offsets'

export interface GroupCoordinatorOptions extends GroupOptions {
  readonly offsetsTopicNumPartitions: number
  readonly offsetsCommitTimeoutMs: number
  readonly offsetsLoadBufferSize: number
}

export interface GroupCoordinatorDependencies {
  readonly replicas: ReplicaManager
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  image(): MetadataImage
  /** False: the controller may have replaced this broker without its knowing. */
  isCountedIn(): boolean
}

/**
 * The group coordinator of a broker: finds the partition that owns a group, checks what needs no state, and
 * hands the rest to that partition's core. Publish metadata to it after the replica manager.
 */
export class LogBackedGroupCoordinator implements GroupCoordinator, MetadataPublisher {
  readonly #options: GroupCoordinatorOptions
  readonly #dependencies: GroupCoordinatorDependencies
  readonly #coordinator: LogBackedCoordinator<GroupPartitionCore>

  constructor(options: GroupCoordinatorOptions, dependencies: GroupCoordinatorDependencies) {
    const { replicas, scheduler, random, logger } = dependencies
    this.#options = options
    this.#dependencies = dependencies
    this.#coordinator = new LogBackedCoordinator(
      {
        topic: GROUP_METADATA_TOPIC,
        writeTimeoutMs: options.offsetsCommitTimeoutMs,
        loadBufferBytes: options.offsetsLoadBufferSize,
      },
      {
        replicas,
        scheduler,
        logger,
        createCore: () => new GroupPartitionCore(options, { newUuid: () => newUuidText(random) }),
        onLoaded: (partition, core) => this.#loaded(partition, core),
      },
    )
  }

  partitionOf(groupId: string): number {
    const topic = this.#dependencies.image().topics.byName.get(GROUP_METADATA_TOPIC)
    return coordinatorPartitionFor(groupId, topic?.partitions.length ?? this.#options.offsetsTopicNumPartitions)
  }

  joinGroup(context: GroupRequestContext, request: JoinGroupInput): Promise<JoinGroupAnswer> {
    const refused = (errorCode: number) => joinError(errorCode, request.memberId)
    if (request.groupId === '') return Promise.resolve(refused(ErrorCode.INVALID_GROUP_ID))
    const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = this.#options
    if (request.sessionTimeoutMs < groupMinSessionTimeoutMs || request.sessionTimeoutMs > groupMaxSessionTimeoutMs) {
      return Promise.resolve(refused(ErrorCode.INVALID_SESSION_TIMEOUT))
    }
    return this.#request(
      request.groupId,
      (core, correlation, now) => core.joinGroup(correlation, context, request, now),
      refused,
    )
  }

  syncGroup(_context: GroupRequestContext, request: SyncGroupInput): Promise<SyncGroupAnswer> {
    if (request.groupId === '') return Promise.resolve(syncError(ErrorCode.INVALID_GROUP_ID))
    return this.#request(request.groupId, (core, correlation) => core.syncGroup(correlation, request), syncError)
  }

  heartbeat(request: HeartbeatInput): Promise<ErrorAnswer> {
    if (request.groupId === '') return Promise.resolve({ errorCode: ErrorCode.INVALID_GROUP_ID })
    return this.#ask(request.groupId, (core, now) => core.heartbeat(request, now), heartbeatError)
  }

  leaveGroup(request: LeaveGroupInput): Promise<LeaveGroupAnswer> {
    if (request.groupId === '') return Promise.resolve(allLeave(request, ErrorCode.INVALID_GROUP_ID))
    return this.#ask(
      request.groupId,
      (core, now) => core.leaveGroup(request, now),
      (errorCode) => allLeave(request, errorCode),
    )
  }

  commitOffsets(context: GroupRequestContext, request: OffsetCommitInput): Promise<OffsetCommitAnswer> {
    return this.#request(
      request.groupId,
      (core, correlation, now) => core.commitOffsets(correlation, context.apiVersion, request, now),
      (errorCode) => commitRefused(request.topics, errorCode),
    )
  }

  commitTransactionalOffsets(
    _context: GroupRequestContext,
    request: TransactionalOffsetCommitInput,
  ): Promise<OffsetCommitAnswer> {
    const refused = (errorCode: number) => commitRefused(request.topics, errorCode)
    if (request.groupId === '') return Promise.resolve(refused(ErrorCode.INVALID_GROUP_ID))
    return this.#request(
      request.groupId,
      (core, correlation, now) => core.commitTransactionalOffsets(correlation, request, now),
      refused,
    )
  }

  completeTransaction(marker: TransactionMarker): Promise<ErrorAnswer> {
    return this.#coordinator.request<ErrorAnswer>(
      marker.partition,
      (core, correlation) => core.completeTransaction(correlation, marker),
      errorAnswer,
    )
  }

  fetchOffsets(request: OffsetFetchInput): Promise<OffsetFetchAnswer> {
    return this.#read(
      request.groupId,
      (core) => core.fetchOffsets(request),
      (errorCode) => ({ errorCode, topics: [] }),
    )
  }

  deleteOffsets(request: OffsetDeleteInput): Promise<OffsetDeleteAnswer> {
    const refused = (errorCode: number) => ({ errorCode, topics: [] })
    if (request.groupId === '') return Promise.resolve(refused(ErrorCode.INVALID_GROUP_ID))
    return this.#request(request.groupId, (core, correlation) => core.deleteOffsets(correlation, request), refused)
  }

  describeGroup(groupId: string): Promise<DescribedGroup> {
    return this.#read(
      groupId,
      (core) => core.describeGroup(groupId),
      (errorCode) => notDescribed(groupId, errorCode),
    )
  }

  /** A partition that still loads makes the whole list fail: a list that lacks groups would look complete. */
  listGroups(filter: ListGroupsFilter): ListGroupsAnswer {
    if (this.#coordinator.isLoading) return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, groups: [] }
    return { errorCode: ErrorCode.NONE, groups: filterGroups(this.groups(), filter) }
  }

  deleteGroup(groupId: string): Promise<ErrorAnswer> {
    return this.#request(groupId, (core, correlation, now) => core.deleteGroup(correlation, groupId, now), errorAnswer)
  }

  *groups(): Iterable<GroupView> {
    for (const core of this.#coordinator.cores()) yield* core.groups()
  }

  /** Offsets of deleted topics go with their topics. */
  publish(_image: MetadataImage, changes: MetadataChanges): void {
    if (changes.topicsDeleted.size === 0) return
    const names = new Set(Array.from(changes.topicsDeleted.values(), ({ name }) => name))
    this.#coordinator.askAll((core) => core.topicsDeleted(names))
  }

  /** Answers everything parked with NOT_COORDINATOR. */
  stop(): void {
    this.#coordinator.stop()
  }

  #loaded(partition: number, core: GroupPartitionCore): void {
    if (core.unreadableRecords === 0) return
    this.#dependencies.logger.warn(
      { topic: GROUP_METADATA_TOPIC, partition, records: core.unreadableRecords },
      'records of no known form were left out',
    )
  }

  #request<Answer>(
    groupId: string,
    operation: (core: GroupPartitionCore, correlation: Correlation<Answer>, now: Now) => void,
    refused: (errorCode: number) => Answer,
  ): Promise<Answer> {
    return this.#coordinator.request(this.partitionOf(groupId), operation, refused)
  }

  /**
   * State that clients take for the newest. A broker that the controller has not counted in lately may have been replaced as the
   * coordinator: Kafka's would go on telling what it knew. Here the replicas must confirm it first, which those that follow another leader
   * never do (as a read index in Raft, Ongaro 2014, §6.4); then COORDINATOR_NOT_AVAILABLE sends the client to look for the coordinator.
   */
  #read<Answer>(
    groupId: string,
    read: (core: GroupPartitionCore) => Answer,
    refused: (errorCode: number) => Answer,
  ): Promise<Answer> {
    if (this.#dependencies.isCountedIn()) return this.#ask(groupId, read, refused)
    return this.#request(groupId, (core, correlation) => core.readConfirmed(correlation, groupId, () => read(core), refused), refused)
  }

  #ask<Answer>(
    groupId: string,
    operation: (core: GroupPartitionCore, now: Now) => Answer,
    refused: (errorCode: number) => Answer,
  ): Promise<Answer> {
    return Promise.resolve(this.#coordinator.ask(this.partitionOf(groupId), operation, refused))
  }
}

/**
 * Loading says nothing about the member: Kafka answers a heartbeat then as if all were well, so that clients
 * do not drop what they own while a coordinator moves.
 */
function heartbeatError(errorCode: number): ErrorAnswer {
  return { errorCode: errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : errorCode }
}

function errorAnswer(errorCode: number): ErrorAnswer {
  return { errorCode }
}

function notDescribed(groupId: string, errorCode: number): DescribedGroup {
  return { errorCode, errorMessage: null, groupId, groupState: '', protocolType: '', protocolData: '', members: [] }
}
