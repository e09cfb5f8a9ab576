import { ErrorCode } from '@kavka/protocol'
import { coordinatorErrorOf } from '../../coordinators/append-errors.ts'
import { EffectOutbox } from '../../coordinators/coordinator-core.ts'
import type {
  CoordinatorCore,
  CoordinatorEffect,
  CoordinatorRecord,
  Correlation,
  Now,
  PendingAppend,
  ReplayedMarker,
  ReplayedRecord,
} from '../../coordinators/coordinator-core.ts'
import { DeadlineQueue } from '../../coordinators/deadline-queue.ts'
import { joinError, restartSession, syncError } from './classic-context.ts'
import type { ClassicContext } from './classic-context.ts'
import { describeClassicGroup } from './classic-describe.ts'
import type { ClassicGroup, GroupTimer } from './classic-group.ts'
import { joinGroup } from './classic-join.ts'
import { allLeave, leaveGroup } from './classic-leave.ts'
import { dissolveNewGroup, joinTimerPassed, prepareRebalance, sessionExpired, syncTimerPassed } from './classic-rebalance.ts'
import { heartbeat, syncGroup } from './classic-sync.ts'
import type {
  DescribedGroup,
  ErrorAnswer,
  GroupRequestContext,
  GroupView,
  HeartbeatInput,
  JoinGroupAnswer,
  JoinGroupInput,
  LeaveGroupAnswer,
  LeaveGroupInput,
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
} from '../group-coordinator-api.ts'
import type { GroupOptions } from '../group-options.ts'
import { newGroupRecord, offsetTombstone } from './group-records.ts'
import { GroupRemovals } from './group-removals.ts'
import { GroupReplay } from './group-replay.ts'
import { GroupTable } from './group-table.ts'
import { groupNotFound, groupViews } from './group-views.ts'
import { absentGroupErrorOf, commitErrorOf, transactionalCommitErrorOf } from './offset-validation.ts'
import { appendCommit, commitRefused, expireTimestampOf, fetchOffsets, planCommit } from './offsets-core.ts'
import type { Commit } from './offsets-core.ts'

export interface GroupPartitionDependencies {
  newUuid(): string
}

/**
 * The group coordinator of one partition of `__consumer_offsets`, synchronous and without IO: requests, time
 * and fates of appends in, records and answers out. Membership is soft and changes at once; a generation's
 * assignment, offsets and deletions count only when their records are committed.
 */
export class GroupPartitionCore implements CoordinatorCore {
  readonly #options: GroupOptions
  readonly #outbox = new EffectOutbox()
  readonly #timers = new DeadlineQueue<GroupTimer>()
  readonly #table = new GroupTable()
  readonly #replay = new GroupReplay(this.#table)
  readonly #context: ClassicContext
  readonly #removals: GroupRemovals

  constructor(options: GroupOptions, dependencies: GroupPartitionDependencies) {
    this.#options = options
    this.#context = {
      options,
      outbox: this.#outbox,
      timers: this.#timers,
      newUuid: () => dependencies.newUuid(),
    }
    this.#removals = new GroupRemovals(options, { outbox: this.#outbox, timers: this.#timers, table: this.#table })
  }

  joinGroup(
    correlation: Correlation<JoinGroupAnswer>,
    client: GroupRequestContext,
    request: JoinGroupInput,
    now: Now,
  ): void {
    const { groupId, memberId } = request
    if (this.#table.foreign(groupId) !== null) {
      this.#outbox.reply(correlation, joinError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, ''))
      return
    }
    const existing = this.#table.classic(groupId)
    if (existing === null && memberId !== '') {
      this.#outbox.reply(correlation, joinError(ErrorCode.UNKNOWN_MEMBER_ID, memberId))
      return
    }
    const group = existing ?? this.#table.create(groupId, now.wallMs)
    joinGroup(this.#context, group, { correlation, client, request, now })
    if (existing === null) this.#storeNewGroup(group, now)
  }

  /**
   * A join that was refused leaves no group behind; one that was accepted is worth a record, so that a
   * failover finds the group.
   */
  #storeNewGroup(group: ClassicGroup, now: Now): void {
    if (group.members.size === 0 && group.pendingJoin.size === 0) {
      this.#table.remove(group.groupId)
      return
    }
    this.#append([newGroupRecord(group.groupId, now.wallMs)], {
      committed: () => {},
      timedOut: () => {},
      failed: (errorCode, failedAt) => {
        const isStillNew = group.generationId === 0 && (group.state.kind === 'Empty' || group.state.kind === 'PreparingRebalance')
        if (!isStillNew || this.#table.classic(group.groupId) !== group) return
        dissolveNewGroup(this.#context, group, errorCode, failedAt)
        this.#table.erase(group.groupId)
      },
    })
  }

  syncGroup(correlation: Correlation<SyncGroupAnswer>, request: SyncGroupInput): void {
    const group = this.#table.classic(request.groupId)
    if (group === null) this.#outbox.reply(correlation, syncError(ErrorCode.UNKNOWN_MEMBER_ID))
    else syncGroup(this.#context, group, correlation, request)
  }

  heartbeat(request: HeartbeatInput, now: Now): ErrorAnswer {
    const group = this.#table.classic(request.groupId)
    if (group === null) return { errorCode: ErrorCode.UNKNOWN_MEMBER_ID }
    return { errorCode: heartbeat(this.#context, group, request, now) }
  }

  leaveGroup(request: LeaveGroupInput, now: Now): LeaveGroupAnswer {
    const group = this.#table.classic(request.groupId)
    if (group === null) return allLeave(request, ErrorCode.UNKNOWN_MEMBER_ID)
    return leaveGroup(this.#context, group, request, now)
  }

  commitOffsets(
    correlation: Correlation<OffsetCommitAnswer>,
    apiVersion: number,
    request: OffsetCommitInput,
    now: Now,
  ): void {
    const { groupId, topics } = request
    const generationId = request.generationIdOrMemberEpoch
    const errorCode = this.#commitErrorOf(request, apiVersion)
    if (errorCode !== ErrorCode.NONE) {
      this.#outbox.reply(correlation, commitRefused(topics, errorCode))
      return
    }
    this.#countAsHeartbeat(groupId, request.memberId, generationId, now)
    const expireTimestampMs = expireTimestampOf(request.retentionTimeMs, now)
    const plan = planCommit(topics, this.#options.offsetMetadataMaxBytes, { commitTimestampMs: now.wallMs, expireTimestampMs })
    this.#appendCommit({ groupId, correlation, plan, target: { kind: 'plain' } })
  }

  #commitErrorOf(request: OffsetCommitInput, apiVersion: number): number {
    const generationId = request.generationIdOrMemberEpoch
    if (this.#table.foreign(request.groupId) !== null) return ErrorCode.UNKNOWN_MEMBER_ID
    const group = this.#table.classic(request.groupId)
    if (group === null) return absentGroupErrorOf(generationId, apiVersion)
    return commitErrorOf(group, { generationId, memberId: request.memberId, groupInstanceId: request.groupInstanceId })
  }

  /** A consumer that commits is alive. */
  #countAsHeartbeat(groupId: string, memberId: string, generationId: number, now: Now): void {
    const member = generationId < 0 ? undefined : this.#table.classic(groupId)?.members.get(memberId)
    if (member !== undefined) restartSession(this.#context, member, now)
  }

  commitTransactionalOffsets(
    correlation: Correlation<OffsetCommitAnswer>,
    request: TransactionalOffsetCommitInput,
    now: Now,
  ): void {
    const { groupId, topics, producerId, producerEpoch } = request
    const errorCode = this.#transactionalErrorOf(request)
    if (errorCode !== ErrorCode.NONE) {
      this.#outbox.reply(correlation, commitRefused(topics, errorCode))
      return
    }
    const plan = planCommit(topics, this.#options.offsetMetadataMaxBytes, {
      commitTimestampMs: now.wallMs,
      expireTimestampMs: -1,
    })
    this.#appendCommit({ groupId, correlation, plan, target: { kind: 'transactional', producerId, producerEpoch } })
  }

  #transactionalErrorOf(request: TransactionalOffsetCommitInput): number {
    if (this.#table.foreign(request.groupId) !== null) return ErrorCode.UNKNOWN_MEMBER_ID
    const group = this.#table.classic(request.groupId)
    if (group !== null) return transactionalCommitErrorOf(group, request)
    return request.generationId < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
  }

  #appendCommit(commit: Commit): void {
    appendCommit(this.#outbox, commit, this.#table)
  }

  completeTransaction(correlation: Correlation<ErrorAnswer>, marker: TransactionMarker): void {
    const { producerId, producerEpoch, coordinatorEpoch, result } = marker
    this.#outbox.append({
      payload: { kind: 'marker', producerId, producerEpoch, coordinatorEpoch, result },
      committed: () => {
        this.#table.endTransaction(producerId, result)
        this.#outbox.reply(correlation, { errorCode: ErrorCode.NONE })
      },
      failed: (errorCode) => this.#outbox.reply(correlation, { errorCode: coordinatorErrorOf(errorCode) }),
      timedOut: () => this.#outbox.reply(correlation, { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }),
    })
  }

  fetchOffsets(request: OffsetFetchInput): OffsetFetchAnswer {
    const { groupId } = request
    const isDead = this.#table.classic(groupId)?.state.kind === 'Dead'
    return fetchOffsets(isDead ? null : this.#table.offsets(groupId), request)
  }

  /** Reads when a record that changes nothing is committed: every replica in sync still followed this leader after the request came. */
  readConfirmed<Answer>(
    correlation: Correlation<Answer>,
    groupId: string,
    read: () => Answer,
    refused: (errorCode: number) => Answer,
  ): void {
    this.#append([nothing(groupId)], {
      committed: () => this.#outbox.reply(correlation, read()),
      failed: (errorCode) => this.#outbox.reply(correlation, refused(coordinatorErrorOf(errorCode))),
      timedOut: () => this.#outbox.reply(correlation, refused(ErrorCode.COORDINATOR_NOT_AVAILABLE)),
    })
  }

  deleteOffsets(correlation: Correlation<OffsetDeleteAnswer>, request: OffsetDeleteInput): void {
    this.#removals.deleteOffsets(correlation, request)
  }

  describeGroup(groupId: string): DescribedGroup {
    const group = this.#table.classic(groupId)
    return group === null || group.state.kind === 'Dead' ? groupNotFound(groupId) : describeClassicGroup(group)
  }

  deleteGroup(correlation: Correlation<ErrorAnswer>, groupId: string, now: Now): void {
    this.#removals.deleteGroup(correlation, groupId, now)
  }

  topicsDeleted(topics: ReadonlySet<string>): void {
    this.#removals.topicsDeleted(topics)
  }

  groups(): Iterable<GroupView> {
    return groupViews(this.#table)
  }

  /** Records of the log that could not be read; each is a reason for a line in the log. */
  get unreadableRecords(): number {
    return this.#replay.unreadableRecords
  }

  replay(record: ReplayedRecord): void {
    this.#replay.record(record)
  }

  replayMarker(marker: ReplayedMarker): void {
    this.#replay.marker(marker)
  }

  /** Sessions start anew: members had no coordinator to send heartbeats to. */
  loaded(now: Now): void {
    for (const group of this.#table.classicGroups()) {
      for (const member of group.members.values()) restartSession(this.#context, member, now)
      if (group.members.size > this.#options.groupMaxSize) prepareRebalance(this.#context, group, now)
    }
    this.#removals.scheduleExpiry(now)
  }

  nextDeadlineMs(): number | null {
    return this.#timers.nextMs()
  }

  expire(now: Now): void {
    for (let timer = this.#timers.pop(now.monotonicMs); timer !== null; timer = this.#timers.pop(now.monotonicMs)) {
      if (timer.kind === 'offset-expiry') this.#removals.expireOffsets(now)
      else this.#groupTimerPassed(timer, now)
    }
  }

  #groupTimerPassed(timer: Exclude<GroupTimer, { readonly kind: 'offset-expiry' }>, now: Now): void {
    const group = this.#table.classic(timer.groupId)
    if (group === null) return
    if (timer.kind === 'session') sessionExpired(this.#context, group, timer.memberId, now)
    else if (timer.kind === 'join') joinTimerPassed(this.#context, group, now)
    else syncTimerPassed(this.#context, group, now)
  }

  #append(records: readonly CoordinatorRecord[], fate: Omit<PendingAppend, 'payload'>): void {
    this.#outbox.append({ payload: { kind: 'records', records }, ...fate })
  }

  takeEffects(): CoordinatorEffect[] {
    return this.#outbox.take()
  }
}

/** Forgets the offset of a partition that no topic has; compaction drops it in time. */
function nothing(groupId: string): CoordinatorRecord {
  return offsetTombstone(groupId, '', -1)
}
