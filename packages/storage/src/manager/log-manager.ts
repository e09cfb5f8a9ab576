/** All logs of a node: opens and recovers them, creates and deletes, runs retention, checkpoints and flushes, closes cleanly. */
import { failure, success } from '@kavka/kernel'
import type { FileSystem, Logger, Random, Result, Scheduler, TimerHandle } from '@kavka/kernel'
import { ErrorCode, topicPartitionName, ZERO_UUID } from '@kavka/protocol'
import type { Offset, TopicPartition, Uuid } from '@kavka/protocol'
import { DelayedRemovals } from './delayed-removals.ts'
import { removeCleanShutdown, UNCLEAN_BROKER_EPOCH, writeCleanShutdown } from '../files/clean-shutdown.ts'
import { DescriptorRoom } from '../files/descriptor-room.ts'
import type { Processes } from '../files/directory-lock.ts'
import { leavingDirectoryName } from '../files/log-directory-names.ts'
import { OpenFiles } from '../files/open-files.ts'
import { formatPartitionMetadata, PARTITION_METADATA_FILE } from '../files/partition-metadata.ts'
import { systemProcesses } from '../files/system-processes.ts'
import { findLogs, readTopicId } from './found-logs.ts'
import type { FoundLog } from './found-logs.ts'
import type { LogConfig } from '../log-config.ts'
import type { LogDirectoryStatus, LogDirectoryStore } from './log-directory-store.ts'
import type { LogManagerOptions } from './log-manager-options.ts'
import { createLogPorts } from './log-ports.ts'
import { startUpkeep } from './log-upkeep.ts'
import { DiskLog } from '../log/disk-log.ts'
import type { LoadedLog } from '../log/recovery/loaded-log.ts'
import { loadLog, newLog } from '../log/recovery/log-loader.ts'
import type { DiskLogPorts } from '../log/log-state.ts'
import { eachAtOnce } from './each-at-once.ts'
import type { SyncFigures } from '../log/sync/sync-queue.ts'
import { openLogDirectories } from './open-log-directories.ts'
import type { LogStartupError, OpenedLogDirectories } from './open-log-directories.ts'
import type { PartitionLog } from '../partition-log.ts'
import { RetentionRounds } from './retention-rounds.ts'

export interface LogManagerDeps {
  readonly fs: FileSystem
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  /** Default: this machine's. */
  readonly processes?: Processes
}

export type DirectoryFailedListener = (directory: LogDirectoryStatus, cause: Error) => void

/** Logs closed at once. */
const CLOSING_MAX = 64

export class LogManager {
  readonly #options: LogManagerOptions
  readonly #deps: LogManagerDeps
  readonly #stores: readonly LogDirectoryStore[]
  /** Their disks failed before they could be identified. */
  readonly #unusable: readonly LogDirectoryStatus[]
  readonly #files: OpenFiles
  readonly #fs: FileSystem
  /** What the logs of a directory share. */
  readonly #ports: ReadonlyMap<LogDirectoryStore, DiskLogPorts>
  readonly #logs = new Map<string, { readonly log: DiskLog; readonly store: LogDirectoryStore }>()
  readonly #removals: DelayedRemovals
  readonly #retention: RetentionRounds
  #timers: readonly TimerHandle[] = []
  readonly #failedListeners: DirectoryFailedListener[] = []
  readonly previousBrokerEpoch: number

  private constructor({ stores, unusable }: OpenedLogDirectories, options: LogManagerOptions, deps: LogManagerDeps, room: DescriptorRoom) {
    const { scheduler, logger } = deps
    this.#options = options
    this.#deps = deps
    this.#stores = stores
    this.#unusable = unusable
    this.#fs = room
    this.#files = new OpenFiles({ openFilesMax: options.openFilesMax }, { fs: room })
    room.onShortage(() => this.#files.giveBack())
    this.#removals = new DelayedRemovals({ fs: room, scheduler, logger })
    this.#retention = new RetentionRounds({ scheduler, logs: () => this.#allLogs(), deleteSome: (log) => this.#deleteOldSegments(log) })
    this.#ports = createLogPorts(options, stores, { fs: room, files: this.#files, scheduler, logger })
    const epochs = new Set(stores.map((store) => store.previousBrokerEpoch))
    this.previousBrokerEpoch = epochs.size === 1 ? stores[0]!.previousBrokerEpoch : UNCLEAN_BROKER_EPOCH
    for (const store of stores) store.directory.onFailed((cause) => this.#onStoreFailed(store, cause))
  }

  /**
   * Locks the directories, reads `meta.properties` (writes it in a new directory; refuses another cluster's or node's), and opens
   * every log, recovering those that were not closed cleanly. A directory whose disk fails is offline; the others do without it.
   */
  static async open(options: LogManagerOptions, deps: LogManagerDeps): Promise<Result<LogManager, LogStartupError>> {
    const room = new DescriptorRoom({ disk: deps.fs })
    const opened = openLogDirectories(options, { ...deps, fs: room, disk: deps.fs, processes: deps.processes ?? systemProcesses })
    if (!opened.ok) return opened
    const manager = new LogManager(opened.value, options, deps, room)
    const problem = await manager.#openLogs()
    if (problem !== null) {
      manager.#abandon()
      return failure(problem)
    }
    manager.#startTimers()
    // Most partitions are idle: what they need next is opened when they need it.
    manager.#files.closeIdle()
    return success(manager)
  }

  get directories(): readonly LogDirectoryStatus[] {
    return [...this.#stores.map((store) => store.status), ...this.#unusable]
  }

  /** Syncs of logs since the start, for `LogFlushStats`. */
  get syncFigures(): SyncFigures {
    const figures = [...this.#ports.values()].map(({ syncQueue }) => syncQueue.figures)
    return {
      count: figures.reduce((sum, { count }) => sum + count, 0),
      totalMs: figures.reduce((sum, { totalMs }) => sum + totalMs, 0),
    }
  }

  /** Called after each sync of a log with the time it took; one listener. */
  onSynced(listener: (elapsedMs: number) => void): void {
    for (const { syncQueue } of this.#ports.values()) syncQueue.onSynced(listener)
  }

  get(topicPartition: TopicPartition): PartitionLog | null {
    return this.#logs.get(topicPartitionName(topicPartition))?.log ?? null
  }

  *logs(): Iterable<PartitionLog> {
    for (const { log } of this.#logs.values()) yield log
  }

  /**
   * Makes the partition's directory, or returns the log that is there when its topic id matches. `assigned`: the log directory that the
   * metadata names for the replica. While one is offline it may hold the log: then none is made elsewhere, which would be the second.
   */
  getOrCreate(
    topicPartition: TopicPartition,
    topicId: Uuid,
    config: LogConfig,
    assigned: Uuid | null = null,
  ): Result<PartitionLog, { errorCode: number; message: string }> {
    const name = topicPartitionName(topicPartition)
    const known = this.#logs.get(name)
    if (known !== undefined) return this.#existing(known, topicId, config)
    const online = this.#stores.filter((store) => store.directory.state === 'online')
    if (online.length === 0) return storageError(`No log directory is online to hold ${name}`)
    const named = online.find(({ directory }) => directory.directoryId === assigned)
    const offline = this.directories.find(({ state }) => state === 'offline')
    if (named === undefined && assigned !== null && offline !== undefined) {
      return storageError(`${name} lies in log directory ${assigned}, which may be ${offline.path}, and that is offline`)
    }
    const store = named ?? online.reduce((fewest, candidate) => (candidate.logs.size < fewest.logs.size ? candidate : fewest))
    try {
      return success(this.#create(store, topicPartition, topicId, config))
    } catch (error) {
      store.directory.fail(error)
      return storageError(`${name} cannot be created in ${store.directory.path}: ${(error as Error).message}`)
    }
  }

  /** Renames the directory to `-delete` and removes it after `file.delete.delay.ms`. */
  delete(topicPartition: TopicPartition): void {
    const moved = this.#moveAway(topicPartition, 'delete')
    if (moved !== null) this.#removals.directory(moved.path, moved.delayMs)
  }

  /** Not assigned to this node any more: renamed to `-stray` and left for the operator. */
  markStray(topicPartition: TopicPartition): void {
    this.#moveAway(topicPartition, 'stray')
  }

  /** From `replication-offset-checkpoint` as of the start; 0 when it has none. */
  checkpointedHighWatermark(topicPartition: TopicPartition): Offset {
    const name = topicPartitionName(topicPartition)
    return this.#logs.get(name)?.store.highWatermarks.get(name) ?? (0 as Offset)
  }

  /** Id of the log directory that holds the log of the partition; null when there is none. */
  directoryIdOf(topicPartition: TopicPartition): Uuid | null {
    return this.#logs.get(topicPartitionName(topicPartition))?.store.directory.directoryId ?? null
  }

  onDirectoryFailed(listener: DirectoryFailedListener): void {
    this.#failedListeners.push(listener)
  }

  /** Runs retention now, all of it; the timer does so turn by turn. */
  applyRetention(): void {
    for (const { log } of this.#logs.values()) while (this.#deleteOldSegments(log));
  }

  /** A few of a log's; false when there are none. */
  #deleteOldSegments(log: DiskLog): boolean {
    const paths = log.applyRetention()
    if (paths.length > 0) this.#removals.files(paths, log.config.fileDeleteDelayMs)
    return paths.length > 0
  }

  /** Cleanly: everything synced, indexes sealed, snapshots and checkpoints written, then the marker with the broker epoch. */
  async close(brokerEpoch: number): Promise<void> {
    this.#stopTimers()
    await Promise.all(this.#stores.map((store) => store.settled()))
    const unclean = new Set<LogDirectoryStore>()
    await eachAtOnce(this.#logs.values(), CLOSING_MAX, async ({ log, store }) => {
      if (!(await log.close())) unclean.add(store)
    })
    this.#files.closeAll()
    for (const store of this.#stores) {
      if (store.directory.state === 'online') this.#closeStore(store, unclean.has(store) ? null : brokerEpoch)
      store.unlock()
    }
  }

  #closeStore(store: LogDirectoryStore, brokerEpoch: number | null): void {
    try {
      store.writeCheckpoints()
      if (brokerEpoch !== null) writeCleanShutdown(this.#fs, store.directory.path, brokerEpoch)
    } catch (error) {
      store.directory.fail(error)
    }
  }

  async #openLogs(): Promise<LogStartupError | null> {
    for (const store of this.#stores) {
      try {
        const problem = await this.#openLogsOf(store)
        if (problem !== null) return { kind: 'damaged', message: problem }
        removeCleanShutdown(this.#fs, store.directory.path)
      } catch (error) {
        store.directory.fail(error)
      }
    }
    if (this.#stores.some((store) => store.directory.state === 'online')) return null
    return { kind: 'failed', message: `No log directory can be used: ${this.#stores.map((store) => store.directory.failure!.message).join('; ')}` }
  }

  async #openLogsOf(store: LogDirectoryStore): Promise<string | null> {
    const problems: string[] = []
    await eachAtOnce(findLogs(store.directory.path, this.#fs), this.#options.recoveriesAtOnceMax, async (found) => {
      const problem = problems.length === 0 ? await this.#openLog(store, found) : null
      if (problem !== null) problems.push(problem)
    })
    if (problems.length === 0) store.noteFound((name) => this.#logs.has(name))
    return problems[0] ?? null
  }

  async #openLog(store: LogDirectoryStore, { name, path, topicPartition }: FoundLog): Promise<string | null> {
    const other = this.#logs.get(name)
    if (other !== undefined) return `${name} lies in two log directories: ${other.log.directory} and ${path}`
    const topicId = readTopicId(path, store.shutdown, { fs: this.#fs, logger: this.#deps.logger })
    if (!topicId.ok) return topicId.error
    const config = this.#options.configOf(topicPartition.topic)
    const options = {
      directory: path,
      partition: name,
      shutdown: store.shutdown,
      recoveryPoint: store.recoveryPoints.get(name) ?? 0,
      logStartOffset: store.logStartOffsets.get(name) ?? 0,
      indexIntervalBytes: config.indexIntervalBytes,
    }
    const loaded = await loadLog(options, this.#ports.get(store)!)
    const log = this.#add(store, topicPartition, topicId.value, config, loaded)
    if (isOfNobody(log, store)) this.#setAside(log)
    return null
  }

  #setAside({ topicPartition, directory, logEndOffset }: DiskLog): void {
    this.#deps.logger.warn({ path: directory, logEndOffset }, 'Records of a topic whose id was lost with the power are set aside: the topic of that name may be another by now')
    this.markStray(topicPartition)
  }

  #existing(known: { log: DiskLog; store: LogDirectoryStore }, topicId: Uuid, config: LogConfig): Result<PartitionLog, { errorCode: number; message: string }> {
    const { log, store } = known
    const name = topicPartitionName(log.topicPartition)
    if (store.directory.failure !== null) return storageError(`${name} lies in ${store.directory.path}, which is offline: ${store.directory.failure.message}`)
    if (log.topicId !== topicId) {
      if (log.topicId !== ZERO_UUID) {
        return failure({ errorCode: ErrorCode.INCONSISTENT_TOPIC_ID, message: `${log.directory} holds topic id ${log.topicId}, not ${topicId}` })
      }
      log.adoptTopicId(topicId)
    }
    log.reconfigure(config)
    return success(log)
  }

  #create(store: LogDirectoryStore, topicPartition: TopicPartition, topicId: Uuid, config: LogConfig): DiskLog {
    const partition = topicPartitionName(topicPartition)
    const directory = `${store.directory.path}/${partition}`
    store.forgetDeparted(partition)
    this.#fs.makeDirectory(directory)
    this.#fs.writeFile(`${directory}/${PARTITION_METADATA_FILE}`, formatPartitionMetadata(topicId))
    const { indexIntervalBytes } = config
    return this.#add(store, topicPartition, topicId, config, newLog({ directory, partition, indexIntervalBytes }, this.#ports.get(store)!))
  }

  #add(store: LogDirectoryStore, topicPartition: TopicPartition, topicId: Uuid, config: LogConfig, loaded: LoadedLog): DiskLog {
    const name = topicPartitionName(topicPartition)
    const directory = `${store.directory.path}/${name}`
    const ports = this.#ports.get(store)!
    const { producerIdExpirationMs } = this.#options
    const jitter = this.#deps.random.unit()
    const log = new DiskLog({ topicPartition, topicId, config, directory, producerIdExpirationMs, jitter }, loaded, ports)
    this.#logs.set(name, { log, store })
    store.logs.add(log)
    return log
  }

  /** Null when there is nothing to move, or the directory failed. */
  #moveAway(topicPartition: TopicPartition, suffix: 'delete' | 'stray'): { path: string; delayMs: number } | null {
    const name = topicPartitionName(topicPartition)
    const known = this.#logs.get(name)
    if (known === undefined) return null
    const { log, store } = known
    this.#logs.delete(name)
    store.logs.delete(log)
    store.noteDeparted(name)
    log.abandon()
    if (store.directory.state === 'offline') return null
    const path = `${store.directory.path}/${leavingDirectoryName(topicPartition, Buffer.from(this.#deps.random.bytes(16)).toString('hex'), suffix)}`
    try {
      this.#fs.rename(log.directory, path)
    } catch (error) {
      store.directory.fail(error)
      return null
    }
    return { path, delayMs: log.config.fileDeleteDelayMs }
  }

  #startTimers(): void {
    const subjects = { stores: this.#stores, logs: () => this.#allLogs(), applyRetention: () => this.#retention.begin() }
    this.#timers = startUpkeep(this.#options, subjects, this.#deps.scheduler)
  }

  #allLogs(): DiskLog[] {
    return Array.from(this.#logs.values(), ({ log }) => log)
  }

  #stopTimers(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#retention.stop()
    this.#removals.cancel()
  }

  #abandon(): void {
    for (const { log } of this.#logs.values()) log.abandon()
    this.#files.closeAll()
    for (const store of this.#stores) store.unlock()
  }

  #onStoreFailed(store: LogDirectoryStore, cause: Error): void {
    for (const listener of this.#failedListeners) listener(store.status, cause)
  }
}

/**
 * The topic id is synced with the first records of a log, and nobody is promised any before: where the power took the id, what is left of
 * records is owed to nobody. Under the id that the metadata gives the name now they might get into another topic. (Kafka sets aside any log
 * without an id.) Where a recovery point was recorded the id was on the disk, and records were: then it is the file that was damaged.
 */
function isOfNobody({ topicId, logEndOffset, recordedPoint }: DiskLog, { shutdown }: LogDirectoryStore): boolean {
  return topicId === ZERO_UUID && shutdown === 'unclean' && logEndOffset > 0 && recordedPoint === 0
}

function storageError(message: string): Result<PartitionLog, { errorCode: number; message: string }> {
  return failure({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message })
}
