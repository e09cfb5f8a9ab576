export type { LogConfig } from './log-config.ts'
export type {
  AbortedTransaction, AppendOrigin, EpochEndOffset, FollowerAppendOutcome, LeaderAppendOutcome, LogReadOutcome, LogReadRequest,
  PartitionLog, ProducerStateView, TimestampedOffset,
} from './partition-log.ts'
