/**
 * One segment of a partition log: its batches file and the indexes beside it. The active segment's indexes live in memory and
 * their files are brought up when the segment is sealed, truncated or checkpointed; those of older ones are loaded when needed.
 */
import type { Clock, FileSystem, Logger } from '@kavka/kernel'
import { offsetFileName } from '../../files/log-directory-names.ts'
import type { SegmentSuffix } from '../../files/log-directory-names.ts'
import type { OpenFiles } from '../../files/open-files.ts'
import { AbortedTransactions } from '../index/aborted-transactions.ts'
import type { BatchView } from '../batches/batch-view.ts'
import { bringUpFile, readIfThere, UNKNOWN } from '../index/index-files.ts'
import type { IndexMemory } from '../index/index-memory.ts'
import { OffsetIndex } from '../index/offset-index.ts'
import { emptyIndexes, indexesProblem, rebuildIndexes, soundIndexes } from './segment-indexes.ts'
import type { SegmentIndexes, SegmentTimestamp } from './segment-indexes.ts'
import { TimeIndex } from '../index/time-index.ts'
import type { AbortedTransactionEntry } from '../index/transaction-index.ts'
import { walkBatches } from '../batches/walk-batches.ts'

export interface SegmentPorts {
  readonly fs: FileSystem
  readonly files: OpenFiles
  readonly logger: Logger
  readonly clock: Clock
  readonly indexMemory: IndexMemory
}

export interface SegmentOptions {
  readonly directory: string
  readonly baseOffset: number
  readonly sizeBytes: number
  /** `index.interval.bytes`, for an index that must be made again. */
  readonly indexIntervalBytes: number
}

const NO_TIMESTAMP: SegmentTimestamp = { timestampMs: -1, offset: -1 }
const SUFFIXES: readonly SegmentSuffix[] = ['.log', '.index', '.timeindex', '.txnindex']

export class Segment {
  readonly baseOffset: number
  readonly createdMs: number
  readonly #ports: SegmentPorts
  readonly #directory: string
  readonly #indexIntervalBytes: number
  #logPath: string | null = null
  /** Staged bytes included. */
  #sizeBytes: number
  #indexes: SegmentIndexes | null = null
  /** Leading bytes of the index files that equal what is in memory. */
  #heldOffsetBytes = UNKNOWN
  #heldTimeBytes = UNKNOWN
  /** The index files hold more than what is right. */
  #mustCut = false
  readonly #aborted: AbortedTransactions
  #largest: SegmentTimestamp | null = null
  /** Largest timestamp of the first batch; undefined until looked up, null in an empty segment. */
  #firstTimestampMs: number | null | undefined
  #bytesSinceIndexEntry = 0
  /** The time index in memory ends with the entry for the end of the segment, which the interval had not yet called for. */
  #isSealed = true
  /** That entry as it lies in the file of a segment that is written on. */
  #sealInFile: SegmentTimestamp | null = null

  constructor(options: SegmentOptions, ports: SegmentPorts) {
    this.baseOffset = options.baseOffset
    this.createdMs = ports.clock.wallMs()
    this.#sizeBytes = options.sizeBytes
    this.#ports = ports
    this.#indexIntervalBytes = options.indexIntervalBytes
    this.#directory = options.directory
    this.#aborted = new AbortedTransactions(options, ports)
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Kept once asked for: the active segment is asked with every write. */
  get logPath(): string {
    return (this.#logPath ??= this.path('.log'))
  }

  path(suffix: SegmentSuffix): string {
    return `${this.#directory}/${offsetFileName(this.baseOffset, suffix)}`
  }

  get indexes(): SegmentIndexes {
    const indexes = (this.#indexes ??= this.#loadIndexes())
    if (this.#isSealed) this.#ports.indexMemory.use(this, indexes.offsets.sizeBytes + indexes.times.sizeBytes)
    return indexes
  }

  /** Aborted transactions whose marker is here; null when the file that tells is damaged (`restoreAborted` mends it). */
  get aborted(): readonly AbortedTransactionEntry[] | null {
    return this.#aborted.entries(this.path('.txnindex'))
  }

  get largestTimestamp(): SegmentTimestamp {
    this.#largest ??= this.indexes.times.last ?? NO_TIMESTAMP
    return this.#largest
  }

  /** For age: the largest timestamp, or where no record has one the time of the last write, as in Kafka. */
  get lastActivityMs(): number {
    const { timestampMs } = this.largestTimestamp
    return timestampMs >= 0 ? timestampMs : this.#ports.fs.modifiedMs(this.logPath)
  }

  get firstTimestampMs(): number | null {
    if (this.#firstTimestampMs === undefined) this.#firstTimestampMs = this.#readFirstTimestamp()
    return this.#firstTimestampMs
  }

  /** Makes the files of a new, empty segment; what may be left under the names of its indexes is not its own. */
  create(): void {
    this.#ports.files.file(this.logPath)
    this.#indexes = emptyIndexes(this.baseOffset)
    this.#aborted.clear()
    this.#isSealed = false
    this.writeIndexes()
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
    if (this.#isSealed) this.#unseal()
    if (this.#sizeBytes === 0) this.#firstTimestampMs = maxTimestampMs
    if (maxTimestampMs > this.largestTimestamp.timestampMs) this.#largest = { timestampMs: maxTimestampMs, offset: lastOffset }
    if (this.#bytesSinceIndexEntry > indexIntervalBytes) {
      const { offsets, times } = this.indexes
      offsets.append(lastOffset, this.#sizeBytes)
      times.maybeAppend(this.largestTimestamp.timestampMs, this.largestTimestamp.offset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#sizeBytes += sizeBytes
    this.#bytesSinceIndexEntry += sizeBytes
  }

  noteAborted(entry: AbortedTransactionEntry): void {
    this.#aborted.add(entry, this.path('.txnindex'))
  }

  restoreAborted(entries: readonly AbortedTransactionEntry[]): void {
    this.#aborted.restore(entries)
  }

  /** After a crash: believes the entries below `offset`, which a sync had covered; a replay finds the others again. */
  keepAbortedBelow(offset: number): void {
    this.#aborted.keepBelow(offset, this.path('.txnindex'))
  }

  /** Forgets aborted transactions whose marker lies at or above `offset`. */
  dropAbortedFrom(offset: number): void {
    this.#aborted.dropFrom(offset, this.path('.txnindex'))
  }

  /**
   * The last time entry, and all files as in memory (not synced); returns the paths written. For a segment that ends, or a log that
   * is closed.
   */
  seal(): string[] {
    const { timestampMs, offset } = this.largestTimestamp
    const { times } = this.indexes
    const before = times.count
    times.maybeAppend(timestampMs, offset)
    this.#isSealed = true
    const inFile = this.#sealInFile
    const isThere = times.count > before && inFile?.timestampMs === timestampMs && inFile.offset === offset
    if (isThere) this.#heldTimeBytes = times.sizeBytes
    else if (inFile !== null) this.#mustCut = true
    return this.writeIndexes()
  }

  /** Brings the index files up to memory; returns the paths written, which a sync must cover. */
  writeIndexes(): string[] {
    const written: string[] = []
    if (this.#indexes !== null) {
      const { offsets, times } = this.#indexes
      this.#heldOffsetBytes = this.#bringUp('.index', offsets.content, this.#heldOffsetBytes, written)
      if (this.#mustCut || this.#heldTimeBytes !== times.sizeBytes) this.#sealInFile = null
      this.#heldTimeBytes = this.#bringUp('.timeindex', times.content, this.#heldTimeBytes, written)
      this.#mustCut = false
    }
    if (this.#aborted.write(this.path('.txnindex'))) written.push(this.path('.txnindex'))
    return written
  }

  /** Index files that exist. */
  indexPaths(): string[] {
    return SUFFIXES.slice(1).map((suffix) => this.path(suffix)).filter((path) => this.#ports.fs.exists(path))
  }

  /** Frees what can be read back; false when the files lag behind. */
  evictIndexes(): boolean {
    if (this.#indexes === null || !this.#isSealed) return false
    const { offsets, times } = this.#indexes
    if (this.#mustCut || this.#heldOffsetBytes !== offsets.sizeBytes || this.#heldTimeBytes !== times.sizeBytes) return false
    this.#indexes = null
    return true
  }

  /** After a crash: loads the entries that ascend, whatever the files hold behind them. */
  loadSoundIndexes(): SegmentIndexes {
    const { fs } = this.#ports
    const offsetBytes = readIfThere(fs, this.path('.index'))
    const timeBytes = readIfThere(fs, this.path('.timeindex'))
    // Entries of both are made together: with one of the files gone the other cannot tell how far they reached.
    const isWhole = offsetBytes !== null && timeBytes !== null
    this.#indexes = isWhole ? soundIndexes(this.baseOffset, offsetBytes, timeBytes) : emptyIndexes(this.baseOffset)
    const { offsets, times } = this.#indexes
    this.#heldOffsetBytes = offsetBytes === null ? UNKNOWN : offsets.sizeBytes
    this.#heldTimeBytes = timeBytes === null ? UNKNOWN : times.sizeBytes
    this.#mustCut = offsets.sizeBytes !== offsetBytes?.length || times.sizeBytes !== timeBytes?.length
    return this.#indexes
  }

  /** Starts over, empty: the caller notes every batch. */
  clear(): void {
    if (this.#indexes === null) {
      this.#indexes = emptyIndexes(this.baseOffset)
      this.#mustCut = true
    }
    this.#keepEntries(0)
    this.#sizeBytes = 0
    this.#bytesSinceIndexEntry = 0
    this.#largest = NO_TIMESTAMP
    this.#firstTimestampMs = null
  }

  /** Starts over behind the batch to which the offset entry `index` points; the caller notes what follows. */
  resumeBehindEntry(index: number, batch: BatchView): void {
    const { offsets, times } = this.indexes
    const { position } = offsets.entry(index)
    this.#keepEntries(index + 1)
    this.#largest = times.last ?? NO_TIMESTAMP
    if (batch.maxTimestampMs > this.#largest.timestampMs) {
      this.#largest = { timestampMs: batch.maxTimestampMs, offset: batch.lastOffset }
    }
    times.maybeAppend(this.#largest.timestampMs, this.#largest.offset)
    this.#sizeBytes = position + batch.sizeBytes
    this.#bytesSinceIndexEntry = batch.sizeBytes
  }

  /** The segment turned out to end there: what its time index file says of a record behind that must not be believed by a later start. */
  dropSealBehind(endOffset: number): void {
    if (this.#sealInFile === null || this.#sealInFile.offset < endOffset) return
    this.#sealInFile = null
    this.#mustCut = true
  }

  /** Renames all files to `.deleted`, log first: without it the others are orphans that a start removes. */
  markDeleted(onLogRenamed: () => void = () => {}): string[] {
    const { fs, files, indexMemory } = this.#ports
    const paths = SUFFIXES.map((suffix) => this.path(suffix)).filter((path) => fs.exists(path))
    indexMemory.forget(this)
    for (const path of paths) {
      files.forget(path)
      fs.rename(path, `${path}.deleted`)
      if (path === this.logPath) onLogRenamed()
    }
    return paths.map((path) => `${path}.deleted`)
  }

  #keepEntries(count: number): void {
    const { offsets } = this.indexes
    this.#mustCut ||= offsets.count > count
    offsets.truncateToCount(count)
    this.#heldOffsetBytes = Math.min(this.#heldOffsetBytes, offsets.sizeBytes)
    this.#dropTimesBehindOffsets()
  }

  /** Where the segment is written on, the entry made by sealing goes: the interval decides again. */
  #unseal(): void {
    const largest = this.largestTimestamp
    this.#dropTimesBehindOffsets()
    this.#largest = largest
  }

  /** Time entries are made together with offset entries and tell of nothing behind them, except the one made by sealing. */
  #dropTimesBehindOffsets(): void {
    const { offsets, times } = this.indexes
    this.#ports.indexMemory.forget(this)
    const last = times.last
    const countBefore = times.count
    times.truncateToOffset((offsets.last?.offset ?? this.baseOffset - 1) + 1)
    if (this.#sealInFile !== null) this.#mustCut = true
    const isInFile = this.#heldTimeBytes === countBefore * times.entryBytes && !this.#mustCut
    this.#sealInFile = isInFile && times.count === countBefore - 1 ? last : null
    this.#mustCut ||= this.#sealInFile === null && times.count < countBefore
    this.#heldTimeBytes = Math.min(this.#heldTimeBytes, times.sizeBytes)
    this.#isSealed = false
  }

  #loadIndexes(): SegmentIndexes {
    const { fs, logger } = this.#ports
    const offsetBytes = readIfThere(fs, this.path('.index'))
    const timeBytes = readIfThere(fs, this.path('.timeindex'))
    const problem = indexesProblem(offsetBytes, timeBytes, this.#sizeBytes)
    if (offsetBytes !== null && timeBytes !== null && problem === null) {
      this.#heldOffsetBytes = offsetBytes.length
      this.#heldTimeBytes = timeBytes.length
      return { offsets: new OffsetIndex(this.baseOffset, offsetBytes), times: new TimeIndex(this.baseOffset, timeBytes) }
    }
    if (this.#sizeBytes > 0) logger.warn({ path: this.path('.index'), problem }, 'Rebuilding the index of a segment')
    this.#heldOffsetBytes = UNKNOWN
    this.#heldTimeBytes = UNKNOWN
    if (this.#sizeBytes === 0) return emptyIndexes(this.baseOffset)
    return rebuildIndexes(this.#ports.files.file(this.logPath), this, this.#indexIntervalBytes)
  }

  #bringUp(suffix: SegmentSuffix, content: Buffer, heldBytes: number, written: string[]): number {
    if (heldBytes === content.length && !this.#mustCut) return heldBytes
    bringUpFile(this.#ports.fs, this.path(suffix), content, heldBytes)
    written.push(this.path(suffix))
    return content.length
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
