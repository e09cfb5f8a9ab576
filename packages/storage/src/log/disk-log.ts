/**
 * A partition log on disk (contract: `PartitionLog`): the door to `LogState` and the jobs that work on it. `LogWriter` owns when
 * bytes reach the file, `log-file-reads` how they come back.
 */
import { assert, replaceFileDurably } from '@kavka/kernel'
import { ErrorCode, ZERO_UUID } from '@kavka/protocol'
import type { LeaderEpoch, Offset, TopicPartition, Uuid } from '@kavka/protocol'
import { formatPartitionMetadata, PARTITION_METADATA_FILE } from '../files/partition-metadata.ts'
import type { LogConfig } from '../log-config.ts'
import type {
  AbortedTransaction,
  AppendOrigin,
  EpochEndOffset,
  FollowerAppendOutcome,
  LeaderAppendOutcome,
  LogCorruption,
  LogReadOutcome,
  LogReadRequest,
  PartitionLog,
  ProducerStateView,
  TimestampedOffset,
} from '../partition-log.ts'
import type { LoadedLog } from './recovery/loaded-log.ts'
import { LogAppender } from './append/log-appender.ts'
import { checkpointLog, closeCleanly, isCheckpointDue } from './sync/log-checkpoint.ts'
import { emptyRead, readFiles } from './read/log-file-reads.ts'
import { abortedBetween, findMaxTimestamp, findTimestamp } from './read/log-lookup.ts'
import { deleteOldSegments } from './retention/log-retention.ts'
import { LogState } from './log-state.ts'
import type { DiskLogOptions, DiskLogPorts } from './log-state.ts'
import { LogTruncation } from './recovery/log-truncation.ts'
import { syncSoon } from './append/segment-roll.ts'
import { readFromTail } from './read/tail-read.ts'

export class DiskLog implements PartitionLog {
  readonly topicPartition: TopicPartition
  #topicId: Uuid
  readonly #state: LogState
  readonly #appender: LogAppender
  readonly #truncation: LogTruncation
  readonly #unsubscribe: () => void
  #failedListener: (cause: Error) => void = () => {}

  constructor(options: DiskLogOptions, loaded: LoadedLog, ports: DiskLogPorts) {
    this.topicPartition = options.topicPartition
    this.#topicId = options.topicId
    this.#state = new LogState(options, loaded, ports)
    this.#truncation = new LogTruncation(this.#state)
    this.#appender = new LogAppender(this.#state, this.#truncation)
    if (loaded.hasUnsyncedNames) this.#state.coverNames()
    if (loaded.isRecovered) this.#syncRecovered(loaded.recoveryPoint)
    this.#unsubscribe = ports.logDirectory.onFailed((cause) => this.#failedListener(cause))
  }

  get directory(): string {
    return this.#state.directory
  }

  get topicId(): Uuid {
    return this.#topicId
  }

  get config(): LogConfig {
    return this.#state.config
  }

  get logStartOffset(): Offset {
    return this.#state.logStartOffset as Offset
  }

  get logEndOffset(): Offset {
    return this.#state.logEndOffset as Offset
  }

  get durableEndOffset(): Offset {
    return this.#state.durableEndOffset as Offset
  }

  get latestEpoch(): LeaderEpoch | null {
    return this.#state.epochs.latest
  }

  get highWatermark(): Offset {
    return this.#state.highWatermark as Offset
  }

  get lastStableOffset(): Offset {
    const { producers, highWatermark, logStartOffset } = this.#state
    const firstUnstable = producers.firstUnstableOffset
    if (firstUnstable === null || firstUnstable >= highWatermark) return highWatermark as Offset
    return Math.max(firstUnstable, logStartOffset) as Offset
  }

  get sizeBytes(): number {
    return this.#state.segments.sizeBytes
  }

  get segmentCount(): number {
    return this.#state.segments.count
  }

  get activeProducers(): readonly ProducerStateView[] {
    return this.#state.producers.views()
  }

  get corruption(): LogCorruption | null {
    return this.#state.corruption
  }

  /** Base of the first segment: a log start beyond it must be remembered in `log-start-offset-checkpoint`. */
  get firstSegmentOffset(): Offset {
    return this.#state.segments.first.baseOffset as Offset
  }

  updateHighWatermark(highWatermark: Offset): void {
    this.#state.moveHighWatermark(highWatermark)
  }

  appendAsLeader(
    records: Buffer,
    leaderEpoch: LeaderEpoch,
    origin: AppendOrigin,
    transactionVersion = 0,
  ): LeaderAppendOutcome {
    return this.#appender.asLeader(records, leaderEpoch, origin, transactionVersion)
  }

  appendAsFollower(records: Buffer, leaderEpochMax: LeaderEpoch): FollowerAppendOutcome {
    return this.#appender.asFollower(records, leaderEpochMax)
  }

  read(request: LogReadRequest): LogReadOutcome | Promise<LogReadOutcome> {
    const log = this.#state
    const { startOffset } = request
    const unavailable = log.unavailable()
    if (unavailable !== null) return { kind: 'failed', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: unavailable }
    if (startOffset < log.logStartOffset || startOffset > log.logEndOffset) return { kind: 'offset-out-of-range' }
    if (startOffset >= log.logEndOffset || startOffset >= request.endOffsetMax) return emptyRead(startOffset)
    const runs = log.tail.from(startOffset)
    return runs === null ? readFiles(log, request) : readFromTail(runs, request)
  }

  assignEpochStart(epoch: LeaderEpoch): void {
    this.#state.noteEpoch(epoch, this.#state.logEndOffset)
  }

  endOffsetForEpoch(epoch: LeaderEpoch): EpochEndOffset | null {
    return this.#state.epochs.endOffsetFor(epoch, this.logEndOffset)
  }

  async offsetForTimestamp(timestampMs: number): Promise<TimestampedOffset | 'corrupt' | null> {
    return this.#state.guarded(() => findTimestamp(this.#state, timestampMs))
  }

  async offsetOfMaxTimestamp(): Promise<TimestampedOffset | 'corrupt' | null> {
    return this.#state.guarded(() => findMaxTimestamp(this.#state))
  }

  abortedTransactions(start: Offset, end: Offset): readonly AbortedTransaction[] {
    // With [] the directory has failed, and what was read for this must not leave.
    return this.#state.guarded(() => abortedBetween(this.#state, start, end)) ?? []
  }

  truncateTo(endOffset: Offset): void {
    const { logStartOffset, name } = this.#state
    assert(endOffset >= logStartOffset, 'truncation below the log start', { endOffset, logStartOffset, log: name })
    if (this.#state.unavailable() === null) this.#truncation.truncateTo(endOffset)
  }

  truncateFullyAndStartAt(startOffset: Offset): void {
    if (this.#state.ports.logDirectory.failure !== null || this.#state.isClosed) return
    this.#truncation.startAt(startOffset, startOffset)
  }

  advanceLogStartOffset(startOffset: Offset): boolean {
    return this.#state.advanceLogStart(startOffset)
  }

  onDurable(listener: () => void): void {
    this.#state.durableListener = listener
  }

  onFailed(listener: (cause: Error) => void): void {
    this.#failedListener = listener
  }

  onCorrupt(listener: () => void): void {
    this.#state.corruptListener = listener
  }

  reconfigure(config: LogConfig): void {
    this.#state.config = config
    this.#state.notifyDurable()
  }

  /** `flush.ms`: syncs what has waited that long. */
  syncWhenOverdue(): void {
    const { writer, config } = this.#state
    if (writer.hasUnsynced && writer.unsyncedMs() >= config.flushMs) writer.requestSync()
  }

  /** Deletes the oldest of what retention allows, a few segments; returns the files to remove after `file.delete.delay.ms`, none when all is done. */
  applyRetention(): readonly string[] {
    const log = this.#state
    if (log.unavailable() !== null) return []
    return log.guarded(() => deleteOldSegments(log)) ?? []
  }

  removeExpiredProducers(): void {
    const { producers, ports, options } = this.#state
    producers.removeExpired(ports.scheduler.wallMs(), options.producerIdExpirationMs)
  }

  /** Whether a checkpoint would move the recovery point. */
  get isCheckpointDue(): boolean {
    return isCheckpointDue(this.#state)
  }

  /** Appended since the last checkpoint: what a recovery would have to read. */
  get unsavedBytes(): number {
    return this.#state.unsavedBytes
  }

  /** The recovery point as recorded, or about to be. */
  get recordedPoint(): Offset {
    return this.#state.recordedPoint as Offset
  }

  /** Brings what a recovery believes to the disk, off the event loop; `takeRecoveryPoint` then tells how far it reaches. */
  checkpoint(): Promise<void> {
    return checkpointLog(this.#state)
  }

  /** The recovery point that the caller is about to record. That of a damaged log stays: it tells what may not be thrown away. */
  takeRecoveryPoint(): Offset {
    if (this.#state.corruption === null) this.#state.recordedPoint = this.#state.checkpointedPoint
    return this.recordedPoint
  }

  /** For a directory that lost its `partition.metadata`. */
  adoptTopicId(topicId: Uuid): void {
    const { name, directory, ports } = this.#state
    assert(this.#topicId === ZERO_UUID, 'a topic id never changes', { log: name })
    const path = `${directory}/${PARTITION_METADATA_FILE}`
    this.#state.guarded(() => replaceFileDurably(ports.fs, path, formatPartitionMetadata(topicId)))
    this.#topicId = topicId
  }

  /** Cleanly: all on the disk, indexes sealed, snapshot taken. False when the directory failed before or meanwhile. */
  async close(): Promise<boolean> {
    if (this.#state.isClosed) return true
    this.#state.isClosed = true
    this.#unsubscribe()
    return closeCleanly(this.#state)
  }

  /** Without a trace: for a log that is deleted or moved away. */
  abandon(): void {
    this.#state.isClosed = true
    this.#unsubscribe()
    this.#state.generation++
    this.#state.tail.clear()
    this.#state.writer.abandon()
    this.#state.forgetFiles()
  }

  /** A recovered tail may be in the page cache only; it counts as durable when it is synced. */
  #syncRecovered(recoveryPoint: number): void {
    const log = this.#state
    const { segments, writer } = log
    for (const segment of segments.all.slice(segments.indexFor(Math.max(0, recoveryPoint - 1)))) {
      writer.coverSegment(segment)
      if (segment === segments.active) continue
      segment.seal()
      for (const path of segment.indexPaths()) writer.coverPath(path)
    }
    writer.coverDirectory(log.directory)
    syncSoon(log)
  }
}
