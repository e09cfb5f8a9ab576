/** A PartitionLog in memory with an honest notion of durability: what a crash may lose is lost by `crashed`. */
import { assert } from '@kavka/kernel'
import type { Random, Scheduler } from '@kavka/kernel'
import { ErrorCode, offset } from '@kavka/protocol'
import type { LeaderEpoch, Offset, TopicPartition, Uuid } from '@kavka/protocol'
import type {
  AbortedTransaction,
  AppendOrigin,
  EpochEndOffset,
  FollowerAppendOutcome,
  LeaderAppendOutcome,
  LogConfig,
  LogCorruption,
  LogReadOutcome,
  LogReadRequest,
  PartitionLog,
  TimestampedOffset,
} from '@kavka/storage'
import { decodeBatches, placeBatch } from './model-batch.ts'
import type { ModelBatch } from './model-batch.ts'

/** `sync` takes a while, as a group commit does; `manual` waits for the test to call `syncNow`. */
export interface MemoryLogOptions {
  readonly sync: { readonly kind: 'after'; readonly delayMsMax: number } | { readonly kind: 'manual' }
  /** Chance that a read has to go to the file, which takes a turn. */
  readonly slowReadProbability: number
}

export interface MemoryLogDependencies {
  readonly scheduler: Scheduler
  readonly random: Random
}

interface EpochStart {
  readonly epoch: number
  readonly start: number
}

/** What is on the disk of a stopped broker. */
export interface LogRemains {
  readonly topicId: Uuid
  readonly logStart: number
  readonly batches: readonly ModelBatch[]
  readonly epochs: readonly EpochStart[]
  readonly highWatermarkCheckpoint: number
  readonly rotten: ReadonlySet<ModelBatch>
}

/** Told of what the invariants are about. */
export interface LogObserver {
  truncated(log: MemoryPartitionLog, to: number): void
}

export class MemoryPartitionLog implements PartitionLog {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  config: LogConfig
  readonly directory = 'memory'
  readonly segmentCount = 1
  readonly activeProducers = []
  readonly #options: MemoryLogOptions
  readonly #dependencies: MemoryLogDependencies
  observer: LogObserver | null = null
  corruption: LogCorruption | null = null
  batches: ModelBatch[] = []
  epochs: EpochStart[] = []
  #logStart = 0
  #end = 0
  #durableEnd = 0
  #highWatermark = 0
  #syncing: number | null = null
  #failed = false
  #durable: () => void = () => {}
  #failedListener: (cause: Error) => void = () => {}
  #corruptListener: () => void = () => {}
  /** Records that no read gives back any more. */
  readonly rotten = new Set<ModelBatch>()
  abortedList: AbortedTransaction[] = []
  unstableFrom: number | null = null

  constructor(
    identity: { readonly topicPartition: TopicPartition; readonly topicId: Uuid; readonly config: LogConfig },
    options: MemoryLogOptions,
    dependencies: MemoryLogDependencies,
    remains: LogRemains | null = null,
  ) {
    this.topicPartition = identity.topicPartition
    this.topicId = identity.topicId
    this.config = identity.config
    this.#options = options
    this.#dependencies = dependencies
    if (remains !== null) this.#recover(remains)
  }

  get logStartOffset(): Offset {
    return offset(this.#logStart)
  }

  get logEndOffset(): Offset {
    return offset(this.#end)
  }

  get durableEndOffset(): Offset {
    return offset(this.#durableEnd)
  }

  get latestEpoch(): LeaderEpoch | null {
    return (this.epochs.at(-1)?.epoch ?? null) as LeaderEpoch | null
  }

  get highWatermark(): Offset {
    return offset(this.#highWatermark)
  }

  get lastStableOffset(): Offset {
    return offset(Math.min(this.#highWatermark, this.unstableFrom ?? this.#highWatermark))
  }

  get sizeBytes(): number {
    return this.batches.reduce((sum, batch) => sum + batch.bytes.length, 0)
  }

  updateHighWatermark(highWatermark: Offset): void {
    assert(highWatermark <= this.#end, 'high watermark beyond the log end', { highWatermark, end: this.#end })
    assert(highWatermark >= this.#highWatermark, 'high watermark went back')
    this.#highWatermark = highWatermark
  }

  appendAsLeader(records: Buffer, leaderEpoch: LeaderEpoch, _origin: AppendOrigin): LeaderAppendOutcome {
    if (this.#failed) {
      return { kind: 'refused', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: 'failed', recordErrors: [] }
    }
    placeBatch(records, this.#end, leaderEpoch)
    const first = this.#end
    for (const batch of decodeBatches(records)) this.#add(batch)
    return {
      kind: 'appended',
      firstOffset: offset(first),
      lastOffset: offset(this.#end - 1),
      logAppendTimeMs: -1,
      logStartOffset: this.logStartOffset,
    }
  }

  appendAsFollower(records: Buffer, leaderEpochMax: LeaderEpoch): FollowerAppendOutcome {
    if (this.#failed) return { kind: 'refused', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: 'failed' }
    for (const batch of decodeBatches(records)) {
      if (batch.lastOffset < this.#end) continue
      if (batch.epoch > leaderEpochMax) break
      if (batch.baseOffset !== this.#end) {
        return { kind: 'refused', errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, message: `gap at ${batch.baseOffset}` }
      }
      this.#add(batch)
    }
    return { kind: 'appended', logEndOffset: this.logEndOffset }
  }

  read(request: LogReadRequest): LogReadOutcome | Promise<LogReadOutcome> {
    const { slowReadProbability } = this.#options
    if (slowReadProbability === 0 || this.#dependencies.random.unit() >= slowReadProbability) return this.#read(request)
    return new Promise((resolve) => {
      this.#dependencies.scheduler.after(0.1, () => resolve(this.#read(request)))
    })
  }

  assignEpochStart(epoch: LeaderEpoch): void {
    const latest = this.latestEpoch ?? -1
    assert(epoch >= latest, 'epochs of a log do not go back', { epoch, latest })
    if (epoch > latest) this.#noteEpoch(epoch, this.#end)
  }

  endOffsetForEpoch(epoch: LeaderEpoch): EpochEndOffset | null {
    if (epoch > (this.latestEpoch ?? -1)) return null
    const next = this.epochs.findIndex((entry) => entry.epoch > epoch)
    if (next === 0) return { epoch, endOffset: offset(this.epochs[0]!.start) }
    const known = next === -1 ? this.epochs.at(-1) : this.epochs[next - 1]
    if (known === undefined) return null
    return { epoch: known.epoch as LeaderEpoch, endOffset: offset(next === -1 ? this.#end : this.epochs[next]!.start) }
  }

  async offsetForTimestamp(timestampMs: number): Promise<TimestampedOffset | null> {
    const batch = this.batches.find(({ value }) => value >= timestampMs)
    return batch === undefined ? null : this.#timestamped(batch)
  }

  async offsetOfMaxTimestamp(): Promise<TimestampedOffset | null> {
    const batch = this.batches.toSorted((a, b) => a.value - b.value).at(-1)
    return batch === undefined ? null : this.#timestamped(batch)
  }

  abortedTransactions(start: Offset, end: Offset): readonly AbortedTransaction[] {
    return this.abortedList.filter(({ firstOffset }) => firstOffset >= start && firstOffset < end)
  }

  truncateTo(endOffset: Offset): void {
    assert(endOffset >= this.#logStart, 'truncation below the log start')
    this.observer?.truncated(this, endOffset)
    while (this.batches.length > 0 && this.batches.at(-1)!.lastOffset >= endOffset) this.rotten.delete(this.batches.pop()!)
    if (this.rotten.size === 0 && this.corruption?.found === 'by-read') this.corruption = null
    this.epochs = this.epochs.filter(({ start }) => start < endOffset)
    const last = this.batches.at(-1)
    this.#endAt(Math.min(this.#end, endOffset, last === undefined ? this.#logStart : last.lastOffset + 1))
  }

  truncateFullyAndStartAt(startOffset: Offset): void {
    this.observer?.truncated(this, Math.min(startOffset, this.#logStart))
    this.batches = []
    this.rotten.clear()
    this.epochs = []
    this.corruption = null
    this.#logStart = startOffset
    this.#durableEnd = startOffset
    this.#highWatermark = startOffset
    this.#end = startOffset
    if (this.#syncing !== null) this.#syncing = startOffset
  }

  advanceLogStartOffset(startOffset: Offset): boolean {
    if (startOffset <= this.#logStart) return false
    assert(startOffset <= this.#highWatermark, 'log start beyond the high watermark')
    this.#logStart = startOffset
    this.batches = this.batches.filter(({ lastOffset }) => lastOffset >= startOffset)
    return true
  }

  onDurable(listener: () => void): void {
    this.#durable = listener
  }

  onFailed(listener: (cause: Error) => void): void {
    this.#failedListener = listener
  }

  onCorrupt(listener: () => void): void {
    this.#corruptListener = listener
  }

  /** The batch rots where it lies; whoever reads it next finds out. */
  rot(batch: ModelBatch): void {
    this.rotten.add(batch)
  }

  reconfigure(config: LogConfig): void {
    this.config = config
  }

  /** The disk reports an error: nothing is appended any more. */
  fail(cause: Error): void {
    this.#failed = true
    this.#failedListener(cause)
  }

  /** Finishes a sync of everything written. */
  syncNow(): void {
    this.#madeDurable(this.#end)
  }

  /** What a crash leaves: all that is durable, and any part of the rest. */
  crashed(highWatermarkCheckpoint: number): LogRemains {
    const lost = this.#end - this.#durableEnd
    const end = this.#durableEnd + (lost > 0 ? this.#dependencies.random.below(lost + 1) : 0)
    const batches = this.batches.filter(({ lastOffset }) => lastOffset < end)
    const keptEnd = batches.at(-1) === undefined ? this.#logStart : batches.at(-1)!.lastOffset + 1
    const epochs = this.epochs.filter(({ start }) => start < keptEnd)
    return { topicId: this.topicId, logStart: this.#logStart, batches, epochs, highWatermarkCheckpoint, rotten: this.rotten }
  }

  /** What an orderly stop leaves: everything. */
  closed(): LogRemains {
    const { batches, epochs, topicId } = this
    const highWatermarkCheckpoint = this.#highWatermark
    return { topicId, logStart: this.#logStart, batches, epochs, highWatermarkCheckpoint, rotten: this.rotten }
  }

  #recover(remains: LogRemains): void {
    this.#logStart = remains.logStart
    this.batches = [...remains.batches]
    this.epochs = [...remains.epochs]
    for (const batch of this.batches) if (remains.rotten.has(batch)) this.rotten.add(batch)
    this.#end = this.batches.at(-1) === undefined ? remains.logStart : this.batches.at(-1)!.lastOffset + 1
    this.#durableEnd = this.#end
    this.#highWatermark = remains.logStart
  }

  #read(request: LogReadRequest): LogReadOutcome {
    const { startOffset, endOffsetMax, bytesMax, minimum } = request
    if (startOffset < this.#logStart || startOffset > this.#end) return { kind: 'offset-out-of-range' }
    const records: Buffer[] = []
    let sizeBytes = 0
    let nextOffset: number = startOffset
    for (const batch of this.#from(startOffset)) {
      if (batch.baseOffset >= endOffsetMax) break
      const fits = sizeBytes + batch.bytes.length <= bytesMax
      if (this.rotten.has(batch)) {
        if (records.length > 0) break
        return this.#foundRot(batch)
      }
      if (!fits && !(minimum === 'at-least-one-batch' && records.length === 0)) break
      records.push(batch.bytes)
      sizeBytes += batch.bytes.length
      nextOffset = batch.lastOffset + 1
    }
    return { kind: 'read', records, sizeBytes, nextOffset: offset(nextOffset) }
  }

  #foundRot({ baseOffset }: ModelBatch): LogReadOutcome {
    const message = `damaged at ${baseOffset}`
    if (this.corruption === null) {
      this.corruption = { found: 'by-read', path: 'memory', position: baseOffset, offset: offset(baseOffset), message }
      this.#corruptListener()
    }
    return { kind: 'failed', errorCode: ErrorCode.CORRUPT_MESSAGE, message }
  }

  *#from(startOffset: number): Iterable<ModelBatch> {
    let at = this.batches.length
    while (at > 0 && this.batches[at - 1]!.lastOffset >= startOffset) at--
    for (; at < this.batches.length; at++) yield this.batches[at]!
  }

  #timestamped(batch: ModelBatch): TimestampedOffset {
    return { offset: offset(batch.baseOffset), timestampMs: batch.value, leaderEpoch: batch.epoch as LeaderEpoch }
  }

  #add(batch: ModelBatch): void {
    if (batch.epoch > (this.latestEpoch ?? -1)) this.#noteEpoch(batch.epoch, batch.baseOffset)
    this.batches.push(batch)
    this.#end = batch.lastOffset + 1
    this.#startSync()
  }

  /** Entries at or beyond the new start belong to nobody: the new epoch takes their place. */
  #noteEpoch(epoch: number, start: number): void {
    this.epochs = this.epochs.filter((entry) => entry.start < start)
    this.epochs.push({ epoch, start })
  }

  #startSync(): void {
    if (this.#options.sync.kind === 'manual' || this.#syncing !== null) return
    this.#syncing = this.#end
    const { delayMsMax } = this.#options.sync
    this.#dependencies.scheduler.after(this.#dependencies.random.unit() * delayMsMax, () => {
      const end = this.#syncing!
      this.#syncing = null
      if (end < this.#end) this.#startSync()
      this.#madeDurable(end)
    })
  }

  #madeDurable(end: number): void {
    if (end <= this.#durableEnd) return
    this.#durableEnd = end
    this.#durable()
  }

  #endAt(end: number): void {
    this.#end = end
    this.#durableEnd = Math.min(this.#durableEnd, end)
    this.#highWatermark = Math.min(this.#highWatermark, end)
    if (this.#syncing !== null) this.#syncing = Math.min(this.#syncing, end)
  }
}
