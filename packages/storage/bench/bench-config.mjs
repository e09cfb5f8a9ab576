const SEGMENT_BYTES = 256 * 1024 * 1024

/** The topic settings under which the benchmarks run. */
export const benchConfig = {
  segmentBytes: SEGMENT_BYTES, segmentMs: 604_800_000, segmentJitterMs: 0, segmentIndexBytes: 10_485_760, indexIntervalBytes: 4_096,
  flushMessages: Number.MAX_SAFE_INTEGER, flushMs: Number.MAX_SAFE_INTEGER, retentionBytes: SEGMENT_BYTES, retentionMs: -1,
  deleteRetentionMs: 86_400_000, fileDeleteDelayMs: 0, cleanupPolicy: ['delete'], maxMessageBytes: 1_048_588, messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER, messageTimestampAfterMaxMs: 3_600_000, compressionType: 'producer',
  compressionGzipLevel: -1, compressionLz4Level: 9, compressionZstdLevel: 3, minInsyncReplicas: 1, uncleanLeaderElectionEnable: false,
}
