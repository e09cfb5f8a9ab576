/** What is done for the logs of a node from time to time: retention, overdue syncs, expired producers, checkpoints. */
import { every } from '@kavka/kernel'
import type { Scheduler, TimerHandle } from '@kavka/kernel'
import type { LogDirectoryStore } from './log-directory-store.ts'
import type { LogManagerOptions } from './log-manager-options.ts'
import type { DiskLog } from '../log/disk-log.ts'

/** How often it is looked at how much a recovery would have to read. */
const UNSAVED_CHECK_INTERVAL_MS = 1_000

export interface UpkeepSubjects {
  readonly stores: readonly LogDirectoryStore[]
  /** As of now. */
  readonly logs: () => Iterable<DiskLog>
  readonly applyRetention: () => void
}

/** The timers, for the owner to cancel. A checkpoint that fails takes its directory offline. */
export function startUpkeep(options: LogManagerOptions, { stores, logs, applyRetention }: UpkeepSubjects, scheduler: Scheduler): readonly TimerHandle[] {
  const onLogs = (act: (log: DiskLog) => void) => () => {
    for (const log of logs()) act(log)
  }
  const onStores = (act: (store: LogDirectoryStore) => Promise<void>) => () => {
    for (const store of stores) {
      if (store.directory.state === 'online') act(store).catch((error: unknown) => store.directory.fail(error))
    }
  }
  return [
    every(scheduler, options.retentionCheckIntervalMs, applyRetention),
    every(scheduler, options.flushCheckIntervalMs, onLogs((log) => log.syncWhenOverdue())),
    every(scheduler, UNSAVED_CHECK_INTERVAL_MS, onStores((store) => store.checkpointWhenMuchIsUnsaved())),
    every(scheduler, options.producerIdExpirationCheckIntervalMs, onLogs((log) => log.removeExpiredProducers())),
    every(scheduler, options.highWatermarkCheckpointIntervalMs, onStores((store) => store.checkpointHighWatermarks())),
    every(scheduler, options.recoveryPointCheckpointIntervalMs, onStores((store) => store.checkpointRecoveryPoints(0))),
    every(scheduler, options.logStartOffsetCheckpointIntervalMs, onStores((store) => store.checkpointLogStartOffsets())),
  ]
}
