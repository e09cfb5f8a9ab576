/** The topic settings that a log obeys; names as in `kafka-configs`, resolved through topic override → broker default. */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentJitterMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  /** `flush.messages`: 1 = every record is synced before it is acknowledged; 2^63-1 = the page cache is enough. */
  readonly flushMessages: number
  readonly flushMs: number
  readonly retentionBytes: number
  readonly retentionMs: number
  readonly deleteRetentionMs: number
  readonly fileDeleteDelayMs: number
  readonly cleanupPolicy: readonly ('delete' | 'compact')[]
  readonly maxMessageBytes: number
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly compressionGzipLevel: number
  readonly compressionLz4Level: number
  readonly compressionZstdLevel: number
  readonly minInsyncReplicas: number
  readonly uncleanLeaderElectionEnable: boolean
}
