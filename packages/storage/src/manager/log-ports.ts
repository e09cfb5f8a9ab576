/** What the logs of a node share: memory, open files and the end of a turn with all others, the order of syncs with their directory's. */
import type { FileSystem, Logger, Scheduler } from '@kavka/kernel'
import type { OpenFiles } from '../files/open-files.ts'
import type { LogDirectoryStore } from './log-directory-store.ts'
import type { LogManagerOptions } from './log-manager-options.ts'
import { NameSyncs } from '../log/sync/background-sync.ts'
import { IndexMemory } from '../log/index/index-memory.ts'
import type { DiskLogPorts } from '../log/log-state.ts'
import { ReadMemory } from '../log/read/read-memory.ts'
import { ReadAhead } from '../log/recovery/read-ahead.ts'
import { Segment } from '../log/segment/segment.ts'
import type { SegmentOptions } from '../log/segment/segment.ts'
import { SyncQueue } from '../log/sync/sync-queue.ts'
import { TailCache } from '../log/read/tail-cache.ts'
import { TurnEnd } from '../log/sync/turn-end.ts'

/** Logs of a directory synced at once: more than there are threads that sync, so that none of them waits. */
const SYNCS_AT_ONCE = 64
/** A consumer asks for 1 MiB of a partition unless told otherwise; a read begins up to an index interval before what it wants. */
const READ_PIECE_BYTES = 1024 * 1024 + 16 * 1024
const IDLE_READ_PIECES_MAX = 8

export interface SharedPorts {
  readonly fs: FileSystem
  readonly files: OpenFiles
  readonly scheduler: Scheduler
  readonly logger: Logger
}

/** The ports of the logs in each of the directories. */
export function createLogPorts(
  options: Pick<LogManagerOptions, 'tailCacheBytesMax' | 'indexBytesMax'>,
  stores: readonly LogDirectoryStore[],
  base: SharedPorts,
): ReadonlyMap<LogDirectoryStore, DiskLogPorts> {
  const { fs, scheduler } = base
  const indexMemory = new IndexMemory({ bytesMax: options.indexBytesMax })
  const segmentPorts = { ...base, clock: scheduler, indexMemory }
  const shared = {
    ...base,
    turnEnd: new TurnEnd({ scheduler }),
    tailCache: new TailCache({ bytesMax: options.tailCacheBytesMax }),
    readMemory: new ReadMemory({ pieceBytes: READ_PIECE_BYTES, idlePiecesMax: IDLE_READ_PIECES_MAX }),
    nameSyncs: new NameSyncs({ fs }),
    readAhead: new ReadAhead(base),
    segment: (segmentOptions: SegmentOptions) => new Segment(segmentOptions, segmentPorts),
  }
  const portsOf = (store: LogDirectoryStore): DiskLogPorts => ({
    ...shared,
    logDirectory: store.directory,
    syncQueue: new SyncQueue({ logsAtOnceMax: SYNCS_AT_ONCE }, { scheduler }),
    recordRecoveryPoints: () => store.recordRecoveryPoints(),
  })
  return new Map(stores.map((store) => [store, portsOf(store)]))
}
