/** ListOffsets and OffsetForLeaderEpoch on a led partition. */
import { ErrorCode } from '@kavka/protocol'
import type { LeaderEpoch } from '@kavka/protocol'
import type { PartitionLog, TimestampedOffset } from '@kavka/storage'
import type { LeaderEpochAnswer, LeaderEpochQuery, OffsetAnswer, OffsetQuery } from '../api.ts'
import { checkLeaderEpoch, findLed } from './partition-lookup.ts'
import type { PartitionDirectory } from './partition-lookup.ts'
import type { Partition } from '../partition/partition.ts'

/** Timestamps of ListOffsets that mean a place, not a time. */
export const LATEST = -1
export const EARLIEST = -2
export const MAX_TIMESTAMP = -3
export const EARLIEST_LOCAL = -4
export const LATEST_TIERED = -5
export const EARLIEST_PENDING_UPLOAD = -6

/** For clients: bounded by the high watermark, or the last stable offset for read_committed. */
export async function listOffset(directory: PartitionDirectory, query: OffsetQuery): Promise<OffsetAnswer> {
  const found = findLed(directory, query.topicPartition)
  if (found.kind === 'error') return failed(found.errorCode)
  const { partition } = found
  const fenced = checkLeaderEpoch(partition, query.currentLeaderEpoch)
  if (fenced !== null) return failed(fenced.errorCode)
  switch (query.timestamp) {
    case LATEST:
      return latest(partition, query.isolation)
    case EARLIEST:
    case EARLIEST_LOCAL:
      return at(partition.log.logStartOffset, -1, epochAt(partition.log, partition.log.logStartOffset))
    // There is no tiered storage: nothing was ever uploaded, nothing waits to be.
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return at(-1, -1, -1)
    case MAX_TIMESTAMP:
      return visible(partition, query, await partition.log.offsetOfMaxTimestamp())
    default:
      if (query.timestamp < 0) return failed(ErrorCode.UNSUPPORTED_VERSION)
      return visible(partition, query, await partition.log.offsetForTimestamp(query.timestamp))
  }
}

/** Largest epoch not above the one asked for, and where the next starts. */
export function offsetForLeaderEpoch(directory: PartitionDirectory, query: LeaderEpochQuery): LeaderEpochAnswer {
  const found = findLed(directory, query.topicPartition)
  if (found.kind === 'error') return { errorCode: found.errorCode, leaderEpoch: -1, endOffset: -1 }
  const fenced = checkLeaderEpoch(found.partition, query.currentLeaderEpoch)
  if (fenced !== null) return { errorCode: fenced.errorCode, leaderEpoch: -1, endOffset: -1 }
  const end = query.leaderEpoch < 0 ? null : found.partition.log.endOffsetForEpoch(query.leaderEpoch as LeaderEpoch)
  return { errorCode: ErrorCode.NONE, leaderEpoch: end?.epoch ?? -1, endOffset: end?.endOffset ?? -1 }
}

function latest(partition: Partition, isolation: OffsetQuery['isolation']): OffsetAnswer {
  if (partition.leaderState?.knowsCommitted !== true) return failed(ErrorCode.OFFSET_NOT_AVAILABLE)
  return at(partition.visibleEnd(isolation), -1, partition.leaderEpoch)
}

/**
 * What was found in the log is told only below the visible end. A new leader that does not yet know what is committed
 * cannot say "none": the record may be committed (KIP-207).
 */
function visible(partition: Partition, query: OffsetQuery, found: TimestampedOffset | 'corrupt' | null): OffsetAnswer {
  // The look-up went through the file: meanwhile the partition may have got another leader.
  if (partition.current.kind === 'offline') return failed(partition.current.errorCode)
  const state = partition.leaderState
  if (state === null) return failed(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  if (found === 'corrupt') return failed(ErrorCode.CORRUPT_MESSAGE)
  if (found !== null && found.offset < partition.visibleEnd(query.isolation)) {
    return at(found.offset, found.timestampMs, found.leaderEpoch ?? -1)
  }
  return state.knowsCommitted ? at(-1, -1, -1) : failed(ErrorCode.OFFSET_NOT_AVAILABLE)
}

/** The epoch that `offset` belongs to, found by walking the epochs back from the latest; -1 when unknown. */
function epochAt(log: PartitionLog, offset: number): number {
  let epoch: number = log.latestEpoch ?? -1
  while (epoch > 0) {
    const before = log.endOffsetForEpoch((epoch - 1) as LeaderEpoch)
    // `before` ends where `epoch` starts.
    if (before === null || before.endOffset <= offset) return epoch
    epoch = before.epoch
  }
  return epoch
}

function at(offset: number, timestampMs: number, leaderEpoch: number): OffsetAnswer {
  return { errorCode: ErrorCode.NONE, offset, timestampMs, leaderEpoch }
}

function failed(errorCode: number): OffsetAnswer {
  return { errorCode, offset: -1, timestampMs: -1, leaderEpoch: -1 }
}
