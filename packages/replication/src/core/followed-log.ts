import { offset } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { EpochEndOffset } from '@kavka/storage'

/** What a follower tells its leader of a log. */
export interface FollowedLog {
  readonly logStartOffset: Offset
  readonly logEndOffset: Offset
  readonly durableEndOffset: Offset
  readonly highWatermark: Offset
  readonly latestEpoch: LeaderEpoch | null
  endOffsetForEpoch(epoch: LeaderEpoch): EpochEndOffset | null
}

/** A log that holds nothing, and begins there. */
export function emptyLogAt(start: number): FollowedLog {
  const at = offset(start)
  return {
    logStartOffset: at,
    logEndOffset: at,
    durableEndOffset: at,
    highWatermark: at,
    latestEpoch: null,
    endOffsetForEpoch: () => null,
  }
}
