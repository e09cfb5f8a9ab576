import type { NodeId } from '@kavka/protocol'
import type { LogConfig } from '../log-config.ts'

/** How much may lie behind the recovery points, where a start after a crash would read it, before they are moved between two regular checkpoints. */
export interface UnsavedBounds {
  /** Of a directory: below it nothing is done. */
  readonly noticedBytes: number
  /** Of a directory: above it every log is checkpointed that has something unsaved, not only those with much. */
  readonly bytesMax: number
  /** Of one log: much. */
  readonly logBytesMin: number
}

/** How a node keeps its logs; each key carries the name of the setting it comes from. */
export interface LogManagerOptions {
  /** `log.dirs`: absolute paths; created when missing. */
  readonly logDirs: readonly string[]
  /** Data of another cluster is refused. */
  readonly clusterId: string
  /** Data of another node is refused. */
  readonly nodeId: NodeId
  /** Settings of a topic found on disk or created, as known now; changed later through `PartitionLog.reconfigure`. */
  readonly configOf: (topic: string) => LogConfig
  /** `log.retention.check.interval.ms` */
  readonly retentionCheckIntervalMs: number
  /** `replica.high.watermark.checkpoint.interval.ms` */
  readonly highWatermarkCheckpointIntervalMs: number
  /** `log.flush.offset.checkpoint.interval.ms` */
  readonly recoveryPointCheckpointIntervalMs: number
  /** `log.flush.start.offset.checkpoint.interval.ms` */
  readonly logStartOffsetCheckpointIntervalMs: number
  /** `log.flush.scheduler.interval.ms`: how often `flush.ms` is looked at. */
  readonly flushCheckIntervalMs: number
  /** `producer.id.expiration.ms` */
  readonly producerIdExpirationMs: number
  /** `producer.id.expiration.check.interval.ms` */
  readonly producerIdExpirationCheckIntervalMs: number
  /** Memory of all logs together for recent batches. */
  readonly tailCacheBytesMax: number
  /** Memory of all logs together for the indexes of segments that are no longer written. */
  readonly indexBytesMax: number
  readonly unsaved: UnsavedBounds
  /** `num.recovery.threads.per.data.dir`: while the batches of one are checked, those of the others are read. */
  readonly recoveriesAtOnceMax: number
  /** Segment files kept open at once by all logs together. */
  readonly openFilesMax: number
}

const MEBIBYTE = 1024 * 1024

/** Kafka's defaults; what it has no setting for is ours. */
export const logManagerDefaults = {
  retentionCheckIntervalMs: 300_000,
  highWatermarkCheckpointIntervalMs: 5_000,
  recoveryPointCheckpointIntervalMs: 60_000,
  logStartOffsetCheckpointIntervalMs: 60_000,
  flushCheckIntervalMs: 1_000,
  producerIdExpirationMs: 86_400_000,
  producerIdExpirationCheckIntervalMs: 600_000,
  tailCacheBytesMax: 64 * MEBIBYTE,
  indexBytesMax: 64 * MEBIBYTE,
  unsaved: { noticedBytes: 64 * MEBIBYTE, bytesMax: 512 * MEBIBYTE, logBytesMin: 16 * MEBIBYTE },
  recoveriesAtOnceMax: 2,
  openFilesMax: 4_096,
} as const
