/** What makes the next start short: the state beside the batches brought to the disk, now and then and at a clean close. */
import { syncFile } from './background-sync.ts'
import type { LogState } from '../log-state.ts'

/** Whether a checkpoint would move the recovery point. */
export function isCheckpointDue(log: LogState): boolean {
  return log.unavailable() === null && targetOf(log) > log.checkpointedPoint
}

/**
 * Moves `checkpointedPoint` up. What a recovery believes below that point is synced before it moves: batches, index entries and
 * leader epochs; a snapshot of the producers at the point is written, and checked when it is read. All off the event loop.
 */
export async function checkpointLog(log: LogState): Promise<void> {
  if (!isCheckpointDue(log)) return
  const { generation, ports } = log
  const target = targetOf(log)
  log.unsavedBytes = 0
  const written = log.guarded(() => writeBesideLog(log, target))
  if (written === null) return
  try {
    const syncs = written.map((path) => syncFile(ports.fs, path))
    // The name of this one may be new; those of the others came with the segment.
    if (written.some((path) => path.endsWith('.txnindex'))) syncs.push(ports.nameSyncs.sync(log.directory))
    await Promise.all(syncs)
    if (log.isSyncedByRecord) await log.writer.sync()
    await writeEpochs(log)
  } catch (error) {
    // Deleted meanwhile, its directory has another name: the files are not found under the old one, and nobody wants them.
    if (!log.isClosed) ports.logDirectory.fail(error)
  }
  // Truncated meanwhile: the truncation has lowered the point, and what was written may tell of records that are gone.
  if (generation !== log.generation || ports.logDirectory.failure !== null) return
  log.checkpointedPoint = Math.max(log.checkpointedPoint, Math.min(target, log.recoveryPoint))
}

/** All on the disk, indexes sealed, snapshot taken. False when the directory failed before or meanwhile. */
export async function closeCleanly(log: LogState): Promise<boolean> {
  const { ports, writer } = log
  if (log.corruption?.found === 'at-start') return false
  log.guarded(() => {
    if (!writer.write()) return
    const written = log.segments.active.writeIndexes()
    for (const path of written) writer.coverPath(path)
    if (written.length > 0) writer.coverDirectory(log.directory)
    // Not synced: the next start walks from the last offset entry on and makes this time entry itself.
    log.segments.active.seal()
    if (log.hasProducersToKeep) log.snapshots.take(log.producers)
  })
  try {
    const isSynced = !writer.hasUnsynced || (await writer.sync())
    // Epochs without a record are forgotten by the next start.
    if (isSynced) await log.epochFile.complete(log.epochs.entries.filter((entry) => entry.startOffset < log.logEndOffset))
  } catch (error) {
    ports.logDirectory.fail(error)
  }
  log.forgetFiles()
  log.tail.clear()
  if (ports.logDirectory.failure !== null) return false
  log.checkpointedPoint = log.logEndOffset
  return true
}

/** With records synced one by one a checkpoint takes in all there are; otherwise it must not sync what nobody asked to sync. */
function targetOf(log: LogState): number {
  return log.isSyncedByRecord ? log.logEndOffset : log.recoveryPoint
}

/** Returns the index files written. The snapshot of the point recorded before stays until the next checkpoint. */
function writeBesideLog(log: LogState, target: number): string[] {
  log.writer.write()
  log.snapshots.removeStrays(new Set(log.segments.all.map((segment) => segment.baseOffset)))
  if (target === log.producers.endOffset && log.hasProducersToKeep) log.snapshots.take(log.producers)
  return log.segments.active.writeIndexes()
}

async function writeEpochs(log: LogState): Promise<void> {
  // Deleted meanwhile: another log may have its name by now.
  if (!log.epochsDirty || log.isClosed) return
  log.epochsDirty = false
  await log.epochFile.writeInBackground(log.epochs.entries)
}
