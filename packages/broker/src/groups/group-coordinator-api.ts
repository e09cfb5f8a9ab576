import type { Uuid } from '@kavka/protocol'

/**
 * What handlers and metrics ask of the group coordinator of this broker. Inputs have the field names of
 * Kafka's messages, so that a decoded request fits as it is; answers carry Kafka error codes and never throw:
 * the coordinator that moved away, is loading or could not store a record answers NOT_COORDINATOR,
 * COORDINATOR_LOAD_IN_PROGRESS and COORDINATOR_NOT_AVAILABLE.
 */
export interface GroupCoordinator {
  /** Partition of `__consumer_offsets` that owns the group. */
  partitionOf(groupId: string): number
  joinGroup(context: GroupRequestContext, request: JoinGroupInput): Promise<JoinGroupAnswer>
  syncGroup(context: GroupRequestContext, request: SyncGroupInput): Promise<SyncGroupAnswer>
  heartbeat(request: HeartbeatInput): Promise<ErrorAnswer>
  leaveGroup(request: LeaveGroupInput): Promise<LeaveGroupAnswer>
  commitOffsets(context: GroupRequestContext, request: OffsetCommitInput): Promise<OffsetCommitAnswer>
  /**
   * TxnOffsetCommit: the offsets stay pending until the transaction's marker is written to this group's
   * partition.
   */
  commitTransactionalOffsets(
    context: GroupRequestContext,
    request: TransactionalOffsetCommitInput,
  ): Promise<OffsetCommitAnswer>
  /**
   * Writes a transaction's marker to a partition of `__consumer_offsets` and applies or drops its pending
   * offsets.
   */
  completeTransaction(marker: TransactionMarker): Promise<ErrorAnswer>
  fetchOffsets(request: OffsetFetchInput): Promise<OffsetFetchAnswer>
  deleteOffsets(request: OffsetDeleteInput): Promise<OffsetDeleteAnswer>
  describeGroup(groupId: string): Promise<DescribedGroup>
  listGroups(filter: ListGroupsFilter): ListGroupsAnswer
  deleteGroup(groupId: string): Promise<ErrorAnswer>
  /** Groups of the partitions that this broker leads and has loaded; for metrics. Read at once, not kept. */
  groups(): Iterable<GroupView>
}

/** Structurally a part of `RequestContext`. */
export interface GroupRequestContext {
  readonly apiVersion: number
  readonly clientId: string
  readonly clientHost: string
}

export interface ErrorAnswer {
  readonly errorCode: number
}

export interface JoinGroupInput {
  readonly groupId: string
  readonly sessionTimeoutMs: number
  /** -1: the session timeout counts (v0). */
  readonly rebalanceTimeoutMs: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly protocolType: string
  readonly protocols: readonly GroupProtocol[]
  readonly reason: string | null
}

export interface GroupProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinGroupAnswer extends ErrorAnswer {
  /** -1 with an error. */
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** '' with an error. */
  readonly leader: string
  /** KIP-814: a static leader that came back keeps the assignment. */
  readonly skipAssignment: boolean
  readonly memberId: string
  /** Of the leader's answer only. */
  readonly members: readonly JoinedMember[]
}

export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

export interface SyncGroupInput {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** Null below v5: not checked. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

export interface SyncGroupAnswer extends ErrorAnswer {
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export interface HeartbeatInput {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface LeaveGroupInput {
  readonly groupId: string
  readonly members: readonly LeavingMember[]
}

export interface LeavingMember {
  /** '' names the member by its instance id alone (administrative removal, KIP-345). */
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly reason: string | null
}

export interface LeaveGroupAnswer extends ErrorAnswer {
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly errorCode: number
  }[]
}

export interface OffsetCommitInput {
  readonly groupId: string
  /** -1 with no member id: a commit from outside the group (admin, assigned partitions). */
  readonly generationIdOrMemberEpoch: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** v2–4 only; -1: the broker's `offsets.retention.minutes`. */
  readonly retentionTimeMs: number
  readonly topics: readonly CommittedTopic[]
}

export interface TransactionalOffsetCommitInput {
  readonly groupId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly CommittedTopic[]
}

/** Topics are known by name inside; the handler resolves ids and sorts out what does not exist. */
export interface CommittedTopic {
  readonly name: string
  /**
   * Kept in the record so that a topic created again under the name is not taken for the old one; ZERO_UUID
   * when unknown.
   */
  readonly topicId: Uuid
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly committedLeaderEpoch: number
    readonly committedMetadata: string | null
  }[]
}

export interface OffsetCommitAnswer {
  /** A code for each partition asked for, in order. */
  readonly topics: readonly {
    readonly name: string
    readonly topicId: Uuid
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[]
}

export interface TransactionMarker {
  readonly partition: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly result: 'commit' | 'abort'
}

export interface OffsetFetchInput {
  readonly groupId: string
  /** Null: everything the group has committed. */
  readonly topics:
    | readonly { readonly name: string; readonly topicId: Uuid; readonly partitionIndexes: readonly number[] }[]
    | null
  readonly stability: 'stable-only' | 'last-committed'
}

export interface OffsetFetchAnswer extends ErrorAnswer {
  readonly topics: readonly {
    readonly name: string
    readonly topicId: Uuid
    readonly partitions: readonly FetchedOffset[]
  }[]
}

export interface FetchedOffset {
  readonly partitionIndex: number
  /** -1: nothing committed. */
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly metadata: string
  /** UNSTABLE_OFFSET_COMMIT, else NONE. */
  readonly errorCode: number
}

export interface OffsetDeleteInput {
  readonly groupId: string
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number }[]
  }[]
}

export interface OffsetDeleteAnswer extends ErrorAnswer {
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[]
}

/** As the wire names them. */
export type GroupStateName = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export interface DescribedGroup extends ErrorAnswer {
  readonly errorMessage: string | null
  readonly groupId: string
  readonly groupState: GroupStateName | ''
  readonly protocolType: string
  /** The chosen protocol; '' outside Stable. */
  readonly protocolData: string
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly clientId: string
    readonly clientHost: string
    readonly memberMetadata: Buffer
    readonly memberAssignment: Buffer
  }[]
}

export interface ListGroupsFilter {
  /** Empty: all. Case does not matter. */
  readonly states: readonly string[]
  readonly types: readonly string[]
}

export interface ListGroupsAnswer extends ErrorAnswer {
  readonly groups: readonly {
    readonly groupId: string
    readonly protocolType: string
    readonly groupState: GroupStateName
    readonly groupType: 'classic'
  }[]
}

/** One group for metrics: consumer lag is the high watermark of a partition minus its committed offset. */
export interface GroupView {
  readonly groupId: string
  readonly state: GroupStateName
  readonly protocolType: string
  readonly generationId: number
  readonly memberCount: number
  readonly offsets: Iterable<OffsetView>
}

export interface OffsetView {
  readonly topic: string
  readonly topicId: Uuid
  readonly partition: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly metadata: string
  readonly commitTimestampMs: number
}
