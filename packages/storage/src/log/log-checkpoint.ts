/** What makes the next start short: state beside the batches brought to the disk, now and then and at a clean close. */
import { writeEpochs, LEADER_EPOCH_FILE } from './leader-epoch-file.ts'
import type { LogState } from './log-state.ts'

/**
 * Before the recovery point is recorded: producer state (which a recovery checks, so it needs no sync) and leader epochs (which
 * it believes, so they are synced). Index files are brought up for whoever looks at them.
 */
export function checkpointLog(log: LogState): void {
  if (log.unavailable() !== null || log.recoveryPoint === log.checkpointedPoint) return
  log.checkpointedPoint = log.recoveryPoint
  log.guarded(() => {
    log.segments.active.writeIndexes()
    if (log.producers.endOffset > log.logStartOffset) log.snapshots.take(log.producers)
    log.snapshots.removeStrays(new Set(log.segments.all.map((segment) => segment.baseOffset)))
  })
  writeEpochs(log)
}

/** All on the disk, indexes sealed, snapshot taken. False when the directory failed before or meanwhile. */
export async function closeCleanly(log: LogState): Promise<boolean> {
  if (log.corruption !== null) return false
  log.guarded(() => {
    if (!log.writer.write()) return
    log.segments.active.seal()
    for (const path of log.segments.active.indexPaths()) log.writer.coverPath(path)
    log.takeSnapshot()
    log.epochsDirty = log.epochsDirty || !log.ports.fs.exists(`${log.directory}/${LEADER_EPOCH_FILE}`)
  })
  const isSynced = await log.writer.sync()
  if (isSynced) writeEpochs(log)
  log.forgetFiles()
  log.tail.clear()
  return isSynced && log.ports.logDirectory.failure === null
}
