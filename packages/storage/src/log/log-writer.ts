/**
 * Group commit of one log: what a turn of the event loop appended is written together when it ends, and synced together after
 * that, with one sync in flight at most. What arrives meanwhile goes into the next.
 */
import { assert } from '@kavka/kernel'
import type { FileSystem, Scheduler } from '@kavka/kernel'
import type { OpenFiles } from '../files/open-files.ts'
import type { LogDirectory } from './log-directory.ts'
import type { Segment } from './segment.ts'

/** Larger synchronous writes stall the loop for tens of milliseconds beside a background sync. */
const WRITE_BYTES_MAX = 256 * 1024
/** Linux takes 1024 buffers in one writev. */
const WRITE_BUFFERS_MAX = 512

/** Collects the logs that a turn made dirty and writes them when it ends: one callback for all. */
export class TurnEnd {
  readonly #scheduler: Scheduler
  #writers: LogWriter[] = []

  constructor(dependencies: { readonly scheduler: Scheduler }) {
    this.#scheduler = dependencies.scheduler
  }

  add(writer: LogWriter): void {
    if (this.#writers.length === 0) this.#scheduler.soon(() => this.#run())
    this.#writers.push(writer)
  }

  #run(): void {
    const writers = this.#writers
    this.#writers = []
    for (const writer of writers) writer.writeAtTurnEnd()
  }
}

export interface LogWriterOptions {
  /** The log ends here and all of it is on the disk, as far as `syncedEndOffset` says. */
  readonly endOffset: number
  readonly syncedEndOffset: number
}

export interface LogWriterPorts {
  readonly fs: FileSystem
  readonly files: OpenFiles
  readonly directory: LogDirectory
  readonly turnEnd: TurnEnd
  readonly scheduler: Scheduler
  /** A write or a sync moved an end offset. */
  readonly onProgress: () => void
  /** `flush.messages` as it is now. */
  readonly flushMessages: () => number
}

interface StagedRun {
  readonly segment: Segment
  readonly position: number
  readonly buffers: Buffer[]
  sizeBytes: number
}

export class LogWriter {
  readonly #ports: LogWriterPorts
  #staged: StagedRun[] = []
  #isTurnRequested = false
  #stagedEndOffset: number
  #writtenEndOffset: number
  #syncedEndOffset: number
  /** Log files written since the last sync began. */
  #dirtySegments = new Set<Segment>()
  /** Files beside the log (sealed indexes, snapshots) that the next sync must cover. */
  #dirtyPaths = new Set<string>()
  /** Directories with names that the next sync must cover. */
  #dirtyDirectories = new Set<string>()
  #syncInFlight: Promise<void> | null = null
  #syncAgain = false
  /** Counts truncations: a sync that began before one says nothing about the bytes after it. */
  #generation = 0
  #lastSyncMs: number

  constructor(options: LogWriterOptions, ports: LogWriterPorts) {
    this.#stagedEndOffset = options.endOffset
    this.#writtenEndOffset = options.endOffset
    this.#syncedEndOffset = options.syncedEndOffset
    this.#ports = ports
    this.#lastSyncMs = ports.scheduler.monotonicMs()
  }

  /** In the page cache up to here. */
  get writtenEndOffset(): number {
    return this.#writtenEndOffset
  }

  /** On the disk up to here, with the indexes and snapshots of all segments before the one it lies in. */
  get syncedEndOffset(): number {
    return this.#syncedEndOffset
  }

  get hasUnsynced(): boolean {
    return this.#syncedEndOffset < this.#stagedEndOffset || this.#dirtySegments.size > 0 || this.#dirtyPaths.size > 0 || this.#dirtyDirectories.size > 0
  }

  /** How long ago the last sync began. */
  unsyncedMs(): number {
    return this.#ports.scheduler.monotonicMs() - this.#lastSyncMs
  }

  /** `records` go to `position` of the segment when the turn ends; the memory must not change before. */
  stage(segment: Segment, position: number, records: Buffer, nextOffset: number): void {
    const last = this.#staged.at(-1)
    if (last !== undefined && last.segment === segment) {
      assert(last.position + last.sizeBytes === position, 'staged bytes must be contiguous', { position })
      last.buffers.push(records)
      last.sizeBytes += records.length
    } else {
      this.#staged.push({ segment, position, buffers: [records], sizeBytes: records.length })
    }
    this.#stagedEndOffset = nextOffset
    if (this.#isTurnRequested) return
    this.#isTurnRequested = true
    this.#ports.turnEnd.add(this)
  }

  /** The next sync covers the segment's log, as if it had just been written. */
  coverSegment(segment: Segment): void {
    this.#dirtySegments.add(segment)
  }

  coverPath(path: string): void {
    this.#dirtyPaths.add(path)
  }

  coverDirectory(path: string): void {
    this.#dirtyDirectories.add(path)
  }

  /** A file that is gone need not be synced. */
  forget(segment: Segment): void {
    this.#dirtySegments.delete(segment)
    for (const path of [segment.path('.index'), segment.path('.timeindex'), segment.path('.txnindex')]) this.#dirtyPaths.delete(path)
  }

  /** For TurnEnd. */
  writeAtTurnEnd(): void {
    this.#isTurnRequested = false
    if (!this.write()) return
    if (this.#writtenEndOffset - this.#syncedEndOffset >= this.#ports.flushMessages()) this.requestSync()
  }

  /** Writes what is staged, now; false when the directory failed. */
  write(): boolean {
    const { directory } = this.#ports
    if (directory.failure !== null) return false
    if (this.#staged.length === 0) return true
    const staged = this.#staged
    this.#staged = []
    try {
      for (const run of staged) this.#writeRun(run)
    } catch (error) {
      directory.fail(error as Error)
      return false
    }
    this.#writtenEndOffset = this.#stagedEndOffset
    this.#ports.onProgress()
    return true
  }

  /** A sync soon; errors fail the directory. */
  requestSync(): void {
    if (this.#syncInFlight !== null) this.#syncAgain = true
    else this.#syncInFlight = this.#syncLoop()
  }

  /** Resolves when all that was appended before the call is on the disk; false when the directory failed. */
  async sync(): Promise<boolean> {
    if (!this.write()) return false
    const target = this.#writtenEndOffset
    while (this.#ports.directory.failure === null && (this.#syncedEndOffset < target || this.#dirtyPaths.size + this.#dirtyDirectories.size > 0)) {
      this.requestSync()
      await this.#syncInFlight
    }
    return this.#ports.directory.failure === null
  }

  /**
   * The log was cut: it ends at `endOffset`, which may also lie beyond the old end when it starts again elsewhere.
   * What is staged must have been written before.
   */
  truncated(endOffset: number): void {
    assert(this.#staged.length === 0, 'truncated with staged writes')
    this.#generation++
    this.#stagedEndOffset = endOffset
    this.#writtenEndOffset = endOffset
    this.#syncedEndOffset = Math.min(this.#syncedEndOffset, endOffset)
  }

  /** The owner synced everything itself. */
  markSynced(): void {
    this.#syncedEndOffset = this.#writtenEndOffset
  }

  #writeRun(run: StagedRun): void {
    const file = this.#ports.files.file(run.segment.logPath)
    this.#dirtySegments.add(run.segment)
    let { position } = run
    let piece: Buffer[] = []
    let pieceBytes = 0
    const flush = (): void => {
      if (pieceBytes > 0) file.writevSync(piece, position)
      position += pieceBytes
      piece = []
      pieceBytes = 0
    }
    for (const buffer of run.buffers) {
      for (let at = 0; at < buffer.length; ) {
        const part = buffer.subarray(at, at + WRITE_BYTES_MAX - pieceBytes)
        piece.push(part)
        pieceBytes += part.length
        at += part.length
        if (pieceBytes >= WRITE_BYTES_MAX || piece.length >= WRITE_BUFFERS_MAX) flush()
      }
    }
    flush()
  }

  async #syncLoop(): Promise<void> {
    do {
      this.#syncAgain = false
      const isSynced = await this.#syncOnce()
      if (!isSynced) break
    } while (this.#syncAgain)
    this.#syncInFlight = null
  }

  async #syncOnce(): Promise<boolean> {
    const { fs, directory } = this.#ports
    const generation = this.#generation
    const target = this.#writtenEndOffset
    const segments = [...this.#dirtySegments]
    const paths = [...this.#dirtyPaths]
    const directories = [...this.#dirtyDirectories]
    this.#dirtySegments = new Set()
    this.#dirtyPaths = new Set()
    this.#dirtyDirectories = new Set()
    this.#lastSyncMs = this.#ports.scheduler.monotonicMs()
    if (directory.failure !== null) return false
    try {
      for (const path of directories) if (fs.exists(path)) fs.syncDirectory(path)
      await Promise.all([...segments.map((segment) => this.#syncSegment(segment)), ...paths.map((path) => this.#syncPath(path))])
    } catch (error) {
      // A truncation or a retention run in between may have taken the file away: then there was nothing left to sync.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') directory.fail(error as Error)
      return directory.failure === null
    }
    if (directory.failure !== null) return false
    if (generation === this.#generation && target > this.#syncedEndOffset) this.#syncedEndOffset = target
    this.#ports.onProgress()
    return true
  }

  async #syncSegment(segment: Segment): Promise<void> {
    const { fs, files } = this.#ports
    if (!fs.exists(segment.logPath)) return
    const borrowed = files.borrow(segment.logPath)
    try {
      await borrowed.file.sync()
    } finally {
      borrowed.release()
    }
  }

  /** Files beside the log are replaced under their names, so each sync opens what has the name now. */
  async #syncPath(path: string): Promise<void> {
    const { fs } = this.#ports
    if (!fs.exists(path)) return
    const file = fs.open(path, 'read-write')
    try {
      await file.sync()
    } finally {
      file.close()
    }
  }
}
