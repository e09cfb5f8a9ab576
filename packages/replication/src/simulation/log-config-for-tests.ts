import type { LogConfig } from '@kavka/storage'

/** Kafka's defaults, but for what `overrides` say. */
export function logConfig(overrides: Partial<LogConfig> = {}): LogConfig {
  return {
    segmentBytes: 2 ** 30,
    segmentMs: 604_800_000,
    segmentJitterMs: 0,
    segmentIndexBytes: 10_485_760,
    indexIntervalBytes: 4096,
    flushMessages: 1,
    flushMs: Number.MAX_SAFE_INTEGER,
    retentionBytes: -1,
    retentionMs: 604_800_000,
    deleteRetentionMs: 86_400_000,
    fileDeleteDelayMs: 60_000,
    cleanupPolicy: ['delete'],
    maxMessageBytes: 1_048_588,
    messageTimestampType: 'CreateTime',
    messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
    messageTimestampAfterMaxMs: 3_600_000,
    compressionType: 'producer',
    compressionGzipLevel: -1,
    compressionLz4Level: 9,
    compressionZstdLevel: 3,
    minInsyncReplicas: 1,
    uncleanLeaderElectionEnable: false,
    ...overrides,
  }
}
