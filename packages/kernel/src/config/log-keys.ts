import { LONG_MAX, boolean, int, list, long, oneOf, optionalInt, optionalLong, optionalString } from './config-key.ts'

const DAY_MS = 86_400_000

/** Where the logs are, and the broker-wide defaults of the topic settings. */
export const logKeys = {
  logDir: list('log.dir', {
    default: ['/tmp/kafka-logs'], importance: 'HIGH', nonEmpty: true, doc: 'Data directory, when log.dirs is not set.',
  }),
  logDirs: list('log.dirs', { default: [], importance: 'HIGH', doc: 'Data directories; replicas are spread over them.' }),
  metadataLogDir: optionalString('metadata.log.dir', {
    default: null, importance: 'HIGH', doc: 'Directory of the metadata log. Default: the first of log.dirs.',
  }),
  logSegmentBytes: int('log.segment.bytes', {
    default: 2 ** 30, min: 1048576, importance: 'HIGH', scope: 'cluster-wide', doc: 'A segment is rolled before it grows beyond this.',
  }),
  logRollMs: optionalLong('log.roll.ms', {
    default: null, min: 1, importance: 'HIGH', scope: 'cluster-wide', doc: 'A segment is rolled when it is this old. Unset: log.roll.hours.',
  }),
  logRollHours: int('log.roll.hours', { default: 168, min: 1, importance: 'HIGH', doc: 'Used when log.roll.ms is unset.' }),
  logRollJitterMs: optionalLong('log.roll.jitter.ms', {
    default: null, min: 0, importance: 'HIGH', scope: 'cluster-wide', doc: 'Random time subtracted from log.roll.ms. Unset: log.roll.jitter.hours.',
  }),
  logRollJitterHours: int('log.roll.jitter.hours', { default: 0, min: 0, importance: 'HIGH', doc: 'Used when log.roll.jitter.ms is unset.' }),
  logRetentionMs: optionalLong('log.retention.ms', {
    default: null, min: -1, importance: 'HIGH', scope: 'cluster-wide', doc: 'Segments older than this are deleted; -1 keeps them. Unset: log.retention.minutes.',
  }),
  logRetentionMinutes: optionalInt('log.retention.minutes', {
    default: null, importance: 'HIGH', doc: 'Used when log.retention.ms is unset. Unset: log.retention.hours.',
  }),
  logRetentionHours: int('log.retention.hours', { default: 168, importance: 'HIGH', doc: 'Used when neither ms nor minutes are set.' }),
  logRetentionBytes: long('log.retention.bytes', {
    default: -1, importance: 'HIGH', scope: 'cluster-wide', doc: 'Oldest segments are deleted while the partition is larger; -1 has no limit.',
  }),
  logRetentionCheckIntervalMs: long('log.retention.check.interval.ms', { default: 300000, min: 1, doc: 'How often retention looks.' }),
  logCleanupPolicy: list('log.cleanup.policy', {
    default: ['delete'], of: ['delete', 'compact'], scope: 'cluster-wide', doc: 'What happens to old segments.',
  }),
  logCleanerEnable: boolean('log.cleaner.enable', { default: true, doc: 'Whether compaction runs.' }),
  logCleanerDeleteRetentionMs: long('log.cleaner.delete.retention.ms', {
    default: DAY_MS, min: 0, scope: 'cluster-wide', doc: 'How long tombstones stay after compaction.',
  }),
  logCleanerMinCompactionLagMs: long('log.cleaner.min.compaction.lag.ms', {
    default: 0, min: 0, scope: 'cluster-wide', doc: 'A record is not compacted while younger.',
  }),
  logCleanerMaxCompactionLagMs: long('log.cleaner.max.compaction.lag.ms', {
    default: LONG_MAX, min: 1, scope: 'cluster-wide', doc: 'A record is compacted at the latest when this old.',
  }),
  logIndexSizeMaxBytes: int('log.index.size.max.bytes', {
    default: 10485760, min: 4, scope: 'cluster-wide', doc: 'A segment is rolled when its index is this large.',
  }),
  logIndexIntervalBytes: int('log.index.interval.bytes', { default: 4096, min: 0, scope: 'cluster-wide', doc: 'Bytes between index entries.' }),
  logFlushIntervalMessages: long('log.flush.interval.messages', {
    default: 1, min: 1, importance: 'HIGH', scope: 'cluster-wide',
    doc: 'Records that may be unsynced. Kavka syncs before it acknowledges (1), in groups; 9223372036854775807 trusts the page cache, as Kafka does.',
  }),
  logFlushIntervalMs: optionalLong('log.flush.interval.ms', {
    default: null, min: 0, importance: 'HIGH', scope: 'cluster-wide', doc: 'Longest time a record stays unsynced. Unset: log.flush.scheduler.interval.ms.',
  }),
  logFlushSchedulerIntervalMs: long('log.flush.scheduler.interval.ms', { default: LONG_MAX, importance: 'HIGH', doc: 'Used when log.flush.interval.ms is unset.' }),
  logFlushOffsetCheckpointIntervalMs: int('log.flush.offset.checkpoint.interval.ms', { default: 60000, min: 0, importance: 'HIGH', doc: 'How often recovery points are written.' }),
  logFlushStartOffsetCheckpointIntervalMs: int('log.flush.start.offset.checkpoint.interval.ms', { default: 60000, min: 0, importance: 'HIGH', doc: 'How often log start offsets are written.' }),
  logSegmentDeleteDelayMs: long('log.segment.delete.delay.ms', { default: 60000, min: 0, importance: 'HIGH', scope: 'cluster-wide', doc: 'Time between taking a file out of use and removing it.' }),
  logPreallocate: boolean('log.preallocate', { default: false, scope: 'cluster-wide', doc: 'Accepted; Kavka never preallocates.' }),
  logMessageTimestampType: oneOf('log.message.timestamp.type', ['CreateTime', 'LogAppendTime'], { default: 'CreateTime', scope: 'cluster-wide', doc: 'Whose clock stamps records.' }),
  logMessageTimestampBeforeMaxMs: long('log.message.timestamp.before.max.ms', { default: LONG_MAX, min: 0, scope: 'cluster-wide', doc: 'Oldest timestamp accepted, before now.' }),
  logMessageTimestampAfterMaxMs: long('log.message.timestamp.after.max.ms', { default: 3600000, min: 0, scope: 'cluster-wide', doc: 'Furthest timestamp accepted, after now.' }),
  messageMaxBytes: int('message.max.bytes', { default: 1048588, min: 0, importance: 'HIGH', scope: 'cluster-wide', doc: 'Largest record batch accepted.' }),
  compressionType: oneOf('compression.type', ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'], { default: 'producer', importance: 'HIGH', scope: 'cluster-wide', doc: 'How batches are stored; producer keeps them as they came.' }),
  compressionGzipLevel: int('compression.gzip.level', { default: -1, min: -1, max: 9, scope: 'cluster-wide', doc: 'Level when Kavka compresses with gzip; -1 is the default of the codec.' }),
  compressionLz4Level: int('compression.lz4.level', { default: 9, min: 1, max: 17, scope: 'cluster-wide', doc: 'Level when Kavka compresses with lz4.' }),
  compressionZstdLevel: int('compression.zstd.level', { default: 3, min: -131072, max: 22, scope: 'cluster-wide', doc: 'Level when Kavka compresses with zstd.' }),
  producerIdExpirationMs: int('producer.id.expiration.ms', { default: DAY_MS, min: 1, importance: 'LOW', scope: 'cluster-wide', doc: 'A producer idle for this long is forgotten.' }),
  producerIdExpirationCheckIntervalMs: int('producer.id.expiration.check.interval.ms', { default: 600000, min: 1, importance: 'LOW', doc: 'How often that is checked.' }),
  numRecoveryThreadsPerDataDir: int('num.recovery.threads.per.data.dir', { default: 2, min: 1, importance: 'HIGH', scope: 'cluster-wide', doc: 'Logs recovered at the same time.' }),
  kavkaTailCacheBytes: long('kavka.tail.cache.bytes', { default: 16 * 2 ** 20, min: 0, doc: 'Memory for the newest batches of all partitions, from which followers and caught-up consumers are served.' }),
  kavkaOpenFilesMax: int('kavka.open.files.max', { default: 10000, min: 16, doc: 'Segment files held open at once.' }),
} as const
