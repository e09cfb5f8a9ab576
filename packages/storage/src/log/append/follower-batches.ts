/** Which batches of a fetch a follower appends, and which answers it refuses. Pure. */
import { batchesIn, BATCH_HEADER_BYTES, ErrorCode, verifyBatchCrc } from '@kavka/protocol'
import type { LeaderEpoch } from '@kavka/protocol'
import type { FollowerAppendOutcome } from '../../partition-log.ts'
import { BatchView } from '../batches/batch-view.ts'

/** Where the follower's log stands. */
export interface FollowerPosition {
  readonly name: string
  readonly logStartOffset: number
  readonly logEndOffset: number
}

type Refusal = FollowerAppendOutcome & { readonly kind: 'refused' }

export type FollowerSelection = { readonly kind: 'selected'; readonly batches: readonly BatchView[] } | Refusal

export function selectForFollower(records: Buffer, leaderEpochMax: LeaderEpoch, log: FollowerPosition): FollowerSelection {
  const batches: BatchView[] = []
  let previousEnd = -1
  for (const step of batchesIn(records)) {
    if (step.kind === 'truncated') break
    if (step.kind === 'corrupt') return refuse(step.fault.errorCode, step.fault.message)
    const batch = new BatchView(records, step.at)
    const refusal = checkFetched(batch, step.sizeBytes, previousEnd, log.name)
    if (refusal !== null) return refusal
    // A stale fetch, answered after the leader changed: what is of a later epoch may not be on the line we follow.
    if (batch.leaderEpoch > leaderEpochMax) break
    previousEnd = batch.lastOffset + 1
    if (previousEnd > log.logEndOffset) batches.push(batch)
  }
  const first = batches[0]
  if (first !== undefined && first.baseOffset < log.logEndOffset && log.logEndOffset > log.logStartOffset) {
    return refuse(
      ErrorCode.UNKNOWN_SERVER_ERROR,
      `Unexpected offset in append to ${log.name}. First offset ${first.baseOffset} is less than the next offset ${log.logEndOffset}`,
    )
  }
  return { kind: 'selected', batches }
}

function checkFetched(batch: BatchView, sizeBytes: number, previousEnd: number, name: string): Refusal | null {
  if (batch.magic !== 2) return refuse(ErrorCode.INVALID_RECORD, `Record batch of magic ${batch.magic} in append to ${name}`)
  if (sizeBytes < BATCH_HEADER_BYTES || !verifyBatchCrc(batch.buffer, batch.position)) {
    return refuse(ErrorCode.CORRUPT_MESSAGE, `Record is corrupt (stored crc = ${batch.crc}) in topic partition ${name}.`)
  }
  const isInOrder = batch.lastOffsetDelta >= 0 && batch.baseOffset >= 0 && batch.baseOffset >= previousEnd
  return isInOrder
    ? null
    : refuse(ErrorCode.UNKNOWN_SERVER_ERROR, `Out of order offsets found in append to ${name}: ${batch.baseOffset}`)
}

function refuse(errorCode: number, message: string): Refusal {
  return { kind: 'refused', errorCode, message }
}
