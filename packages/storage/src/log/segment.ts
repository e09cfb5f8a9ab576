/**
 * One segment of a partition log: its batches file and the indexes beside it. The active segment's indexes live in memory and
 * are written when the segment is sealed, truncated or checkpointed; those of older segments are loaded when first needed.
 */
import { assert } from '@kavka/kernel'
import type { FileSystem, Logger } from '@kavka/kernel'
import { offsetFileName } from '../files/log-directory-names.ts'
import type { SegmentSuffix } from '../files/log-directory-names.ts'
import type { OpenFiles } from '../files/open-files.ts'
import type { BatchView } from './batch-view.ts'
import { OffsetIndex, offsetIndexProblem } from './offset-index.ts'
import { TimeIndex, timeIndexProblem } from './time-index.ts'
import { decodeAbortedTransactions, encodeAbortedTransactions } from './transaction-index.ts'
import type { AbortedTransactionEntry } from './transaction-index.ts'
import { walkBatches } from './walk-batches.ts'

export interface SegmentPorts {
  readonly fs: FileSystem
  readonly files: OpenFiles
  readonly logger: Logger
}

export interface SegmentOptions {
  readonly directory: string
  readonly baseOffset: number
  readonly sizeBytes: number
  readonly createdMs: number
  /** `index.interval.bytes`, for an index that must be made again. */
  readonly indexIntervalBytes: number
}

interface Indexes {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
}

export interface SegmentTimestamp {
  readonly timestampMs: number
  /** Last offset of the batch that has it. */
  readonly offset: number
}

const NO_TIMESTAMP: SegmentTimestamp = { timestampMs: -1, offset: -1 }

export class Segment {
  readonly baseOffset: number
  readonly createdMs: number
  readonly #ports: SegmentPorts
  readonly #pathPrefix: string
  readonly #indexIntervalBytes: number
  /** Staged bytes included. */
  #sizeBytes: number
  #indexes: Indexes | null = null
  #aborted: AbortedTransactionEntry[] | null = null
  #largest: SegmentTimestamp | null = null
  /** Largest timestamp of the first batch; undefined until looked up, null in an empty segment. */
  #firstTimestampMs: number | null | undefined
  #bytesSinceIndexEntry = 0
  /** Whether the files lag behind what is in memory. */
  #indexesDirty = false

  constructor(options: SegmentOptions, ports: SegmentPorts) {
    this.baseOffset = options.baseOffset
    this.createdMs = options.createdMs
    this.#sizeBytes = options.sizeBytes
    this.#ports = ports
    this.#indexIntervalBytes = options.indexIntervalBytes
    this.#pathPrefix = `${options.directory}/`
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get logPath(): string {
    return this.path('.log')
  }

  path(suffix: SegmentSuffix): string {
    return `${this.#pathPrefix}${offsetFileName(this.baseOffset, suffix)}`
  }

  get indexes(): Indexes {
    this.#indexes ??= this.#loadIndexes()
    return this.#indexes
  }

  /** Aborted transactions whose marker is here. */
  get aborted(): readonly AbortedTransactionEntry[] {
    this.#aborted ??= this.#loadAborted()
    return this.#aborted
  }

  get largestTimestamp(): SegmentTimestamp {
    this.#largest ??= this.indexes.times.last ?? NO_TIMESTAMP
    return this.#largest
  }

  get firstTimestampMs(): number | null {
    if (this.#firstTimestampMs === undefined) this.#firstTimestampMs = this.#readFirstTimestamp()
    return this.#firstTimestampMs
  }

  isIndexFull(indexBytesMax: number): boolean {
    const { offsets, times } = this.indexes
    // The last time slot is kept for the entry at sealing.
    return offsets.sizeBytes + 8 > indexBytesMax || times.sizeBytes + 24 > indexBytesMax
  }

  /** Takes in a batch that will stand at the current end: Kafka's rules for the sparse indexes. */
  note(batch: BatchView, sizeBytes: number, indexIntervalBytes: number): void {
    const lastOffset = batch.lastOffset
    const { maxTimestampMs } = batch
    if (this.#sizeBytes === 0) this.#firstTimestampMs = maxTimestampMs
    if (maxTimestampMs > this.largestTimestamp.timestampMs) this.#largest = { timestampMs: maxTimestampMs, offset: lastOffset }
    if (this.#bytesSinceIndexEntry > indexIntervalBytes) {
      const { offsets, times } = this.indexes
      offsets.append(lastOffset, this.#sizeBytes)
      times.maybeAppend(this.largestTimestamp.timestampMs, this.largestTimestamp.offset)
      this.#bytesSinceIndexEntry = 0
      this.#indexesDirty = true
    }
    this.#sizeBytes += sizeBytes
    this.#bytesSinceIndexEntry += sizeBytes
  }

  noteAborted(entry: AbortedTransactionEntry): void {
    this.#aborted = [...this.aborted, entry]
    this.#indexesDirty = true
  }

  /** Before a replay that finds all of them again; their file, which a crash may have torn, is not even read. */
  forgetAborted(): void {
    this.#aborted = []
    this.#indexesDirty = true
  }

  /** Forgets aborted transactions whose marker lies at or above `offset`. */
  dropAbortedFrom(offset: number): void {
    if (this.aborted.every((entry) => entry.lastOffset < offset)) return
    this.#aborted = this.aborted.filter((entry) => entry.lastOffset < offset)
    this.#indexesDirty = true
  }

  /** The last time entry, and all files as in memory (not synced). Call when the segment is rolled or the log closed. */
  seal(): void {
    const { timestampMs, offset } = this.largestTimestamp
    const { times } = this.indexes
    const before = times.count
    times.maybeAppend(timestampMs, offset)
    if (times.count !== before) this.#indexesDirty = true
    this.writeIndexes()
  }

  /** Brings the index files up to memory; returns the paths of what a sync must cover. */
  writeIndexes(): void {
    const { fs } = this.#ports
    const isComplete = !this.#indexesDirty && fs.exists(this.path('.index')) && fs.exists(this.path('.timeindex'))
    if (isComplete) return
    const { offsets, times } = this.indexes
    fs.writeFile(this.path('.index'), offsets.content)
    fs.writeFile(this.path('.timeindex'), times.content)
    if (this.aborted.length > 0) fs.writeFile(this.path('.txnindex'), encodeAbortedTransactions(this.aborted))
    else if (fs.exists(this.path('.txnindex'))) fs.removeFile(this.path('.txnindex'))
    this.#indexesDirty = false
  }

  /** Index files that exist. */
  indexPaths(): string[] {
    return [this.path('.index'), this.path('.timeindex'), this.path('.txnindex')].filter((path) => this.#ports.fs.exists(path))
  }

  /** Frees what can be read back; for segments that are no longer written. */
  evictIndexes(): void {
    assert(!this.#indexesDirty, 'indexes evicted before they were written', { baseOffset: this.baseOffset })
    this.#indexes = null
  }

  /**
   * Starts over with what lies below `position`, the start of a batch or the end of the file; the caller notes what follows.
   * Kept are index entries of batches before it, so `position` should be that of an index entry or 0.
   */
  resetTo(position: number, nextOffset: number, indexes: 'keep' | 'clear'): void {
    if (indexes === 'clear') this.#indexes = { offsets: new OffsetIndex(this.baseOffset), times: new TimeIndex(this.baseOffset) }
    const { offsets, times } = this.indexes
    offsets.truncateToPosition(position)
    times.truncateToOffset(nextOffset)
    this.#sizeBytes = position
    this.#largest = times.last ?? NO_TIMESTAMP
    this.#bytesSinceIndexEntry = 0
    this.#indexesDirty = true
    if (position === 0) this.#firstTimestampMs = null
  }

  /**
   * After `resetTo`: notes a batch as `note` does, except that the batch which an entry points to gets it back
   * whatever the interval, because that entry may have been made under another setting.
   */
  restore(batch: BatchView, sizeBytes: number, isIndexed: boolean, indexIntervalBytes: number): void {
    if (isIndexed) this.#bytesSinceIndexEntry = Number.MAX_SAFE_INTEGER
    this.note(batch, sizeBytes, indexIntervalBytes)
  }

  /** Renames all files to `.deleted`, log first: without it the others are orphans that a start removes. */
  markDeleted(): string[] {
    const { fs, files } = this.#ports
    const suffixes: SegmentSuffix[] = ['.log', '.index', '.timeindex', '.txnindex']
    const paths = suffixes.map((suffix) => this.path(suffix)).filter((path) => fs.exists(path))
    for (const path of paths) {
      files.forget(path)
      fs.rename(path, `${path}.deleted`)
    }
    return paths.map((path) => `${path}.deleted`)
  }

  #loadIndexes(): Indexes {
    const offsets = this.#readIndexFile('.index')
    const times = this.#readIndexFile('.timeindex')
    const problem =
      offsets === null ? 'it is missing' : (offsetIndexProblem(offsets, this.#sizeBytes) ?? (times === null ? null : timeIndexProblem(times)))
    if (offsets !== null && times !== null && problem === null) {
      return { offsets: new OffsetIndex(this.baseOffset, offsets), times: new TimeIndex(this.baseOffset, times) }
    }
    if (this.#sizeBytes > 0) this.#ports.logger.warn({ path: this.path('.index'), problem }, 'Rebuilding the index of a segment')
    return this.#rebuildIndexes()
  }

  #readIndexFile(suffix: SegmentSuffix): Buffer | null {
    const { fs } = this.#ports
    return fs.exists(this.path(suffix)) ? fs.readFile(this.path(suffix)) : null
  }

  /** A missing or wrong index is made again from the batches. */
  #rebuildIndexes(): Indexes {
    const indexes = { offsets: new OffsetIndex(this.baseOffset), times: new TimeIndex(this.baseOffset) }
    if (this.#sizeBytes === 0) return indexes
    let largest = NO_TIMESTAMP
    let bytesSinceEntry = 0
    walkBatches(this.#ports.files.file(this.logPath), { start: 0, end: this.#sizeBytes }, (batch, position) => {
      if (batch.maxTimestampMs > largest.timestampMs) largest = { timestampMs: batch.maxTimestampMs, offset: batch.lastOffset }
      if (bytesSinceEntry > this.#indexIntervalBytes) {
        indexes.offsets.append(batch.lastOffset, position)
        indexes.times.maybeAppend(largest.timestampMs, largest.offset)
        bytesSinceEntry = 0
      }
      bytesSinceEntry += batch.sizeBytes
      return null
    })
    indexes.times.maybeAppend(largest.timestampMs, largest.offset)
    this.#indexesDirty = true
    return indexes
  }

  #loadAborted(): AbortedTransactionEntry[] {
    const content = this.#readIndexFile('.txnindex')
    if (content === null) return []
    const entries = decodeAbortedTransactions(content, this.baseOffset)
    if (entries === null) throw new Error(`The transaction index ${this.path('.txnindex')} is damaged`)
    return entries
  }

  #readFirstTimestamp(): number | null {
    let first: number | null = null
    if (this.#sizeBytes === 0) return first
    walkBatches(this.#ports.files.file(this.logPath), { start: 0, end: this.#sizeBytes }, (batch) => {
      first = batch.maxTimestampMs
      return 'stop'
    })
    return first
  }
}
