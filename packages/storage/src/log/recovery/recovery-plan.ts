/**
 * What a start without a clean shutdown must look at and may throw away. Pure. The recovery point divides a log: below it
 * everything is known to be on the disk, so that damage there is damage; above it a torn tail is what a crash leaves behind.
 */

export interface RecoverySegment {
  readonly baseOffset: number
  readonly sizeBytes: number
}

export type RecoveryPlan =
  /** Indexes and the last batch are to be trusted. */
  | { readonly kind: 'trust' }
  /** Every batch from the segment at `fromIndex` on is to be checked. */
  | { readonly kind: 'scan'; readonly fromIndex: number }

export function planRecovery(segments: readonly RecoverySegment[], recoveryPoint: number, shutdown: 'clean' | 'unclean'): RecoveryPlan {
  if (shutdown === 'clean') return { kind: 'trust' }
  let fromIndex = 0
  // A segment that begins at the recovery point itself may be newer than the sync of its predecessor's indexes.
  while (fromIndex + 1 < segments.length && segments[fromIndex + 1]!.baseOffset < recoveryPoint) fromIndex++
  return { kind: 'scan', fromIndex }
}

export type EndVerdict =
  /** The log goes on in the next segment, or ends well. */
  | { readonly kind: 'sound' }
  /** What follows was never promised: it is cut away, later segments too. */
  | { readonly kind: 'cut' }
  /** Bytes that were on the disk are not what they were: nothing is thrown away, the partition waits for its peers (S3). */
  | { readonly kind: 'corrupt' }

export interface SegmentEnd {
  /** Offset after the last sound batch. */
  readonly nextOffset: number
  /** The walk met something that is no sound batch. */
  readonly isBad: boolean
  /** Base of the next segment; null after the last. */
  readonly nextBaseOffset: number | null
  readonly recoveryPoint: number
  readonly logStartOffset: number
  /** The indexes name records below this offset, which is not above the recovery point. */
  readonly indexedEnd: number
}

/** How to take the end of one scanned segment. A crash may also lose the size of a file, so that it ends well but too early. */
export function judgeSegmentEnd({ nextOffset, isBad, nextBaseOffset, recoveryPoint, logStartOffset, indexedEnd }: SegmentEnd): EndVerdict {
  // A disk that lost what it had synced leaves a file too short, and says in the indexes what is missing. Compaction leaves no such entries.
  if (nextOffset < Math.min(indexedEnd, nextBaseOffset ?? Infinity)) return { kind: 'corrupt' }
  // What was promised below the log start nobody wants: a start that was dropping it may have come to an end in between.
  const wantedEnd = recoveryPoint > logStartOffset ? recoveryPoint : 0
  const endsEarly = nextOffset < (nextBaseOffset ?? wantedEnd)
  if (!isBad && !endsEarly) return { kind: 'sound' }
  if (nextOffset >= recoveryPoint) return { kind: 'cut' }
  // Compaction leaves gaps between segments whose bytes are all sound; below the recovery point that is what a gap is.
  return !isBad && nextBaseOffset !== null && nextBaseOffset <= recoveryPoint ? { kind: 'sound' } : { kind: 'corrupt' }
}
