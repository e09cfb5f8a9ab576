/**
 * Group commit of one log: what a turn of the event loop appended is written together when it ends, and synced together after
 * that, with one sync in flight at most (`SyncQueue` says when). What arrives meanwhile goes into the next.
 */
import { assert } from '@kavka/kernel'
import type { File, FileSystem, Scheduler } from '@kavka/kernel'
import type { OpenFiles } from '../../files/open-files.ts'
import { syncFile, syncOpenFile } from './background-sync.ts'
import type { NameSyncs } from './background-sync.ts'
import type { LogDirectory } from '../../log-directory.ts'
import type { Segment } from '../segment/segment.ts'
import type { SyncedLog, SyncQueue } from './sync-queue.ts'
import type { TurnEnd } from './turn-end.ts'

/** Larger synchronous writes stall the loop for tens of milliseconds beside a background sync. */
const WRITE_BYTES_MAX = 256 * 1024
/** Linux takes 1024 buffers in one writev. */
const WRITE_BUFFERS_MAX = 512

export interface LogWriterOptions {
  /** The log ends here and all of it is on the disk, as far as `syncedEndOffset` says. */
  readonly endOffset: number
  readonly syncedEndOffset: number
}

export interface LogWriterPorts {
  readonly fs: FileSystem
  readonly files: OpenFiles
  readonly logDirectory: LogDirectory
  readonly turnEnd: TurnEnd
  readonly scheduler: Scheduler
  readonly syncQueue: SyncQueue
  readonly nameSyncs: NameSyncs
}

/** The log that is written. */
export interface WrittenLog {
  readonly config: { readonly flushMessages: number }
  /** A write or a sync moved an end offset. */
  notifyDurable(): void
}

interface StagedRun {
  readonly segment: Segment
  readonly position: number
  readonly buffers: Buffer[]
  sizeBytes: number
}

/** What a sync in flight will have covered. */
interface SyncInFlight {
  readonly generation: number
  readonly target: number
  /** Files beside the log, or directories. */
  readonly coversNames: boolean
}

export class LogWriter implements SyncedLog {
  readonly #ports: LogWriterPorts
  readonly #log: WrittenLog
  #staged: StagedRun[] = []
  #isTurnRequested = false
  #stagedEndOffset: number
  #writtenEndOffset: number
  #syncedEndOffset: number
  /** Log files written since the last sync began. */
  #dirtySegments: Segment[] = []
  /** Files beside the log (sealed indexes, snapshots) that the next sync must cover. */
  #dirtyPaths: string[] = []
  /** Directories with names that the next sync must cover. */
  #dirtyDirectories: string[] = []
  #isSyncRequested = false
  #syncAgain = false
  #syncInFlight: SyncInFlight | null = null
  /** Those who wait for the end of a sync, whatever it covers. */
  #onSyncEnded: (() => void)[] = []
  /** Counts truncations: a sync that began before one says nothing about the bytes after it. */
  #generation = 0
  #lastSyncMs: number

  constructor(options: LogWriterOptions, ports: LogWriterPorts, log: WrittenLog) {
    this.#log = log
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
    const isBehind = this.#syncedEndOffset < this.#stagedEndOffset
    return isBehind || this.#dirtySegments.length > 0 || this.#hasDirtyNames || this.#syncInFlight !== null
  }

  /** Whether the directory changed since the last sync of it was over. */
  hasUnsyncedNames(directory: string): boolean {
    return this.#dirtyDirectories.includes(directory) || this.#ports.nameSyncs.isRunning(directory)
  }

  get #hasDirtyNames(): boolean {
    return this.#dirtyPaths.length + this.#dirtyDirectories.length > 0
  }

  get #isSyncDue(): boolean {
    return this.#writtenEndOffset - this.#syncedEndOffset >= this.#log.config.flushMessages
  }

  /** The sync in flight began after all that is written. */
  get #isCovered(): boolean {
    const syncing = this.#syncInFlight
    return syncing !== null && syncing.generation === this.#generation && syncing.target === this.#writtenEndOffset
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
    if (!this.#dirtySegments.includes(segment)) this.#dirtySegments.push(segment)
  }

  coverPath(path: string): void {
    if (!this.#dirtyPaths.includes(path)) this.#dirtyPaths.push(path)
  }

  coverDirectory(path: string): void {
    if (!this.#dirtyDirectories.includes(path)) this.#dirtyDirectories.push(path)
  }

  /** A file that is gone need not be synced. */
  forget(segment: Segment): void {
    this.#dirtySegments = this.#dirtySegments.filter((dirty) => dirty !== segment)
    const gone = [segment.path('.index'), segment.path('.timeindex'), segment.path('.txnindex')]
    this.#dirtyPaths = this.#dirtyPaths.filter((path) => !gone.includes(path))
  }

  /** For TurnEnd. */
  writeAtTurnEnd(): void {
    this.#isTurnRequested = false
    if (this.write() && !this.#isCovered && this.#isSyncDue) this.requestSync()
  }

  /** Writes what is staged, now; false when the directory failed. */
  write(): boolean {
    const { logDirectory } = this.#ports
    if (logDirectory.failure !== null) return false
    if (this.#staged.length === 0) return true
    const staged = this.#staged
    this.#staged = []
    try {
      for (const run of staged) this.#writeRun(run)
    } catch (error) {
      logDirectory.fail(error)
      return false
    }
    this.#writtenEndOffset = this.#stagedEndOffset
    this.#log.notifyDurable()
    return true
  }

  /** A sync soon; errors fail the directory. */
  requestSync(): void {
    if (this.#isSyncRequested) {
      this.#syncAgain = true
      return
    }
    this.#isSyncRequested = true
    const { syncQueue } = this.#ports
    if (this.#log.config.flushMessages <= 1) syncQueue.request(this)
    else syncQueue.requestApart(this)
  }

  /** Resolves when all that was appended before the call is on the disk; false when the directory failed. */
  async sync(): Promise<boolean> {
    if (!this.write()) return false
    const target = this.#writtenEndOffset
    const { logDirectory } = this.#ports
    // Segments that are written on are dirty again and again; what this call is about lies below the target. A truncation while it
    // waits may leave less than that to sync.
    const isBehind = (): boolean => this.#syncedEndOffset < Math.min(target, this.#writtenEndOffset)
    const hasNames = (): boolean => this.#hasDirtyNames || this.#syncInFlight?.coversNames === true
    while (logDirectory.failure === null && (isBehind() || hasNames())) {
      await new Promise<void>((resolve) => {
        this.#onSyncEnded.push(resolve)
        this.requestSync()
      })
    }
    return logDirectory.failure === null
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
    // A sync in flight tells nothing of what is left, and no append may come that would ask for another.
    if (this.#isSyncDue) this.requestSync()
  }

  /** The log leaves, and its files with it: what is staged would be written into a file that is gone, or that is another log's by then. */
  abandon(): void {
    this.#staged = []
    this.#dirtySegments = []
    this.#dirtyPaths = []
    this.#dirtyDirectories = []
  }

  /** For SyncQueue. */
  async beginSync(): Promise<void> {
    const { logDirectory } = this.#ports
    // Of this same turn, when the sync before ended in it: else it would wait for yet another sync.
    this.write()
    this.#syncInFlight = { generation: this.#generation, target: this.#writtenEndOffset, coversNames: this.#hasDirtyNames }
    this.#syncAgain = false
    this.#lastSyncMs = this.#ports.scheduler.monotonicMs()
    if (logDirectory.failure !== null) return
    try {
      await this.#syncDirty()
    } catch (error) {
      logDirectory.fail(error)
    }
  }

  /** For SyncQueue. */
  endSync(): void {
    assert(this.#syncInFlight !== null, 'a sync ends that did not begin')
    const { generation, target } = this.#syncInFlight
    this.#syncInFlight = null
    this.#isSyncRequested = false
    const isSynced = this.#ports.logDirectory.failure === null
    if (isSynced) {
      if (generation === this.#generation && target > this.#syncedEndOffset) this.#syncedEndOffset = target
      this.#log.notifyDurable()
      if (this.#syncAgain) this.requestSync()
    }
    for (const resolve of this.#onSyncEnded.splice(0)) resolve()
  }

  /** All that is dirty now; what becomes dirty meanwhile is left to the next sync. */
  #syncDirty(): Promise<unknown> {
    const { fs, files, nameSyncs } = this.#ports
    const segments = this.#dirtySegments
    const paths = this.#dirtyPaths
    const directories = this.#dirtyDirectories
    this.#dirtySegments = []
    if (segments.length === 1 && paths.length + directories.length === 0) return syncOpenFile(files, fs, segments[0]!.logPath)
    this.#dirtyPaths = []
    this.#dirtyDirectories = []
    const syncs = segments.map((segment) => syncOpenFile(files, fs, segment.logPath))
    for (const path of paths) syncs.push(syncFile(fs, path))
    for (const path of directories) syncs.push(nameSyncs.sync(path))
    return Promise.all(syncs)
  }

  #writeRun(run: StagedRun): void {
    const file = this.#ports.files.file(run.segment.logPath)
    this.coverSegment(run.segment)
    if (run.sizeBytes <= WRITE_BYTES_MAX && run.buffers.length <= WRITE_BUFFERS_MAX) file.writevSync(run.buffers, run.position)
    else writeInPieces(file, run)
  }
}

function writeInPieces(file: File, run: StagedRun): void {
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
