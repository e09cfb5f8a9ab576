import type { EpochEndOffset } from '@kavka/storage'

/** What the rules of divergence need of a log. */
export interface EpochHistory {
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly latestEpoch: number | null
  endOffsetForEpoch(epoch: number): EpochEndOffset | null
}

export type PositionVerdict =
  | { readonly kind: 'consistent' }
  | { readonly kind: 'diverging'; readonly epoch: number; readonly endOffset: number }
  | { readonly kind: 'out-of-range' }

const CONSISTENT: PositionVerdict = { kind: 'consistent' }
const OUT_OF_RANGE: PositionVerdict = { kind: 'out-of-range' }

/**
 * The leader's judgment on a reader that says "I have everything below `fetchOffset`, the last of it of epoch `lastFetchedEpoch`"
 * (KIP-595, KIP-320). -1 skips the check of epochs.
 */
export function judgePosition(log: EpochHistory, fetchOffset: number, lastFetchedEpoch: number): PositionVerdict {
  if (lastFetchedEpoch >= 0) {
    const known = log.endOffsetForEpoch(lastFetchedEpoch)
    // Whatever its epochs, a reader below the log start has nothing to compare and must start over.
    if (known === null || fetchOffset < log.logStartOffset) return OUT_OF_RANGE
    if (known.epoch < lastFetchedEpoch || known.endOffset < fetchOffset) {
      return { kind: 'diverging', epoch: known.epoch, endOffset: known.endOffset }
    }
  }
  return fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset ? OUT_OF_RANGE : CONSISTENT
}

/**
 * Whether a follower ends exactly at the log start, in an epoch that the leader has forgotten with the records below it: nobody can say
 * that what the follower holds there was ever committed. It is deleted anyway; kept, it would be believed again should a crash set the
 * follower's log start back.
 */
export function isBeyondComparison(
  log: EpochHistory,
  follower: { readonly logStartOffset: number; readonly fetchOffset: number; readonly lastFetchedEpoch: number },
): boolean {
  const { logStartOffset, fetchOffset, lastFetchedEpoch } = follower
  if (fetchOffset !== log.logStartOffset || logStartOffset >= fetchOffset || lastFetchedEpoch < 0) return false
  return lastFetchedEpoch !== log.latestEpoch && log.endOffsetForEpoch(lastFetchedEpoch)?.endOffset === fetchOffset
}

/**
 * Where a follower cuts its log after the leader named the largest epoch that both may share, and where it ends there
 * (KIP-101, KIP-279). When the follower does not know that epoch it cuts to the end of its next smaller one and asks again.
 */
export function truncationPoint(log: EpochHistory, leader: { readonly epoch: number; readonly endOffset: number }): number {
  const own = leader.epoch < 0 ? null : log.endOffsetForEpoch(leader.epoch)
  if (own === null) return Math.min(leader.endOffset, log.logEndOffset)
  if (own.epoch !== leader.epoch) return Math.min(own.endOffset, log.logEndOffset)
  return Math.min(own.endOffset, leader.endOffset, log.logEndOffset)
}
