/**
 * The follower's half of one partition: what to do with what the leader of one epoch says. Sans-IO; the shell owns the log.
 *
 *   reconciling ──leader agrees with the position──▶ fetching
 *        ▲                                              │
 *        └── truncation, start over, error, new stream ─┘
 *
 * A new leader epoch gets a new FollowerState, so nothing is appended before the log is reconciled with that very epoch
 * (KIP-320 rule 1) and a truncation point is only ever taken from a leader of the same epoch (rule 2).
 */
import { assert } from '@kavka/kernel'
import { ErrorCode, offset } from '@kavka/protocol'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import { truncationPoint } from './divergence.ts'
import type { EpochHistory } from './divergence.ts'
import type { LeaderPartitionFrame } from '../ports.ts'

export type FollowerPhase = 'reconciling' | 'fetching'

/** What the shell has to do; after `truncate`, `start-over` and `restart` it sends its position anew at once. */
export type FollowerAction =
  | { readonly kind: 'append'; readonly records: readonly Buffer[] }
  /** The leader agrees, and has nothing new but maybe a high watermark. */
  | { readonly kind: 'observe' }
  /** Cut here, and drop epochs that start here or later even if no record goes. */
  | { readonly kind: 'truncate'; readonly endOffset: Offset }
  /** Nothing of this log is of use: empty it and begin at `startOffset`. */
  | { readonly kind: 'start-over'; readonly startOffset: Offset }
  /** The leader starts this empty log with a batch that begins before the position: begin there, then append. */
  | { readonly kind: 'start-at-batch'; readonly startOffset: Offset; readonly records: readonly Buffer[] }
  | { readonly kind: 'restart' }
  /** The leader cannot serve this now: ask again later, or at the next metadata. */
  | { readonly kind: 'back-off'; readonly errorCode: number }
  /** Not for this epoch or not at this position: what was asked anew is still to come. */
  | { readonly kind: 'ignore' }

export interface FollowerLog extends EpochHistory {
  readonly highWatermark: number
}

const OBSERVE: FollowerAction = { kind: 'observe' }
const RESTART: FollowerAction = { kind: 'restart' }
const IGNORE: FollowerAction = { kind: 'ignore' }

export class FollowerState {
  readonly leaderId: NodeId
  readonly leaderEpoch: LeaderEpoch
  #phase: FollowerPhase = 'reconciling'
  #announced = false

  constructor(leaderId: NodeId, leaderEpoch: LeaderEpoch) {
    this.leaderId = leaderId
    this.leaderEpoch = leaderEpoch
  }

  get phase(): FollowerPhase {
    return this.#phase
  }

  /** The position that a `restart` announces; from here on only an answer to it counts. */
  announce(log: FollowerLog): { readonly fetchOffset: number; readonly lastFetchedEpoch: number } {
    this.#phase = 'reconciling'
    this.#announced = true
    return { fetchOffset: log.logEndOffset, lastFetchedEpoch: log.latestEpoch ?? -1 }
  }

  /** Whether the frame judges the position that was announced in this epoch: the leader serves it, or says where it ends. */
  isAnswer(frame: LeaderPartitionFrame): boolean {
    const isJudged = frame.errorCode === ErrorCode.NONE || frame.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE
    return this.#announced && isJudged && frame.leaderEpoch === this.leaderEpoch
  }

  decide(frame: LeaderPartitionFrame, log: FollowerLog): FollowerAction {
    if (!this.#announced) return IGNORE
    if (frame.errorCode !== ErrorCode.NONE && frame.errorCode !== ErrorCode.OFFSET_OUT_OF_RANGE) {
      return { kind: 'back-off', errorCode: frame.errorCode }
    }
    if (frame.leaderEpoch !== this.leaderEpoch) return IGNORE
    if (frame.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) return this.#outOfRange(frame, log)
    if (frame.divergingEpoch !== null) return this.#diverged(frame.divergingEpoch, log)
    return this.#agreed(frame, log)
  }

  /** What the leader committed, as far as this log has it. Never lower than before. */
  highWatermarkAfter(frame: LeaderPartitionFrame, log: FollowerLog): Offset | null {
    const bounded = Math.min(frame.highWatermark, log.logEndOffset)
    return bounded > log.highWatermark ? offset(bounded) : null
  }

  /** The leader's log start, once the own high watermark has passed it; null when there is nothing to raise. */
  logStartAfter(frame: LeaderPartitionFrame, log: FollowerLog): Offset | null {
    const bounded = Math.min(frame.logStartOffset, log.highWatermark)
    return bounded > log.logStartOffset ? offset(bounded) : null
  }

  #agreed(frame: LeaderPartitionFrame, log: FollowerLog): FollowerAction {
    if (frame.baseOffset !== log.logEndOffset) {
      // Reconciling: sent before the leader saw the new position, whose answer is still to come on the same ordered stream.
      return this.#phase === 'reconciling' || frame.records.length === 0 ? IGNORE : RESTART
    }
    this.#phase = 'fetching'
    if (frame.records.length === 0) return OBSERVE
    assert(this.#phase === 'fetching', 'append before the log is reconciled with the leader epoch')
    const first = firstBatchOffset(frame.records)
    if (first < log.logEndOffset && log.logStartOffset === log.logEndOffset) {
      return { kind: 'start-at-batch', startOffset: offset(first), records: frame.records }
    }
    return { kind: 'append', records: frame.records }
  }

  #diverged(leader: { readonly epoch: number; readonly endOffset: number }, log: FollowerLog): FollowerAction {
    const endOffset = Math.max(truncationPoint(log, leader), log.logStartOffset)
    return { kind: 'truncate', endOffset: offset(endOffset) }
  }

  #outOfRange(frame: LeaderPartitionFrame, log: FollowerLog): FollowerAction {
    const isAllDeleted = log.logStartOffset < log.logEndOffset && log.logEndOffset === frame.logStartOffset
    if (log.logEndOffset < frame.logStartOffset || isAllDeleted) {
      return { kind: 'start-over', startOffset: offset(frame.logStartOffset) }
    }
    if (frame.logEndOffset >= log.logEndOffset) return RESTART
    // The leader ends below the own start: nothing is shared.
    if (frame.logEndOffset < log.logStartOffset) {
      return { kind: 'start-over', startOffset: offset(frame.logStartOffset) }
    }
    return { kind: 'truncate', endOffset: offset(frame.logEndOffset) }
  }
}

/** Base offset of the first batch: the first eight bytes of a record batch. */
function firstBatchOffset(records: readonly Buffer[]): number {
  const first = records[0]
  assert(first !== undefined && first.length >= 8, 'records without a batch header')
  return first.readUInt32BE(0) * 2 ** 32 + first.readUInt32BE(4)
}
