import type { MetadataPublisher } from '@kavka/controller'
import type { LeaderEpoch, NodeId, Offset, TopicPartition, Uuid } from '@kavka/protocol'
import type { AbortedTransaction, AppendOrigin, LentMemory, PartitionLog } from '@kavka/storage'

/** The replicas of this broker: what handlers and coordinators ask, and what follows the metadata. */
export interface ReplicaManager extends MetadataPublisher {
  /** Appends to partitions led here; resolves when `acks` is satisfied, refused or out of time, a result for each entry in order. */
  append(request: AppendRequest): Promise<readonly AppendResult[]>
  /** Reads for consumers; waits up to `waitMsMax` for `bytesMin`. */
  fetch(request: FetchParameters): Promise<readonly FetchPartitionResult[]>
  listOffset(query: OffsetQuery): Promise<OffsetAnswer>
  offsetForLeaderEpoch(query: LeaderEpochQuery): LeaderEpochAnswer
  deleteRecords(
    partitions: readonly { readonly topicPartition: TopicPartition; readonly offset: number }[],
    timeoutMs: number,
  ): Promise<readonly { readonly errorCode: number; readonly lowWatermark: number }[]>
  /** Every partition with a replica here. */
  partitions(): Iterable<PartitionView>
  partition(topicPartition: TopicPartition): PartitionView | null
  /** Coordinators learn here which partitions of their internal topic they own. Called in metadata order, after the replica's own state changed. */
  onLeadership(topic: string, listener: LeadershipListener): void
  /** Stops fetchers and answers everything parked; leaves the logs to the log manager. */
  stop(): Promise<void>
}

export interface LeadershipListener {
  elected(partition: number, leaderEpoch: LeaderEpoch): void
  resigned(partition: number, leaderEpoch: LeaderEpoch): void
}

export interface AppendRequest {
  /** -1 all in-sync replicas, 1 the leader, 0 nobody waits. */
  readonly acks: -1 | 0 | 1
  readonly timeoutMs: number
  readonly origin: AppendOrigin
  /** As in `PartitionLog.appendAsLeader` (KIP-890); 0 when absent. */
  readonly transactionVersion?: number
  readonly entries: readonly AppendEntry[]
}

export interface AppendEntry {
  readonly topicPartition: TopicPartition
  /** Null for versions that name topics: no check. */
  readonly topicId: Uuid | null
  /** The memory of the request frame: offsets and epoch are patched in place, the bytes are kept by the tail cache. */
  readonly records: Buffer
}

export interface AppendResult {
  readonly errorCode: number
  readonly errorMessage: string | null
  /** -1 on error. */
  readonly baseOffset: number
  /** Offset after the last record appended; -1 on error. */
  readonly endOffset: number
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string }[]
  /** Set with NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH, for KIP-951. */
  readonly currentLeader: CurrentLeader | null
}

export interface CurrentLeader {
  readonly leaderId: NodeId | null
  readonly leaderEpoch: LeaderEpoch
}

export interface FetchParameters {
  readonly isolation: 'read_uncommitted' | 'read_committed'
  /** Consumers of old versions may not read from followers (KIP-392). */
  readonly followerReads: 'allowed' | 'refused'
  readonly rack: string
  readonly clientId: string
  readonly bytesMin: number
  readonly bytesMax: number
  readonly waitMsMax: number
  readonly partitions: readonly FetchPartition[]
}

export interface FetchPartition {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid | null
  /** As sent: may be out of any range. */
  readonly fetchOffset: number
  readonly bytesMax: number
  /** -1: not checked. */
  readonly currentLeaderEpoch: number
  /** -1: no divergence check (KIP-595). */
  readonly lastFetchedEpoch: number
}

export interface FetchPartitionResult {
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number } | null
  /** Null for read_uncommitted. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  readonly preferredReadReplica: NodeId | null
  readonly records: readonly Buffer[]
  readonly recordsSizeBytes: number
  /** What `records` lie in, to be given back when they have been sent; null where they are not lent. */
  readonly memory: LentMemory | null
  readonly currentLeader: CurrentLeader | null
}

export interface OffsetQuery {
  readonly topicPartition: TopicPartition
  /** As in ListOffsets: -1 latest, -2 earliest, -3 max timestamp, -4 earliest local, -5 latest tiered, -6 earliest pending upload, else a time. */
  readonly timestamp: number
  readonly currentLeaderEpoch: number
  readonly isolation: 'read_uncommitted' | 'read_committed'
}

export interface OffsetAnswer {
  /** OFFSET_NOT_AVAILABLE while a new leader's high watermark is below its epoch start; the handler maps it for old versions. */
  readonly errorCode: number
  readonly offset: number
  readonly timestampMs: number
  readonly leaderEpoch: number
}

export interface LeaderEpochQuery {
  readonly topicPartition: TopicPartition
  readonly currentLeaderEpoch: number
  readonly leaderEpoch: number
}

export interface LeaderEpochAnswer {
  readonly errorCode: number
  readonly leaderEpoch: number
  readonly endOffset: number
}

/** What metrics, DescribeLogDirs and coordinators read of one local replica. */
export interface PartitionView {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly log: PartitionLog
  readonly role: 'leader' | 'follower' | 'offline'
  readonly leaderId: NodeId | null
  readonly leaderEpoch: LeaderEpoch
  readonly replicas: readonly NodeId[]
  readonly isr: readonly NodeId[]
  readonly highWatermark: Offset
  readonly isUnderReplicated: boolean
  readonly isUnderMinIsr: boolean
  readonly isAtMinIsr: boolean
}
