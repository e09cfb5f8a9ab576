import { int, long } from './config-key.ts'

/** Consumer groups and their offsets. */
export const groupKeys = {
  groupMinSessionTimeoutMs: int('group.min.session.timeout.ms', { default: 6000, min: 1, doc: 'Shortest session a member may ask for.' }),
  groupMaxSessionTimeoutMs: int('group.max.session.timeout.ms', { default: 1800000, min: 1, doc: 'Longest session a member may ask for.' }),
  groupInitialRebalanceDelayMs: int('group.initial.rebalance.delay.ms', { default: 3000, min: 0, doc: 'How long the first rebalance of an empty group waits for more members.' }),
  groupMaxSize: int('group.max.size', { default: 2 ** 31 - 1, min: 1, doc: 'Most members of a group.' }),
  offsetMetadataMaxBytes: int('offset.metadata.max.bytes', { default: 4096, min: 0, importance: 'HIGH', doc: 'Longest note on a committed offset.' }),
  offsetsRetentionMinutes: int('offsets.retention.minutes', { default: 10080, min: 1, importance: 'HIGH', doc: 'How long the offsets of an empty group are kept.' }),
  offsetsRetentionCheckIntervalMs: long('offsets.retention.check.interval.ms', { default: 600000, min: 1, importance: 'HIGH', doc: 'How often that is checked.' }),
  offsetsCommitTimeoutMs: int('offsets.commit.timeout.ms', { default: 5000, min: 1, importance: 'HIGH', doc: 'Longest wait for a commit to be replicated.' }),
  offsetsLoadBufferSize: int('offsets.load.buffer.size', { default: 5242880, min: 1, importance: 'HIGH', doc: 'Bytes read at once while groups are loaded.' }),
} as const
