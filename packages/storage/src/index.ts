/** One partition log on disk, byte-compatible with Kafka, and the manager of all logs of a node. */
export { DamagedStoreError, LevelStore } from './level-store.ts'
export type { LogConfig } from './log-config.ts'
export type {
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
} from './partition-log.ts'
export type { LentMemory } from './log/read/read-memory.ts'
export { LogManager } from './manager/log-manager.ts'
export type { DirectoryFailedListener, LogManagerDeps } from './manager/log-manager.ts'
export type { LogDirectoryStatus } from './manager/log-directory-store.ts'
export type { LogStartupError } from './manager/open-log-directories.ts'
export { logManagerDefaults } from './manager/log-manager-options.ts'
export type { LogManagerOptions } from './manager/log-manager-options.ts'
export type { SyncFigures } from './log/sync/sync-queue.ts'
export type { Processes } from './files/directory-lock.ts'
