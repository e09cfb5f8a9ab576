import type { LeaderEpoch, Offset, TopicPartition, Uuid } from '@kavka/protocol'
import type { LentMemory } from './log/read/read-memory.ts'
import type { LogConfig } from './log-config.ts'

/**
 * One replica's log of one partition: what the replication layer and the coordinators see of the disk.
 *
 * Appends are synchronous: the offsets are assigned and the bytes are readable at once. The bytes of one event-loop turn
 * are written together when the turn ends, and synced together after that (group commit). `durableEndOffset` says how far
 * the log's own durability promise reaches: synced with `flush.messages=1`, written to the page cache otherwise.
 */
export interface PartitionLog {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly config: LogConfig

  readonly logStartOffset: Offset
  /** Offset that the next record gets. */
  readonly logEndOffset: Offset
  /** Everything below is as durable as the configuration promises. Never beyond the log end; an acknowledgment may not outrun it. */
  readonly durableEndOffset: Offset
  /** Largest leader epoch with a record in the log or an assigned start; null for an empty history. */
  readonly latestEpoch: LeaderEpoch | null
  /** min(high watermark, first offset of an open transaction or of one whose marker is not yet below the high watermark). */
  readonly lastStableOffset: Offset
  /** What retention, LSO and consumers may see. Set by the replication layer, which owns its rules. */
  readonly highWatermark: Offset

  updateHighWatermark(highWatermark: Offset): void

  /** One batch (or several, where the origin may) from a client or a coordinator: validated, given offsets and epoch in place. */
  /**
   * `transactionVersion` is that of the transaction a marker ends, or of the producer of a transactional batch (KIP-890): from 2 on
   * markers must carry a newer epoch than the data, and a producer without state must begin at sequence 0. Default 0.
   */
  appendAsLeader(records: Buffer, leaderEpoch: LeaderEpoch, origin: AppendOrigin, transactionVersion?: number): LeaderAppendOutcome
  /**
   * Batches fetched from the leader, as they are. Batches below the log end are skipped, a gap is refused.
   * `leaderEpochMax` is the epoch the fetch was sent in: batches of a larger epoch are not appended (KAFKA: stale fetch).
   */
  appendAsFollower(records: Buffer, leaderEpochMax: LeaderEpoch): FollowerAppendOutcome

  /** From the tail cache at once, else from the file. Data starts with the batch that contains `startOffset`. */
  read(request: LogReadRequest): LogReadOutcome | Promise<LogReadOutcome>

  /** Records that `epoch` starts at the current log end (a new leader does this before it serves). */
  assignEpochStart(epoch: LeaderEpoch): void
  /** Largest known epoch <= `epoch` and where the next one starts; null when nothing is known (KIP-101, KIP-279). */
  endOffsetForEpoch(epoch: LeaderEpoch): EpochEndOffset | null

  /**
   * First offset whose record timestamp is >= `timestampMs`, below the log end; null when there is none, `corrupt` when the look-up met
   * damage.
   */
  offsetForTimestamp(timestampMs: number): Promise<TimestampedOffset | 'corrupt' | null>
  offsetOfMaxTimestamp(): Promise<TimestampedOffset | 'corrupt' | null>
  /** Aborted transactions that a read of [start, end) must know (KIP-98). Over-inclusion is fine, omission is not. */
  abortedTransactions(start: Offset, end: Offset): readonly AbortedTransaction[]

  /**
   * Drops everything at and above `endOffset`; epochs, indexes and producer state follow. Not below the log start.
   * Epochs that start at or above `endOffset` go even when no record does: a former leader that wrote nothing in its epoch is asked
   * to cut at its own log end, and would report that epoch, unknown to the new leader, for ever.
   */
  truncateTo(endOffset: Offset): void
  /** Drops everything and starts again, empty, at `startOffset`. */
  truncateFullyAndStartAt(startOffset: Offset): void
  /** DeleteRecords, or the leader's log start on a follower. Returns false when `startOffset` is not beyond the current one. */
  advanceLogStartOffset(startOffset: Offset): boolean

  /** Called after a write or a sync moved `durableEndOffset`. One listener; set by the owner of the replica. */
  onDurable(listener: () => void): void
  /** Called when the log's directory failed (EIO, a failed sync): from now on every append is refused with KAFKA_STORAGE_ERROR. */
  onFailed(listener: (cause: Error) => void): void

  /** Called when a read set `corruption`. One listener. */
  onCorrupt(listener: () => void): void

  reconfigure(config: LogConfig): void
  /**
   * Set when bytes below the log end are damaged; nothing was thrown away. Found at the start: the partition is offline here (appends
   * and reads get KAFKA_STORAGE_ERROR). Found by a read: that place gets CORRUPT_MESSAGE, everything else goes on.
   * `truncateFullyAndStartAt` clears it, so that the replica can be filled again.
   */
  readonly corruption: LogCorruption | null
  readonly sizeBytes: number
  readonly segmentCount: number
  readonly directory: string
  readonly activeProducers: readonly ProducerStateView[]
}

/** Who wrote it: a coordinator may write control batches and to internal topics, `replication` of markers skips the client rules. */
export type AppendOrigin = 'client' | 'coordinator' | 'transaction-marker'

export type LeaderAppendOutcome =
  | {
      readonly kind: 'appended'
      readonly firstOffset: Offset
      readonly lastOffset: Offset
      /** The broker's time with LogAppendTime, else -1. */
      readonly logAppendTimeMs: number
      readonly logStartOffset: Offset
    }
  /** One of the last five batches of its producer came again: its old offsets, nothing stored. */
  | {
      readonly kind: 'duplicate'
      readonly firstOffset: Offset
      readonly lastOffset: Offset
      readonly logAppendTimeMs: number
      readonly logStartOffset: Offset
    }
  | {
      readonly kind: 'refused'
      /** A code of the protocol's error table. */
      readonly errorCode: number
      readonly message: string
      readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string }[]
    }

export type FollowerAppendOutcome =
  | { readonly kind: 'appended'; readonly logEndOffset: Offset }
  | { readonly kind: 'refused'; readonly errorCode: number; readonly message: string }

export interface LogReadRequest {
  readonly startOffset: Offset
  /** Batches are returned while they start below this offset. */
  readonly endOffsetMax: Offset
  readonly bytesMax: number
  /** `at-least-one-batch`: the first batch is returned whole even when larger than `bytesMax` (KIP-74). */
  readonly minimum: 'at-least-one-batch' | 'none'
}

export type LogReadOutcome =
  /**
   * `records` are views into the cache or a fresh read: never written to, safe to hand to a socket. With `memory` they lie in memory
   * that may be given back when nobody looks at them any more.
   */
  | {
      readonly kind: 'read'
      readonly records: readonly Buffer[]
      readonly sizeBytes: number
      readonly nextOffset: Offset
      readonly memory?: LentMemory
    }
  | { readonly kind: 'offset-out-of-range' }
  | { readonly kind: 'failed'; readonly errorCode: number; readonly message: string }

/** Where synced bytes of a log are not what they were. */
export interface LogCorruption {
  readonly found: 'at-start' | 'by-read'
  readonly path: string
  /** Byte in that file. */
  readonly position: number
  /** Offset of the first record that cannot be read; what lies below is sound. */
  readonly offset: Offset
  /** A sentence naming file and position. */
  readonly message: string
}

export interface EpochEndOffset {
  readonly epoch: LeaderEpoch
  readonly endOffset: Offset
}

export interface TimestampedOffset {
  readonly offset: Offset
  readonly timestampMs: number
  readonly leaderEpoch: LeaderEpoch | null
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: Offset
}

export interface ProducerStateView {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestampMs: number
  readonly coordinatorEpoch: number
  readonly currentTransactionStartOffset: number
}
