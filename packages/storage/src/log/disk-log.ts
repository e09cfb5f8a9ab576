/**
 * A partition log on disk (contract: `PartitionLog`). It owns the offsets, the segments and what is known about their
 * content; `LogWriter` owns when bytes reach the file, `LogReader` how they come back.
 */
import { assert } from '@kavka/kernel'
import type { FileSystem, Logger, Scheduler } from '@kavka/kernel'
import { batchesIn, ErrorCode, setBaseOffsetAndLeaderEpoch, topicPartitionName, verifyBatchCrc, BATCH_HEADER_BYTES, ZERO_UUID } from '@kavka/protocol'
import type { LeaderEpoch, Offset, TopicPartition, Uuid } from '@kavka/protocol'
import { replaceFileDurably } from '@kavka/kernel'
import { formatLeaderEpochs } from '../files/checkpoint-text.ts'
import { formatPartitionMetadata, PARTITION_METADATA_FILE } from '../files/partition-metadata.ts'
import type { OpenFiles } from '../files/open-files.ts'
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
import { validateForLeader } from './append-validation.ts'
import { BatchView } from './batch-view.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogDirectory } from './log-directory.ts'
import { readBatches } from './log-reader.ts'
import { LogWriter } from './log-writer.ts'
import type { TurnEnd } from './log-writer.ts'
import type { ProducerSnapshots } from './producer-snapshots.ts'
import type { ProducerState, RememberedBatch } from './producer-state.ts'
import { planRetention } from './retention-plan.ts'
import type { RetentionSegment } from './retention-plan.ts'
import { rollReason } from './roll-policy.ts'
import { replayProducers, resumeSegment } from './segment-recovery.ts'
import type { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import { readFromTail } from './tail-read.ts'
import type { LogTail, TailCache } from './tail-cache.ts'
import { firstRecordFrom, recordWithTimestamp } from './timestamp-search.ts'
import type { RecordPlace } from './timestamp-search.ts'
import { producerBatchOf, transactionMarkerOf } from './transaction-markers.ts'
import { walkBatches } from './walk-batches.ts'

export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint'

/** What was found on disk, or made for a new log. */
export interface LoadedLog {
  readonly segments: SegmentList
  readonly epochs: LeaderEpochs
  readonly producers: ProducerState
  readonly snapshots: ProducerSnapshots
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly recoveryPoint: number
  /** The log is new: its names are not on the disk yet. */
  readonly isNew: boolean
  /** Batches were walked after an unclean stop: indexes in memory are newer than their files, the tail may be unsynced. */
  readonly isRecovered: boolean
  /** The epochs are not what their file says. */
  readonly epochsChanged: boolean
  readonly corruption: LogCorruption | null
}

export interface DiskLogOptions {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly config: LogConfig
  readonly directory: string
  readonly producerIdExpirationMs: number
  /** Its part of `segment.jitter.ms`, in [0, 1). */
  readonly jitter: number
}

export interface DiskLogPorts {
  readonly fs: FileSystem
  readonly files: OpenFiles
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly logDirectory: LogDirectory
  readonly turnEnd: TurnEnd
  readonly tailCache: TailCache
  /** Makes a segment object for a file that exists or will. */
  readonly segment: (baseOffset: number, sizeBytes: number) => Segment
  /** Makes the checkpointed recovery point of this log no larger than `offset`, durably, before it returns. */
  readonly lowerRecoveryPoint: (offset: number) => void
}

/** Where a truncation cuts: the segment that becomes the active one, at the start of a batch or its end. */
interface LogCut {
  readonly segment: Segment
  readonly position: number
  readonly endOffset: number
}

const READ_ATTEMPTS_MAX = 5
const RELATIVE_OFFSET_MAX = 0x7fff_ffff
const NO_RECORDS: readonly Buffer[] = []

export class DiskLog implements PartitionLog {
  readonly topicPartition: TopicPartition
  readonly directory: string
  #topicId: Uuid
  readonly #options: DiskLogOptions
  readonly #ports: DiskLogPorts
  readonly #name: string
  readonly #segments: SegmentList
  readonly #epochs: LeaderEpochs
  readonly #producers: ProducerState
  readonly #snapshots: ProducerSnapshots
  readonly #tail: LogTail
  readonly #writer: LogWriter
  readonly #unsubscribe: () => void
  #config: LogConfig
  #logStartOffset: number
  #logEndOffset: number
  #highWatermark: number
  #corruption: LogCorruption | null
  #epochsDirty = false
  /** The recovery point at the last checkpoint. */
  #checkpointedPoint = -1
  /** Counts what may pull a file from under an asynchronous read: truncations. */
  #generation = 0
  #isClosed = false
  #durableListener: () => void = () => {}
  #failedListener: (cause: Error) => void = () => {}
  #durableNotified = 0

  constructor(options: DiskLogOptions, loaded: LoadedLog, ports: DiskLogPorts) {
    this.topicPartition = options.topicPartition
    this.#topicId = options.topicId
    this.directory = options.directory
    this.#options = options
    this.#ports = ports
    this.#config = options.config
    this.#name = topicPartitionName(options.topicPartition)
    this.#segments = loaded.segments
    this.#epochs = loaded.epochs
    this.#producers = loaded.producers
    this.#snapshots = loaded.snapshots
    this.#corruption = loaded.corruption
    this.#epochsDirty = loaded.epochsChanged
    this.#logStartOffset = loaded.logStartOffset
    this.#logEndOffset = loaded.logEndOffset
    this.#highWatermark = loaded.logStartOffset
    this.#tail = ports.tailCache.tail()
    this.#writer = new LogWriter(
      { endOffset: loaded.logEndOffset, syncedEndOffset: loaded.recoveryPoint },
      { ...ports, directory: ports.logDirectory, onProgress: () => this.#onProgress(), flushMessages: () => this.#config.flushMessages },
    )
    this.#durableNotified = this.durableEndOffset
    if (loaded.isNew) this.#coverNames()
    else if (loaded.isRecovered) this.#syncRecovered(loaded.recoveryPoint)
    this.#unsubscribe = ports.logDirectory.onFailed((cause) => this.#failedListener(cause))
  }

  get topicId(): Uuid {
    return this.#topicId
  }

  get config(): LogConfig {
    return this.#config
  }

  get logStartOffset(): Offset {
    return this.#logStartOffset as Offset
  }

  get logEndOffset(): Offset {
    return this.#logEndOffset as Offset
  }

  get durableEndOffset(): Offset {
    const end = this.#config.flushMessages <= 1 ? this.#writer.syncedEndOffset : this.#writer.writtenEndOffset
    return Math.min(end, this.#logEndOffset) as Offset
  }

  get latestEpoch(): LeaderEpoch | null {
    return this.#epochs.latest
  }

  get highWatermark(): Offset {
    return this.#highWatermark as Offset
  }

  get lastStableOffset(): Offset {
    const firstUnstable = this.#producers.firstUnstableOffset
    if (firstUnstable === null || firstUnstable >= this.#highWatermark) return this.#highWatermark as Offset
    return Math.max(firstUnstable, this.#logStartOffset) as Offset
  }

  get sizeBytes(): number {
    return this.#segments.sizeBytes
  }

  get segmentCount(): number {
    return this.#segments.count
  }

  get activeProducers(): readonly ProducerStateView[] {
    return this.#producers.views()
  }

  get corruption(): LogCorruption | null {
    return this.#corruption
  }

  /** Synced up to here: what a recovery need not read again. For the recovery point checkpoint. */
  get recoveryPoint(): Offset {
    return Math.min(this.#writer.syncedEndOffset, this.#logEndOffset) as Offset
  }

  /** Base of the first segment: a log start beyond it must be remembered in `log-start-offset-checkpoint`. */
  get firstSegmentOffset(): Offset {
    return this.#segments.first.baseOffset as Offset
  }

  get logDirectory(): LogDirectory {
    return this.#ports.logDirectory
  }

  updateHighWatermark(highWatermark: Offset): void {
    assert(highWatermark <= this.#logEndOffset, 'high watermark beyond the log end', { highWatermark, logEndOffset: this.#logEndOffset, log: this.#name })
    this.#highWatermark = Math.max(highWatermark, this.#logStartOffset)
    this.#producers.onHighWatermark(this.#highWatermark)
  }

  appendAsLeader(records: Buffer, leaderEpoch: LeaderEpoch, origin: AppendOrigin, transactionVersion = 0): LeaderAppendOutcome {
    const unavailable = this.#unavailable()
    if (unavailable !== null) return refuse(ErrorCode.KAFKA_STORAGE_ERROR, unavailable)
    const nowMs = this.#ports.scheduler.wallMs()
    const validation = validateForLeader(records, { config: this.#config, origin, nowMs, partition: this.#name })
    if (validation.kind === 'refused') return validation
    const { batches } = validation
    const verdict = this.#checkProducers(batches, origin, transactionVersion)
    if (verdict !== null) return verdict
    const sizeBytes = totalBytes(batches)
    if (sizeBytes > this.#config.segmentBytes) {
      return refuse(ErrorCode.RECORD_LIST_TOO_LARGE, `Message batch size is ${sizeBytes} bytes in append to partition ${this.#name}, which exceeds the maximum configured segment size of ${this.#config.segmentBytes}.`)
    }
    const firstOffset = this.#logEndOffset
    let nextOffset = firstOffset
    for (const batch of batches) {
      setBaseOffsetAndLeaderEpoch(batch.buffer, batch.position, nextOffset, leaderEpoch)
      nextOffset += batch.lastOffsetDelta + 1
    }
    this.#append(batches, nowMs)
    const logAppendTimeMs = this.#config.messageTimestampType === 'LogAppendTime' ? nowMs : -1
    return {
      kind: 'appended',
      firstOffset: firstOffset as Offset,
      lastOffset: (nextOffset - 1) as Offset,
      logAppendTimeMs,
      logStartOffset: this.logStartOffset,
    }
  }

  appendAsFollower(records: Buffer, leaderEpochMax: LeaderEpoch): FollowerAppendOutcome {
    const unavailable = this.#unavailable()
    if (unavailable !== null) return { kind: 'refused', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: unavailable }
    const selected = this.#selectForFollower(records, leaderEpochMax)
    if (selected.kind === 'refused') return selected
    const { batches } = selected
    const first = batches[0]
    if (first !== undefined && first.baseOffset < this.#logEndOffset) {
      // The leader's first batch straddles our start, which lies inside it after DeleteRecords: begin where the batch begins.
      this.#startAt(first.baseOffset, this.#logStartOffset)
    }
    if (batches.length > 0) this.#append(batches, this.#ports.scheduler.wallMs())
    return { kind: 'appended', logEndOffset: this.logEndOffset }
  }

  read(request: LogReadRequest): LogReadOutcome | Promise<LogReadOutcome> {
    const { startOffset } = request
    const unavailable = this.#unavailable()
    if (unavailable !== null) return { kind: 'failed', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: unavailable }
    if (startOffset < this.#logStartOffset || startOffset > this.#logEndOffset) return { kind: 'offset-out-of-range' }
    if (startOffset >= this.#logEndOffset || startOffset >= request.endOffsetMax) return emptyRead(startOffset)
    const runs = this.#tail.from(startOffset)
    return runs === null ? this.#readFiles(request) : readFromTail(runs, request)
  }

  assignEpochStart(epoch: LeaderEpoch): void {
    if (this.#epochs.assign(epoch, this.logEndOffset)) this.#epochsDirty = true
  }

  endOffsetForEpoch(epoch: LeaderEpoch): EpochEndOffset | null {
    return this.#epochs.endOffsetFor(epoch, this.logEndOffset)
  }

  async offsetForTimestamp(timestampMs: number): Promise<TimestampedOffset | null> {
    if (!this.#writer.write()) return null
    for (const segment of this.#segments.all) {
      if (segment.largestTimestamp.timestampMs < timestampMs) continue
      const found = this.#searchSegment(segment, timestampMs, (place) => firstRecordFrom(place, timestampMs, this.#logStartOffset))
      if (found !== null) return found
    }
    return null
  }

  async offsetOfMaxTimestamp(): Promise<TimestampedOffset | null> {
    if (!this.#writer.write()) return null
    let latest: Segment | null = null
    for (const segment of this.#segments.all) {
      const { timestampMs } = segment.largestTimestamp
      if (timestampMs >= 0 && (latest === null || timestampMs > latest.largestTimestamp.timestampMs)) latest = segment
    }
    if (latest === null) return null
    const { timestampMs } = latest.largestTimestamp
    return this.#searchSegment(latest, timestampMs, (place) => recordWithTimestamp(place, timestampMs))
  }

  abortedTransactions(start: Offset, end: Offset): readonly AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    const segments = this.#segments.all
    for (let i = this.#segments.indexFor(start); i < segments.length; i++) {
      for (const entry of segments[i]!.aborted) {
        if (entry.lastOffset >= start && entry.firstOffset < end) {
          found.push({ producerId: entry.producerId, firstOffset: entry.firstOffset as Offset })
        }
        if (entry.lastStableOffset >= end) return found
      }
    }
    return found
  }

  truncateTo(endOffset: Offset): void {
    assert(endOffset >= this.#logStartOffset, 'truncation below the log start', { endOffset, logStartOffset: this.#logStartOffset, log: this.#name })
    if (this.#unavailable() !== null) return
    if (endOffset < this.#logEndOffset) this.#guarded(() => this.#truncate(endOffset))
    // A leader that wrote nothing in its epoch has noted the start of it at the log end; as a follower it must not go on claiming it (KAFKA-10706).
    else if (this.#epochs.truncateFromEnd(endOffset)) this.#epochsDirty = true
  }

  truncateFullyAndStartAt(startOffset: Offset): void {
    if (this.#ports.logDirectory.failure !== null) return
    this.#startAt(startOffset, startOffset)
  }

  advanceLogStartOffset(startOffset: Offset): boolean {
    assert(startOffset <= this.#logEndOffset, 'log start beyond the log end', { startOffset, logEndOffset: this.#logEndOffset, log: this.#name })
    if (startOffset <= this.#logStartOffset || this.#unavailable() !== null) return false
    this.#logStartOffset = startOffset
    if (this.#highWatermark < startOffset) this.updateHighWatermark(startOffset)
    if (this.#epochs.truncateFromStart(startOffset)) this.#epochsDirty = true
    return true
  }

  onDurable(listener: () => void): void {
    this.#durableListener = listener
  }

  onFailed(listener: (cause: Error) => void): void {
    this.#failedListener = listener
  }

  reconfigure(config: LogConfig): void {
    this.#config = config
    this.#onProgress()
  }

  /** `flush.ms`: syncs what has waited that long. */
  syncWhenOverdue(): void {
    if (this.#writer.hasUnsynced && this.#writer.unsyncedMs() >= this.#config.flushMs) this.#writer.requestSync()
  }

  /** Deletes what retention allows; returns the files to remove after `file.delete.delay.ms`. */
  applyRetention(): readonly string[] {
    if (this.#unavailable() !== null) return []
    return this.#guarded(() => this.#deleteOldSegments()) ?? []
  }

  removeExpiredProducers(): void {
    this.#producers.removeExpired(this.#ports.scheduler.wallMs(), this.#options.producerIdExpirationMs)
  }

  /**
   * What makes the next recovery short, before the recovery point is recorded: producer state (which a recovery checks, so it needs
   * no sync) and leader epochs (which it believes, so they are synced). Index files are brought up for whoever looks at them.
   */
  checkpoint(): void {
    if (this.#unavailable() !== null || this.recoveryPoint === this.#checkpointedPoint) return
    this.#checkpointedPoint = this.recoveryPoint
    this.#guarded(() => {
      this.#segments.active.writeIndexes()
      if (this.#producers.endOffset > this.#logStartOffset) this.#snapshots.take(this.#producers)
      this.#snapshots.removeStrays(new Set(this.#segments.all.map((segment) => segment.baseOffset)))
    })
    this.#writeEpochs()
  }

  /** For a directory that lost its `partition.metadata`. */
  adoptTopicId(topicId: Uuid): void {
    assert(this.#topicId === ZERO_UUID, 'a topic id never changes', { log: this.#name })
    this.#guarded(() => replaceFileDurably(this.#ports.fs, `${this.directory}/${PARTITION_METADATA_FILE}`, formatPartitionMetadata(topicId)))
    this.#topicId = topicId
  }

  /** Cleanly: all on the disk, indexes sealed, snapshot taken. False when the directory failed before or meanwhile. */
  async close(): Promise<boolean> {
    if (this.#isClosed) return true
    this.#isClosed = true
    this.#unsubscribe()
    if (this.#corruption !== null) return false
    this.#guarded(() => {
      if (!this.#writer.write()) return
      this.#segments.active.seal()
      for (const path of this.#segments.active.indexPaths()) this.#writer.coverPath(path)
      this.#takeSnapshot()
      this.#epochsDirty = this.#epochsDirty || !this.#ports.fs.exists(`${this.directory}/${LEADER_EPOCH_FILE}`)
    })
    const isSynced = await this.#writer.sync()
    if (isSynced) this.#writeEpochs()
    this.forgetFiles()
    this.#tail.clear()
    return isSynced && this.#ports.logDirectory.failure === null
  }

  /** Without a trace: for a log that is deleted or moved away. */
  abandon(): void {
    this.#isClosed = true
    this.#unsubscribe()
    this.#generation++
    this.#tail.clear()
    this.forgetFiles()
  }

  forgetFiles(): void {
    for (const segment of this.#segments.all) {
      for (const suffix of ['.log', '.index', '.timeindex', '.txnindex'] as const) this.#ports.files.forget(segment.path(suffix))
    }
  }

  #unavailable(): string | null {
    const { failure, path } = this.#ports.logDirectory
    if (failure !== null) return `Log directory ${path} is offline: ${failure.message}`
    if (this.#corruption !== null) return this.#corruption.message
    return this.#isClosed ? `The log of ${this.#name} is closed` : null
  }

  /** Runs file operations; an error fails the directory and yields null. */
  #guarded<T>(operation: () => T): T | null {
    try {
      return operation()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
      this.#ports.logDirectory.fail(error as Error)
      return null
    }
  }

  #checkProducers(batches: readonly BatchView[], origin: AppendOrigin, transactionVersion: number): LeaderAppendOutcome | null {
    let nextOffset = this.#logEndOffset
    for (const batch of batches) {
      if (batch.producerId >= 0) {
        const marker = transactionMarkerOf(batch)
        const verdict = this.#producers.check(producerBatchOf(batch, nextOffset), marker, origin, transactionVersion)
        if (verdict.kind === 'duplicate') return this.#duplicate(verdict.batch)
        if (verdict.kind === 'refused') return refuse(verdict.errorCode, verdict.message)
      }
      nextOffset += batch.lastOffsetDelta + 1
    }
    return null
  }

  #duplicate(batch: RememberedBatch): LeaderAppendOutcome {
    return {
      kind: 'duplicate',
      firstOffset: (batch.lastOffset - batch.offsetDelta) as Offset,
      lastOffset: batch.lastOffset as Offset,
      logAppendTimeMs: batch.timestampMs,
      logStartOffset: this.logStartOffset,
    }
  }

  /** Validated batches with their places: from here on the append cannot be refused. */
  #append(batches: readonly BatchView[], nowMs: number): void {
    let runStart = 0
    for (let i = 0; i < batches.length; i++) {
      const batch = batches[i]!
      if (this.#mustRoll(batch, nowMs)) {
        this.#stageRun(batches, runStart, i)
        runStart = i
        // Kafka begins it at the batch; beginning at the log end tells a recovery that no segment is missing in between.
        const isFar = batch.lastOffset - this.#logEndOffset > RELATIVE_OFFSET_MAX
        this.#guarded(() => this.#roll(isFar ? batch.baseOffset : this.#logEndOffset))
      }
      this.#note(batch)
    }
    this.#stageRun(batches, runStart, batches.length)
  }

  #note(batch: BatchView): void {
    const { baseOffset, lastOffset, leaderEpoch, producerId } = batch
    assert(baseOffset >= this.#logEndOffset, 'append below the log end', { baseOffset, logEndOffset: this.#logEndOffset })
    const segment = this.#segments.active
    segment.note(batch, batch.sizeBytes, this.#config.indexIntervalBytes)
    if (leaderEpoch >= 0 && this.#epochs.assign(leaderEpoch as LeaderEpoch, baseOffset as Offset)) this.#epochsDirty = true
    this.#logEndOffset = lastOffset + 1
    if (producerId >= 0) {
      const completed = this.#producers.apply(producerBatchOf(batch), transactionMarkerOf(batch))
      if (completed?.outcome === 'abort') {
        segment.noteAborted({ ...completed, lastStableOffset: this.#producers.lastStableOffsetAfter(completed) })
      }
    }
    this.#producers.endOffset = this.logEndOffset
  }

  /** Batches that lie side by side in one memory are written and cached as one run. */
  #stageRun(batches: readonly BatchView[], from: number, to: number): void {
    for (let start = from; start < to; ) {
      let end = start + 1
      while (end < to && isBehind(batches[end - 1]!, batches[end]!)) end++
      const first = batches[start]!
      const last = batches[end - 1]!
      const records = first.buffer.subarray(first.position, last.position + last.sizeBytes)
      this.#stagedBytes(records, totalBytes(batches.slice(end, to)), first.baseOffset, last.lastOffset + 1)
      start = end
    }
  }

  #stagedBytes(records: Buffer, bytesBehind: number, baseOffset: number, nextOffset: number): void {
    const segment = this.#segments.active
    this.#writer.stage(segment, segment.sizeBytes - bytesBehind - records.length, records, nextOffset)
    this.#tail.add(baseOffset, nextOffset, records)
  }

  #mustRoll(batch: BatchView, nowMs: number): boolean {
    const segment = this.#segments.active
    const { config } = this
    const reason = rollReason(
      {
        segmentBytes: segment.sizeBytes,
        segmentBaseOffset: segment.baseOffset,
        firstTimestampMs: segment.sizeBytes === 0 ? null : segment.firstTimestampMs,
        createdMs: segment.createdMs,
        indexEntriesFull: segment.isIndexFull(config.segmentIndexBytes),
        incomingBytes: batch.sizeBytes,
        incomingLastOffset: batch.lastOffset,
        incomingMaxTimestampMs: batch.maxTimestampMs,
        nowMs,
      },
      { segmentBytes: config.segmentBytes, segmentMs: config.segmentMs - Math.floor(this.#options.jitter * Math.min(config.segmentJitterMs, config.segmentMs)) },
    )
    return reason !== null && (this.#logEndOffset > segment.baseOffset || reason === 'offset')
  }

  /** Seals the active segment and begins one at `baseOffset`; a snapshot there lets a truncation or a recovery start from it. */
  #roll(baseOffset: number): void {
    const sealed = this.#segments.active
    sealed.seal()
    for (const path of sealed.indexPaths()) this.#writer.coverPath(path)
    this.#takeSnapshot()
    this.#createSegment(baseOffset)
    // Without per-record durability the roll is what moves the recovery point (Kafka's flush-log task).
    if (this.#config.flushMessages > 1) {
      this.#ports.scheduler.soon(() => {
        if (!this.#isClosed) this.#writer.requestSync()
      })
    }
  }

  #createSegment(baseOffset: number): Segment {
    const segment = this.#ports.segment(baseOffset, 0)
    this.#ports.files.file(segment.logPath)
    this.#writer.coverDirectory(this.directory)
    this.#segments.add(segment)
    return segment
  }

  /** A recovered tail may be in the page cache only; it counts as durable when it is synced. */
  #syncRecovered(recoveryPoint: number): void {
    for (const segment of this.#segments.all.slice(this.#segments.indexFor(Math.max(0, recoveryPoint - 1)))) {
      this.#writer.coverSegment(segment)
      if (segment === this.#segments.active) continue
      segment.seal()
      for (const path of segment.indexPaths()) this.#writer.coverPath(path)
    }
    this.#writer.coverDirectory(this.directory)
    this.#ports.scheduler.soon(() => {
      if (!this.#isClosed) this.#writer.requestSync()
    })
  }

  #coverNames(): void {
    this.#writer.coverDirectory(this.directory)
    this.#writer.coverDirectory(this.#ports.logDirectory.path)
    this.#writer.coverPath(`${this.directory}/${PARTITION_METADATA_FILE}`)
  }

  #takeSnapshot(): void {
    const path = this.#producers.endOffset > this.#logStartOffset ? this.#snapshots.take(this.#producers) : null
    if (path !== null) {
      this.#writer.coverPath(path)
      this.#writer.coverDirectory(this.directory)
    }
  }

  #onProgress(): void {
    const durable = this.durableEndOffset
    if (durable === this.#durableNotified) return
    this.#durableNotified = durable
    this.#durableListener()
  }

  #writeEpochs(): void {
    if (!this.#epochsDirty || this.#ports.logDirectory.failure !== null) return
    this.#guarded(() => {
      replaceFileDurably(this.#ports.fs, `${this.directory}/${LEADER_EPOCH_FILE}`, formatLeaderEpochs(this.#epochs.entries))
      this.#epochsDirty = false
    })
  }

  #selectForFollower(records: Buffer, leaderEpochMax: LeaderEpoch): { kind: 'selected'; batches: BatchView[] } | (FollowerAppendOutcome & { kind: 'refused' }) {
    const batches: BatchView[] = []
    let previousEnd = -1
    for (const step of batchesIn(records)) {
      if (step.kind === 'truncated') break
      if (step.kind === 'corrupt') return { kind: 'refused', errorCode: step.fault.errorCode, message: step.fault.message }
      const batch = new BatchView(records, step.at)
      const refusal = this.#checkFetched(batch, step.sizeBytes, previousEnd)
      if (refusal !== null) return refusal
      // A stale fetch, answered after the leader changed: what is of a later epoch may not be on the line we follow.
      if (batch.leaderEpoch > leaderEpochMax) break
      previousEnd = batch.lastOffset + 1
      if (previousEnd > this.#logEndOffset) batches.push(batch)
    }
    const first = batches[0]
    if (first !== undefined && first.baseOffset < this.#logEndOffset && this.#logEndOffset > this.#logStartOffset) {
      return { kind: 'refused', errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, message: `Unexpected offset in append to ${this.#name}. First offset ${first.baseOffset} is less than the next offset ${this.#logEndOffset}` }
    }
    return { kind: 'selected', batches }
  }

  #checkFetched(batch: BatchView, sizeBytes: number, previousEnd: number): (FollowerAppendOutcome & { kind: 'refused' }) | null {
    if (batch.magic !== 2) return { kind: 'refused', errorCode: ErrorCode.INVALID_RECORD, message: `Record batch of magic ${batch.magic} in append to ${this.#name}` }
    if (sizeBytes < BATCH_HEADER_BYTES || !verifyBatchCrc(batch.buffer, batch.position)) {
      return { kind: 'refused', errorCode: ErrorCode.CORRUPT_MESSAGE, message: `Record is corrupt (stored crc = ${batch.crc}) in topic partition ${this.#name}.` }
    }
    const isInOrder = batch.lastOffsetDelta >= 0 && batch.baseOffset >= 0 && batch.baseOffset >= previousEnd
    return isInOrder ? null : { kind: 'refused', errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, message: `Out of order offsets found in append to ${this.#name}: ${batch.baseOffset}` }
  }

  async #readFiles(request: LogReadRequest): Promise<LogReadOutcome> {
    if (!this.#writer.write()) return { kind: 'failed', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: this.#unavailable() ?? '' }
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
      const generation = this.#generation
      const outcome = await this.#readSegments(request)
      // A truncation may have cut and rewritten the bytes while they were read: look again at what is there now.
      if (generation === this.#generation) return outcome
      if (request.startOffset > this.#logEndOffset || request.startOffset < this.#logStartOffset) return { kind: 'offset-out-of-range' }
    }
    return emptyRead(request.startOffset)
  }

  async #readSegments(request: LogReadRequest): Promise<LogReadOutcome> {
    const segments = this.#segments.all.slice(this.#segments.indexFor(request.startOffset))
    for (const segment of segments) {
      const outcome = await this.#readSegment(segment, request)
      if (outcome !== null) return outcome
    }
    return emptyRead(request.startOffset)
  }

  /** Null when the segment has nothing at or after the start offset (compaction leaves gaps). */
  async #readSegment(segment: Segment, request: LogReadRequest): Promise<LogReadOutcome | null> {
    try {
      const range = { start: segment.indexes.offsets.positionFor(request.startOffset), end: segment.sizeBytes }
      const borrowed = this.#ports.files.borrow(segment.logPath)
      try {
        const outcome = await readBatches(borrowed.file, range, request)
        if (outcome.kind === 'nothing') return null
        if (outcome.kind === 'corrupt') return this.#corruptRead(segment, outcome.position, outcome.message)
        const { records, nextOffset } = outcome
        return { kind: 'read', records: records.length === 0 ? NO_RECORDS : [records], sizeBytes: records.length, nextOffset: nextOffset as Offset }
      } finally {
        borrowed.release()
      }
    } catch (error) {
      return this.#failedRead(error as NodeJS.ErrnoException)
    }
  }

  #corruptRead(segment: Segment, position: number, problem: string): LogReadOutcome {
    const message = `${segment.logPath} is corrupt at byte ${position}: ${problem}`
    this.#ports.logger.error({ partition: this.#name, path: segment.logPath, position }, message)
    return { kind: 'failed', errorCode: ErrorCode.CORRUPT_MESSAGE, message }
  }

  /** Running out of descriptors passes; any other error means that the disk does not give back what it took. */
  #failedRead(error: NodeJS.ErrnoException): LogReadOutcome {
    if (error.code === undefined) throw error
    if (error.code !== 'EMFILE' && error.code !== 'ENFILE') this.#ports.logDirectory.fail(error)
    return { kind: 'failed', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: error.message }
  }

  #searchSegment(segment: Segment, timestampMs: number, find: (place: RecordPlace) => TimestampedOffset | null): TimestampedOffset | null {
    const { offsets, times } = segment.indexes
    const file = this.#ports.files.file(segment.logPath)
    let found: TimestampedOffset | null = null
    walkBatches(file, { start: offsets.positionFor(times.offsetBefore(timestampMs)), end: segment.sizeBytes }, (batch) => {
      if (batch.maxTimestampMs < timestampMs) return null
      found = find({ batch })
      return found === null ? null : 'stop'
    })
    return found
  }

  #truncate(endOffset: number): void {
    if (!this.#writer.write()) return
    // The batch that contains `endOffset` goes whole, so that the log may end before it.
    const cut = this.#locateCut(endOffset)
    // It may hold the log start too: then nothing readable is left.
    if (cut.endOffset < this.#logStartOffset) return this.#startAt(this.#logStartOffset, this.#logStartOffset)
    this.#ports.lowerRecoveryPoint(cut.endOffset)
    this.#generation++
    this.#tail.clear()
    // Newest first and each durably: after a crash in between the log must end somewhere, not have a hole.
    while (this.#segments.active !== cut.segment) this.#dropActiveSegment()
    this.#cutSegment(cut)
    this.#logEndOffset = cut.endOffset
    this.#checkpointedPoint = -1
    this.#writer.truncated(cut.endOffset)
    if (this.#highWatermark > cut.endOffset) this.#highWatermark = cut.endOffset
    if (this.#epochs.truncateFromEnd(cut.endOffset as Offset)) this.#epochsDirty = true
    this.#writeEpochs()
    this.#snapshots.removeAbove(cut.endOffset)
    this.#rebuildProducers()
  }

  #locateCut(endOffset: number): LogCut {
    let index = this.#segments.indexFor(endOffset)
    if (index > 0 && this.#segments.all[index]!.baseOffset === endOffset) index--
    const segment = this.#segments.all[index]!
    const cut = { segment, position: segment.sizeBytes, endOffset }
    const start = segment.indexes.offsets.positionFor(endOffset - 1)
    walkBatches(this.#ports.files.file(segment.logPath), { start, end: segment.sizeBytes }, (batch, position) => {
      if (batch.lastOffset < endOffset) return null
      cut.position = position
      cut.endOffset = Math.min(endOffset, batch.baseOffset)
      return 'stop'
    })
    return cut
  }

  #dropActiveSegment(): void {
    const { fs } = this.#ports
    const dropped = this.#segments.takeLast()
    this.#writer.forget(dropped)
    for (const path of dropped.markDeleted()) fs.removeFile(path)
    fs.syncDirectory(this.directory)
  }

  #cutSegment({ segment, position, endOffset }: LogCut): void {
    const file = this.#ports.files.file(segment.logPath)
    file.truncateSync(position)
    file.syncSync()
    const { indexIntervalBytes } = this.#config
    const trustBelowOffset = Number.MAX_SAFE_INTEGER
    resumeSegment(segment, file, { endPosition: position, indexIntervalBytes, trustBelowOffset, check: () => null, onBatch: () => {} })
    segment.dropAbortedFrom(endOffset)
    segment.writeIndexes()
    for (const path of segment.indexPaths()) this.#writer.coverPath(path)
  }

  /** The state as of the new log end: from a snapshot below it and the batches behind that. */
  #rebuildProducers(): void {
    this.#snapshots.load(this.#producers, this.#logStartOffset, this.#logEndOffset)
    replayProducers(this.#segments, this.#ports.files, this.#producers, this.#logEndOffset)
    this.#producers.onHighWatermark(this.#highWatermark)
  }

  /** Drops all and begins, empty, with a segment at `baseOffset`. Also the way out of a corrupt log: its replica is filled again. */
  #startAt(baseOffset: number, logStartOffset: number): void {
    this.#guarded(() => {
      if (!this.#writer.write()) return
      this.#ports.lowerRecoveryPoint(Math.min(baseOffset, this.#segments.first.baseOffset))
      this.#generation++
      this.#tail.clear()
      while (this.#segments.count > 1) this.#dropActiveSegment()
      this.#replaceLastSegment(baseOffset)
      this.#epochs.clear()
      this.#epochsDirty = true
      this.#snapshots.removeAbove(-1)
      this.#producers.load([], baseOffset)
      this.#logStartOffset = logStartOffset
      this.#logEndOffset = baseOffset
      this.#highWatermark = Math.min(Math.max(this.#highWatermark, logStartOffset), Math.max(baseOffset, logStartOffset))
      this.#corruption = null
      this.#checkpointedPoint = -1
      this.#writer.truncated(baseOffset)
      this.#writeEpochs()
    })
  }

  #replaceLastSegment(baseOffset: number): void {
    const { fs, files } = this.#ports
    const dropped = this.#segments.active
    this.#writer.forget(dropped)
    for (const path of dropped.markDeleted()) fs.removeFile(path)
    const segment = this.#ports.segment(baseOffset, 0)
    files.file(segment.logPath)
    fs.syncDirectory(this.directory)
    this.#segments.replaceAll(segment)
  }

  #deleteOldSegments(): readonly string[] {
    // What is still staged for an old segment would bring its file back under the old name.
    if (!this.#writer.write()) return []
    const segments = this.#segments.all
    const plan = planRetention(
      segments.map((segment, index) => this.#retentionView(segment, segments[index + 1])),
      this.#config,
      { logStartOffset: this.#logStartOffset, highWatermark: this.#highWatermark, nowMs: this.#ports.scheduler.wallMs() },
    )
    if (plan === null) return []
    if (plan.count === segments.length) {
      this.#roll(this.#logEndOffset)
      // The new name must be on the disk before the old ones go: the log end is known from nothing else.
      this.#ports.fs.syncDirectory(this.directory)
    }
    const gone = this.#segments.takeFirst(plan.count)
    const newStart = this.#segments.first.baseOffset
    this.#ports.logger.info({ partition: this.#name, segments: plan.count, reason: plan.reason, logStartOffset: newStart }, 'Deleting old segments')
    if (newStart > this.#logStartOffset) this.advanceLogStartOffset(newStart as Offset)
    this.#snapshots.removeBelow(newStart)
    for (const segment of gone) this.#writer.forget(segment)
    this.#writer.coverDirectory(this.directory)
    return gone.flatMap((segment, index) => {
      // Oldest first on the disk too: a crash must not bring an old segment back without those between it and the rest.
      if (index > 0) this.#ports.fs.syncDirectory(this.directory)
      return segment.markDeleted()
    })
  }

  #retentionView(segment: Segment, next: Segment | undefined): RetentionSegment {
    return {
      baseOffset: segment.baseOffset,
      endOffset: next?.baseOffset ?? this.#logEndOffset,
      sizeBytes: segment.sizeBytes,
      get largestTimestampMs() {
        const { timestampMs } = segment.largestTimestamp
        return timestampMs >= 0 ? timestampMs : segment.createdMs
      },
    }
  }
}

function refuse(errorCode: number, message: string): LeaderAppendOutcome {
  return { kind: 'refused', errorCode, message, recordErrors: [] }
}

function emptyRead(offset: Offset): LogReadOutcome {
  return { kind: 'read', records: NO_RECORDS, sizeBytes: 0, nextOffset: offset }
}

function totalBytes(batches: readonly BatchView[]): number {
  let sum = 0
  for (const batch of batches) sum += batch.sizeBytes
  return sum
}

function isBehind(first: BatchView, second: BatchView): boolean {
  return first.buffer === second.buffer && first.position + first.sizeBytes === second.position
}
