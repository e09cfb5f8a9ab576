import { boolean, int, long, optionalString, short } from './config-key.ts'

/** Topics' defaults, replication and fetching. */
export const replicationKeys = {
  numPartitions: int('num.partitions', { default: 1, min: 1, doc: 'Partitions of a topic created without saying how many.' }),
  defaultReplicationFactor: int('default.replication.factor', { default: 1, min: 1, doc: 'Replicas of a topic created without saying how many.' }),
  minInsyncReplicas: int('min.insync.replicas', { default: 1, min: 1, importance: 'HIGH', scope: 'cluster-wide', doc: 'With acks=all a write needs this many in-sync replicas.' }),
  autoCreateTopicsEnable: boolean('auto.create.topics.enable', { default: true, importance: 'HIGH', doc: 'Whether asking for an unknown topic creates it.' }),
  deleteTopicEnable: boolean('delete.topic.enable', { default: true, importance: 'HIGH', doc: 'Whether topics may be deleted.' }),
  uncleanLeaderElectionEnable: boolean('unclean.leader.election.enable', { default: false, importance: 'HIGH', scope: 'cluster-wide', doc: 'Whether a replica outside the in-sync set may lead, at the price of lost records.' }),
  uncleanLeaderElectionIntervalMs: long('unclean.leader.election.interval.ms', { default: 300000, min: 1, doc: 'How often leaderless partitions that allow it are tried.' }),
  replicaLagTimeMaxMs: long('replica.lag.time.max.ms', { default: 30000, importance: 'HIGH', doc: 'A follower not caught up for this long leaves the in-sync set.' }),
  replicaFetchMaxBytes: int('replica.fetch.max.bytes', { default: 1048576, min: 0, doc: 'Bytes of one partition in a replication frame.' }),
  replicaFetchResponseMaxBytes: int('replica.fetch.response.max.bytes', { default: 10485760, min: 0, doc: 'Bytes of a whole replication frame.' }),
  replicaFetchBackoffMs: int('replica.fetch.backoff.ms', { default: 1000, min: 0, doc: 'Longest wait before a failed replication stream is tried again.' }),
  replicaHighWatermarkCheckpointIntervalMs: long('replica.high.watermark.checkpoint.interval.ms', { default: 5000, importance: 'HIGH', doc: 'How often high watermarks are written to disk.' }),
  replicaSelectorClass: optionalString('replica.selector.class', { default: null, doc: 'org.apache.kafka.common.replica.RackAwareReplicaSelector lets consumers read from a follower in their rack.' }),
  fetchMaxBytes: int('fetch.max.bytes', { default: 57671680, min: 1024, doc: 'Largest fetch response.' }),
  maxIncrementalFetchSessionCacheSlots: int('max.incremental.fetch.session.cache.slots', { default: 1000, min: 0, doc: 'Incremental fetch sessions kept.' }),
  maxRequestPartitionSizeLimit: int('max.request.partition.size.limit', { default: 2000, min: 1, doc: 'Partitions in one DescribeTopicPartitions answer.' }),
  autoLeaderRebalanceEnable: boolean('auto.leader.rebalance.enable', { default: true, importance: 'HIGH', doc: 'Whether preferred leaders get their partitions back by themselves.' }),
  leaderImbalanceCheckIntervalSeconds: long('leader.imbalance.check.interval.seconds', { default: 300, min: 1, importance: 'HIGH', doc: 'How often that is checked; Kavka also checks soon after a broker returned.' }),
  controlledShutdownEnable: boolean('controlled.shutdown.enable', { default: true, doc: 'Whether a stopping broker hands its partitions over first.' }),
  offsetsTopicReplicationFactor: short('offsets.topic.replication.factor', { default: 3, min: 1, importance: 'HIGH', doc: 'Replicas of __consumer_offsets.' }),
  offsetsTopicNumPartitions: int('offsets.topic.num.partitions', { default: 50, min: 1, importance: 'HIGH', doc: 'Partitions of __consumer_offsets.' }),
  offsetsTopicSegmentBytes: int('offsets.topic.segment.bytes', { default: 104857600, min: 1, importance: 'HIGH', doc: 'Segment size of __consumer_offsets.' }),
  offsetsTopicCompressionCodec: int('offsets.topic.compression.codec', { default: 0, importance: 'HIGH', doc: 'Accepted; offsets are stored uncompressed.' }),
} as const
