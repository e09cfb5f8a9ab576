/**
 * What is known of one log, shared by the jobs that work on it (append, read, truncate, retain, checkpoint), and the few things
 * that all of them do: say why the log cannot be used, fail its directory, tell its owner of progress.
 */
import { assert } from '@kavka/kernel'
import type { Logger } from '@kavka/kernel'
import { topicPartitionName } from '@kavka/protocol'
import type { LeaderEpoch, Offset, TopicPartition, Uuid } from '@kavka/protocol'
import { PARTITION_METADATA_FILE } from '../files/partition-metadata.ts'
import type { LogConfig } from '../log-config.ts'
import type { LogCorruption } from '../partition-log.ts'
import { LeaderEpochFile } from './epochs/leader-epoch-file.ts'
import type { LeaderEpochs } from './epochs/leader-epochs.ts'
import type { LoadedLog } from './recovery/loaded-log.ts'
import { LogWriter } from './sync/log-writer.ts'
import type { LogWriterPorts } from './sync/log-writer.ts'
import type { ProducerSnapshots } from './producers/producer-snapshots.ts'
import type { ProducerState } from './producers/producer-state.ts'
import type { ReadMemory } from './read/read-memory.ts'
import type { ReadAhead } from './recovery/read-ahead.ts'
import type { Segment, SegmentOptions } from './segment/segment.ts'
import type { SegmentList } from './segment/segment-list.ts'
import type { LogTail, TailCache } from './read/tail-cache.ts'

export interface DiskLogOptions {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly config: LogConfig
  readonly directory: string
  readonly producerIdExpirationMs: number
  /** Its part of `segment.jitter.ms`, in [0, 1). */
  readonly jitter: number
}

/** Shared by all logs of a log directory. */
export interface DiskLogPorts extends LogWriterPorts {
  readonly logger: Logger
  readonly tailCache: TailCache
  readonly readMemory: ReadMemory
  readonly readAhead: ReadAhead
  /** Makes a segment object for a file that exists or will. */
  readonly segment: (options: SegmentOptions) => Segment
  /** Records the recovery points of all logs as they say now (`recordedPoint`), on the disk when it returns. */
  readonly recordRecoveryPoints: () => void
}

export class LogState {
  readonly options: DiskLogOptions
  readonly ports: DiskLogPorts
  readonly name: string
  readonly directory: string
  readonly segments: SegmentList
  readonly epochs: LeaderEpochs
  readonly producers: ProducerState
  readonly snapshots: ProducerSnapshots
  readonly tail: LogTail
  readonly writer: LogWriter
  config: LogConfig
  logStartOffset: number
  logEndOffset: number
  highWatermark: number
  corruption: LogCorruption | null
  epochsDirty: boolean
  /** All that a recovery believes below this offset is on the disk: the recovery point to record. */
  checkpointedPoint: number
  /** The recovery point as recorded, or about to be. */
  recordedPoint: number
  /** Appended since the last checkpoint: what a recovery would have to read. */
  unsavedBytes = 0
  readonly epochFile: LeaderEpochFile
  /** Counts what may pull a file from under an asynchronous operation: truncations. */
  generation = 0
  isClosed = false
  durableListener: () => void = () => {}
  corruptListener: () => void = () => {}
  #durableNotified: number

  constructor(options: DiskLogOptions, loaded: LoadedLog, ports: DiskLogPorts) {
    this.options = options
    this.ports = ports
    this.config = options.config
    this.directory = options.directory
    this.name = topicPartitionName(options.topicPartition)
    this.segments = loaded.segments
    this.epochs = loaded.epochs
    this.producers = loaded.producers
    this.snapshots = loaded.snapshots
    this.corruption = loaded.corruption
    this.epochsDirty = loaded.epochsChanged
    this.logStartOffset = loaded.logStartOffset
    this.logEndOffset = loaded.logEndOffset
    this.highWatermark = loaded.logStartOffset
    this.checkpointedPoint = loaded.recoveryPoint
    this.recordedPoint = loaded.recordedPoint
    this.epochFile = new LeaderEpochFile(this.directory, ports)
    this.tail = ports.tailCache.tail()
    this.writer = new LogWriter(
      { endOffset: loaded.logEndOffset, syncedEndOffset: loaded.recoveryPoint },
      ports,
      this,
    )
    this.#durableNotified = this.durableEndOffset
  }

  /** `flush.messages=1`: a record is acknowledged when it is synced. */
  get isSyncedByRecord(): boolean {
    return this.config.flushMessages <= 1
  }

  get durableEndOffset(): number {
    const end = this.isSyncedByRecord ? this.writer.syncedEndOffset : this.writer.writtenEndOffset
    return Math.min(end, this.logEndOffset)
  }

  /** Synced up to here. */
  get recoveryPoint(): number {
    return Math.min(this.writer.syncedEndOffset, this.logEndOffset)
  }

  /** Why nothing can be done with the log now; null when it can be used. */
  unavailable(): string | null {
    const { failure, path } = this.ports.logDirectory
    if (failure !== null) return `Log directory ${path} is offline: ${failure.message}`
    if (this.corruption?.found === 'at-start') return this.corruption.message
    return this.isClosed ? `The log of ${this.name} is closed` : null
  }

  /**
   * A read met bytes of the log that are not what was written. The log goes on: what is sound is served, and its owner, who is told
   * once, has it filled again. Returns a sentence naming file and position.
   */
  noteDamage(segment: Segment, position: number, offset: number, problem: string): string {
    const path = segment.logPath
    const message = `${path} is corrupt at byte ${position} (offset ${offset}): ${problem}`
    if (this.corruption !== null) return message
    this.ports.logger.error({ partition: this.name, path, position }, message)
    this.corruption = { found: 'by-read', path, position, offset: offset as Offset, message }
    this.corruptListener()
    return message
  }

  /** Segments went, by retention or truncation, or were cut: damage in them is no damage any more. */
  forgetDamageOutside(): void {
    const { corruption, segments } = this
    if (corruption?.found !== 'by-read') return
    const holder = segments.all.find(({ logPath }) => logPath === corruption.path)
    if (holder === undefined || holder.sizeBytes <= corruption.position) this.corruption = null
  }

  /** Runs file operations; an error of the disk fails the directory and yields null. */
  guarded<T>(operation: () => T): T | null {
    try {
      return operation()
    } catch (error) {
      this.ports.logDirectory.fail(error)
      return null
    }
  }

  moveHighWatermark(highWatermark: number): void {
    const { logEndOffset, name } = this
    assert(highWatermark <= logEndOffset, 'high watermark beyond the log end', { highWatermark, logEndOffset, log: name })
    this.highWatermark = Math.max(highWatermark, this.logStartOffset)
    this.producers.onHighWatermark(this.highWatermark as Offset)
  }

  /** False when `startOffset` is not beyond the current start, or the log cannot be used. */
  advanceLogStart(startOffset: number): boolean {
    const { logEndOffset, name } = this
    assert(startOffset <= logEndOffset, 'log start beyond the log end', { startOffset, logEndOffset, log: name })
    if (startOffset <= this.logStartOffset || this.unavailable() !== null) return false
    this.logStartOffset = startOffset
    if (this.highWatermark < startOffset) this.moveHighWatermark(startOffset)
    if (this.epochs.truncateFromStart(startOffset as Offset)) this.epochsDirty = true
    return true
  }

  noteEpoch(epoch: number, startOffset: number): void {
    if (this.epochs.assign(epoch as LeaderEpoch, startOffset as Offset)) this.epochsDirty = true
  }

  dropEpochsFrom(endOffset: number): void {
    if (this.epochs.truncateFromEnd(endOffset as Offset)) this.epochsDirty = true
  }

  /** Before records at and above `offset` go: a recovery must not miss them, nor take others for them. On the disk when it returns. */
  lowerRecoveryPoint(offset: number): void {
    this.checkpointedPoint = Math.min(this.checkpointedPoint, offset)
    if (this.recordedPoint <= offset) return
    this.recordedPoint = offset
    this.ports.recordRecoveryPoints()
  }

  /** Brings the file up to what is known, on the disk when it returns. */
  writeEpochs(): void {
    if (!this.epochsDirty) return
    this.epochFile.write(this.epochs.entries)
    this.epochsDirty = false
  }

  /** Empty, its files made. */
  newSegment(baseOffset: number): Segment {
    const { indexIntervalBytes } = this.config
    const segment = this.ports.segment({ directory: this.directory, baseOffset, sizeBytes: 0, indexIntervalBytes })
    segment.create()
    return segment
  }

  /** The names of a new log: its directory, and what is in it. */
  coverNames(): void {
    this.writer.coverDirectory(this.directory)
    this.writer.coverDirectory(this.ports.logDirectory.path)
    this.writer.coverPath(`${this.directory}/${PARTITION_METADATA_FILE}`)
  }

  /** Also where all records are below the log start: who wrote them may send the last one again. */
  get hasProducersToKeep(): boolean {
    return this.producers.endOffset > this.segments.first.baseOffset
  }

  takeSnapshot(): void {
    const path = this.hasProducersToKeep ? this.snapshots.take(this.producers) : null
    if (path === null) return
    this.writer.coverPath(path)
    this.writer.coverDirectory(this.directory)
  }

  /** The log ends at `endOffset` now: what comes back to an end that was told before must be told again. */
  truncated(endOffset: number): void {
    this.logEndOffset = endOffset
    this.writer.truncated(endOffset)
    this.#durableNotified = Math.min(this.#durableNotified, this.durableEndOffset)
  }

  notifyDurable(): void {
    const durable = this.durableEndOffset
    if (durable === this.#durableNotified) return
    this.#durableNotified = durable
    this.durableListener()
  }

  /** Before the directory is renamed or removed: the next use opens what then has the names. */
  forgetFiles(): void {
    const suffixes = ['.log', '.index', '.timeindex', '.txnindex'] as const
    for (const segment of this.segments.all) {
      for (const suffix of suffixes) this.ports.files.forget(segment.path(suffix))
    }
  }
}
