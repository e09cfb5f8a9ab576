/** One log directory as the manager works with it: its lock, identity and checkpoint files, and the logs in it. */
import { failure, replaceFileDurably, success } from '@kavka/kernel'
import type { FileSystem, Logger, Random, Result } from '@kavka/kernel'
import type { Offset, Uuid } from '@kavka/protocol'
import type { OffsetCheckpointEntry } from '../files/checkpoint-text.ts'
import { hasCleanShutdown, readBrokerEpoch } from '../files/clean-shutdown.ts'
import { lockDirectory } from '../files/directory-lock.ts'
import type { Processes } from '../files/directory-lock.ts'
import { uuidText } from '../files/log-directory-names.ts'
import { formatMetaProperties, parseMetaProperties } from '../files/meta-properties.ts'
import { OffsetCheckpointFile } from '../files/offset-checkpoint-file.ts'
import type { LogManagerOptions, UnsavedBounds } from './log-manager-options.ts'
import type { DiskLog } from '../log/disk-log.ts'
import { LogDirectory } from '../log-directory.ts'
import { eachAtOnce } from './each-at-once.ts'

const META_PROPERTIES_FILE = 'meta.properties'

/** Few, so that records are synced beside them. */
const CHECKPOINTS_AT_ONCE = 4

export interface StorePorts {
  readonly fs: FileSystem
  /** The disk itself, which names the locks held by this process. */
  readonly disk: FileSystem
  readonly random: Random
  readonly logger: Logger
  readonly processes: Processes
}

/** A log directory as operators and the controller know it. */
export interface LogDirectoryStatus {
  readonly path: string
  readonly directoryId: Uuid
  readonly state: 'online' | 'offline'
}

export class LogDirectoryStore {
  readonly directory: LogDirectory
  readonly logs = new Set<DiskLog>()
  readonly shutdown: 'clean' | 'unclean'
  readonly previousBrokerEpoch: number
  readonly recoveryPoints: ReadonlyMap<string, Offset>
  readonly logStartOffsets: ReadonlyMap<string, Offset>
  /** As of the start, for the logs that were there. */
  readonly highWatermarks: Map<string, Offset>
  /** Partitions that the checkpoint files may still name though their logs are gone. */
  readonly #departed = new Set<string>()
  #checkpointing: Promise<void> | null = null
  readonly #recoveryPointFile: OffsetCheckpointFile
  readonly #highWatermarkFile: OffsetCheckpointFile
  readonly #logStartFile: OffsetCheckpointFile
  readonly #unlock: () => void
  readonly #unsaved: UnsavedBounds

  private constructor(directory: LogDirectory, unlock: () => void, unsaved: UnsavedBounds, { fs, logger }: StorePorts) {
    this.directory = directory
    this.#unsaved = unsaved
    this.#unlock = unlock
    const { path } = directory
    this.#recoveryPointFile = new OffsetCheckpointFile(`${path}/recovery-point-offset-checkpoint`, { fs })
    this.#highWatermarkFile = new OffsetCheckpointFile(`${path}/replication-offset-checkpoint`, { fs })
    this.#logStartFile = new OffsetCheckpointFile(`${path}/log-start-offset-checkpoint`, { fs })
    this.recoveryPoints = readOrEmpty(this.#recoveryPointFile, logger)
    this.highWatermarks = new Map(readOrEmpty(this.#highWatermarkFile, logger))
    this.logStartOffsets = readOrEmpty(this.#logStartFile, logger)
    this.shutdown = hasCleanShutdown(fs, path) ? 'clean' : 'unclean'
    this.previousBrokerEpoch = readBrokerEpoch(fs, path)
  }

  /** Locks and identifies the directory; the error is a sentence. Throws the file system's errors. */
  static open(path: string, options: LogManagerOptions, ports: StorePorts): Result<LogDirectoryStore, string> {
    const { fs, logger } = ports
    makeDirectoryDurably(fs, path)
    const locked = lockDirectory(ports.disk, path, ports.processes)
    if (!locked.ok) return locked
    const identified = identify(path, options, ports)
    if (!identified.ok) {
      locked.value()
      return identified
    }
    const directory = new LogDirectory({ path, directoryId: identified.value }, { logger })
    return success(new LogDirectoryStore(directory, locked.value, options.unsaved, ports))
  }

  get status(): LogDirectoryStatus {
    const { path, directoryId, state } = this.directory
    return { path, directoryId, state }
  }

  /** As the logs say now, on the disk when it returns. */
  recordRecoveryPoints(): void {
    this.#recoveryPointFile.replace(this.#entries((log) => log.recordedPoint))
  }

  /**
   * Moves the recovery points of logs with at least `unsavedBytesMin` bytes behind theirs. One at a time: a call meanwhile gets the
   * one that runs.
   */
  checkpointRecoveryPoints(unsavedBytesMin: number): Promise<void> {
    this.#checkpointing ??= this.#checkpointLogs(unsavedBytesMin).finally(() => {
      this.#checkpointing = null
    })
    return this.#checkpointing
  }

  /** Keeps short what a recovery would have to read, also where much is written between two regular checkpoints. */
  async checkpointWhenMuchIsUnsaved(): Promise<void> {
    if (this.#checkpointing !== null) return
    let total = 0
    let most = 0
    for (const { unsavedBytes } of this.logs) {
      total += unsavedBytes
      most = Math.max(most, unsavedBytes)
    }
    const { noticedBytes, bytesMax, logBytesMin } = this.#unsaved
    const min = total >= bytesMax ? 1 : logBytesMin
    if (total >= noticedBytes && most >= min) await this.checkpointRecoveryPoints(min)
  }

  checkpointHighWatermarks(): Promise<void> {
    return this.#highWatermarkFile.replaceInBackground(this.#entries((log) => log.highWatermark))
  }

  checkpointLogStartOffsets(): Promise<void> {
    return this.#logStartFile.replaceInBackground(this.#movedStarts())
  }

  /** Resolves when no checkpoint of the recovery points is under way. */
  async settled(): Promise<void> {
    await this.#checkpointing?.catch(() => {})
  }

  /** All three, on the disk when it returns; for the end of a clean close. */
  writeCheckpoints(): void {
    this.#recoveryPointFile.replace(this.#entries((log) => log.takeRecoveryPoint()))
    this.#highWatermarkFile.replace(this.#entries((log) => log.highWatermark))
    this.#logStartFile.replace(this.#movedStarts())
  }

  noteDeparted(name: string): void {
    this.#departed.add(name)
    this.highWatermarks.delete(name)
  }

  /** Partitions that the files name and that were not found at the start have departed, too. */
  noteFound(isFound: (name: string) => boolean): void {
    for (const file of [this.recoveryPoints, this.highWatermarks, this.logStartOffsets]) {
      for (const name of file.keys()) if (!isFound(name)) this.noteDeparted(name)
    }
  }

  /**
   * Before a log is made for a partition of a name that was here before (a topic deleted and created again): what the files say of the
   * old log, its high watermark, recovery point and log start, must not be taken for the new one's after a crash.
   */
  forgetDeparted(name: string): void {
    if (!this.#departed.has(name)) return
    this.recordRecoveryPoints()
    this.#highWatermarkFile.replace(this.#entries((log) => log.highWatermark))
    this.#logStartFile.replace(this.#movedStarts())
    this.#departed.clear()
  }

  unlock(): void {
    this.#unlock()
  }

  async #checkpointLogs(unsavedBytesMin: number): Promise<void> {
    const due = [...this.logs].filter((log) => log.unsavedBytes >= unsavedBytesMin && log.isCheckpointDue)
    await eachAtOnce(due, CHECKPOINTS_AT_ONCE, (log) => log.checkpoint())
    if (this.directory.state === 'offline') return
    // Taken before it is written: a truncation meanwhile then sees that it must lower the point, and its file wins.
    await this.#recoveryPointFile.replaceInBackground(this.#entries((log) => log.takeRecoveryPoint()))
  }

  #movedStarts(): OffsetCheckpointEntry[] {
    const moved = [...this.logs].filter((log) => log.logStartOffset > log.firstSegmentOffset)
    return moved.map((log) => ({ topicPartition: log.topicPartition, offset: log.logStartOffset }))
  }

  #entries(offsetOf: (log: DiskLog) => Offset): OffsetCheckpointEntry[] {
    return [...this.logs].map((log) => ({ topicPartition: log.topicPartition, offset: offsetOf(log) }))
  }
}

/** Also the names of the parents that had to be made: a log directory whose name is lost takes all in it along. */
function makeDirectoryDurably(fs: FileSystem, path: string): void {
  if (fs.exists(path)) return
  fs.makeDirectory(path)
  for (let end = path.lastIndexOf('/'); end >= 0; end = end === 0 ? -1 : path.lastIndexOf('/', end - 1)) {
    fs.syncDirectory(end === 0 ? '/' : path.slice(0, end))
  }
}

/** The directory's id; written for a new directory. Data of another cluster or node is not touched. */
function identify(path: string, options: LogManagerOptions, { fs, random }: StorePorts): Result<Uuid, string> {
  const file = `${path}/${META_PROPERTIES_FILE}`
  const newId = uuidText(random.bytes(16))
  const { clusterId, nodeId } = options
  if (!fs.exists(file)) {
    replaceFileDurably(fs, file, formatMetaProperties({ clusterId, nodeId, directoryId: newId }))
    return success(newId)
  }
  const parsed = parseMetaProperties(fs.readFile(file).toString('utf8'))
  if (!parsed.ok) return failure(`${file} cannot be used: ${parsed.error}`)
  const found = parsed.value
  if (found.clusterId !== clusterId) return failure(`${file} is of cluster ${found.clusterId}, this node is of cluster ${clusterId}`)
  if (found.nodeId !== nodeId) return failure(`${file} is of node ${found.nodeId}, this node is ${nodeId}`)
  if (found.directoryId !== null) return success(found.directoryId)
  replaceFileDurably(fs, file, formatMetaProperties({ clusterId, nodeId, directoryId: newId }))
  return success(newId)
}

/** A damaged checkpoint is as good as none: recovery then looks at more. */
function readOrEmpty(file: OffsetCheckpointFile, logger: Logger): ReadonlyMap<string, Offset> {
  const read = file.read()
  if (read.ok) return read.value
  logger.error({}, read.error)
  return new Map()
}
