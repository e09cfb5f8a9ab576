/** Every promise that is judged, by name: R the quorum, C metadata, P replication, T idempotence, G groups, S the log on disk, L liveness. */
export const predicateNames = [
  'R1 ElectionSafety', 'R2 MonotonicEpoch', 'R3 VoteOnce', 'R4 LogMatching', 'R5 CommittedPrefix', 'R6 LeaderCompleteness', 'R7 CommittedIsDurable',
  'R8 MajorityReachedHW', 'R9 QuorumLog', 'R10 MonotonicHW', 'R11 NoCommitByCounting', 'R12 Snapshot', 'R16 AppliedOnce', 'R17 LinearizableMetadata',
  'R18 IllegalState', 'R19 DamagedStoreIsRefused',
  'C1 FencedLeadsNothing', 'C1 FencedNotInSync', 'C2 IsrAndElrAreReplicas', 'C2 NoElrAboveMinIsr', 'C3 BrokerEpochIncreases',
  'C3 StaleBrokerRefused', 'C4 EpochsIncrease', 'C4 StalePartitionEpochRefused', 'C5 MetadataLogMatching', 'C6 TopicIdNeverReused',
  'C7 UncleanExclusion',
  'P1 StrongIsr', 'P2 LeaderCompleteness', 'P3 CandidateCompleteness', 'P4 JoinerHasEpochStart', 'P4 QuorumSuperset', 'P4 MinIsrCommits', 'P5 LogMatching',
  'P6 NoCommittedLoss', 'P7 ConsistentRead', 'P7 ReadsWhereAsked', 'P8 AppliedHWMonotonic', 'P9 AckRule', 'P10 TruncationSafety', 'P11 EpochCache',
  'P11 EpochEndTold', 'P12 LeaderEpochFencing', 'P13 OffsetDensity', 'P14 NoDirtyLeader', 'P15 DivergenceReported', 'P16 HighWatermarkIsCommitted',
  'P17 LogStart', 'P18 RemovedWhenComplete', 'P18 CandidateStays', 'P18 ListedAsItIs', 'P18 ArrivesWhereSent', 'P18 NothingIsLeft',
  'T1 ProduceIsLegal', 'T1 SequenceContiguous', 'T1 SequenceContinues', 'T2 ProducerState', 'T3 ProducerEpochMonotone',
  'G1 OneOwner', 'G2 GenerationMonotone', 'G3 CommittedOffset', 'G4 OffsetsOutliveRetention', 'G5 StaleGenerationRefused', 'G5 ReplacedMemberRefused',
  'S1 ReadBack', 'S2 RecoveryKeepsSynced', 'S3 RotIsNotCut', 'S4 IndexesAreOfTheLog', 'S4 TimestampFound', 'S5 NoAckAfterFailedSync',
  'S8 MetaFilesReplacedWhole', 'S9 ContentIsOwn', 'S10 OfflineByItsDiskAlone', 'S11 SuccessorBeginsAnew', 'S12 DeletedLeavesTheDisk',
  'L1 ClusterComesUp', 'L1 ClusterHeals', 'L1 MajorityElectsAndCommits',
  'K-DISK ReplicasIdentical',
] as const

export type PredicateName = (typeof predicateNames)[number]

/** Judged by not being met: an assertion of the product, or something thrown that nobody caught. */
export const ILLEGAL_STATE: PredicateName = 'R18 IllegalState'
