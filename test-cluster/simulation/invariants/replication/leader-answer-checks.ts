/** What leaders tell clients of offsets, epochs and times: P8, P11, P12 and S4 as seen from outside. */
import { ErrorCode } from '@kavka/protocol'
import type { ShadowBatch } from '../../node/shadow-log.ts'
import type { World } from '../../world/world.ts'

/** The replica that answered, at the moment of its answer. */
export interface AnsweringReplica {
  readonly node: number
  readonly partition: string
  readonly leaderEpoch: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly batches: readonly ShadowBatch[]
}

export interface OffsetAnswered {
  readonly errorCode: number
  readonly offset: number
}

export interface EpochEndAnswered {
  readonly errorCode: number
  readonly leaderEpoch: number
  readonly endOffset: number
}

export class LeaderAnswerChecks {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** P8: `end` is told by the leader of the newest metadata; `known`: what clients can tell to be committed, from ends and acknowledgments. */
  endTold({ node, partition }: Pick<AnsweringReplica, 'node' | 'partition'>, end: number, known: number): void {
    this.#world.judge('P8 AppliedHWMonotonic', end >= known, { node, partition, end, known })
  }

  /** P7: what is read begins with the batch that holds the offset asked for. */
  readFrom(node: number, fetchOffset: number, first: Pick<ShadowBatch, 'base' | 'last'> | undefined): void {
    const isAsked = first === undefined || (first.base <= fetchOffset && first.last >= fetchOffset)
    this.#world.judge('P7 ReadsWhereAsked', isAsked, { node, fetchOffset, base: first?.base ?? null, last: first?.last ?? null })
  }

  /** P12: whoever knows less than the leader, or more, is told so. */
  fencing({ node, partition, leaderEpoch }: Pick<AnsweringReplica, 'node' | 'partition' | 'leaderEpoch'>, sent: number, errorCode: number): void {
    const expected = sent < leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH
    this.#world.judge('P12 LeaderEpochFencing', errorCode === expected, { node, partition, leaderEpoch, sent, errorCode, expected })
  }

  /** P11: a leader knows where every epoch ends that it has records of, and its own. */
  epochEnd(replica: AnsweringReplica, asked: number, answer: EpochEndAnswered): void {
    if (answer.errorCode !== ErrorCode.NONE) return
    const expected = epochEndIn(replica, asked)
    if (expected === null) return
    const { node, partition, leaderEpoch, logEndOffset } = replica
    const isRight = answer.leaderEpoch === asked && answer.endOffset >= expected.from && answer.endOffset <= expected.to
    this.#world.judge('P11 EpochEndTold', isRight, { node, partition, leaderEpoch, logEndOffset, asked, told: answer.leaderEpoch, end: answer.endOffset, ...expected })
  }

  /** S4: `before` and `after` the look-up, during which the log may have grown or lost its begin. */
  timestampFound(before: AnsweringReplica, after: AnsweringReplica, timestamp: number, visibleEnd: number, answer: OffsetAnswered): void {
    if (answer.errorCode !== ErrorCode.NONE) return
    const [first, second] = [firstFrom(before, timestamp), firstFrom(after, timestamp)]
    const isVisible = first !== null && first < visibleEnd
    const isRight = answer.offset === second || (isVisible ? answer.offset === first : answer.offset === -1)
    const { node, partition } = before
    this.#world.judge('S4 TimestampFound', isRight, { node, partition, timestamp, answered: answer.offset, first, second, visibleEnd })
  }
}

/** Bounds of the end of an epoch; null when the log has nothing of it, or no longer. */
function epochEndIn(replica: AnsweringReplica, asked: number): { readonly from: number; readonly to: number } | null {
  const { batches, leaderEpoch, logStartOffset, logEndOffset } = replica
  if (asked === leaderEpoch) return { from: logEndOffset, to: logEndOffset }
  let at = batches.length - 1
  while (at >= 0 && batches[at]!.epoch > asked) at--
  // Of epochs that end below the log start nothing needs to be known.
  if (at < 0 || batches[at]!.epoch !== asked || batches[at]!.last < logStartOffset) return null
  const from = batches[at]!.last + 1
  return { from, to: from }
}

function firstFrom({ batches, logStartOffset }: AnsweringReplica, timestamp: number): number | null {
  const found = batches.find(({ timestampMs, last }) => timestampMs >= timestamp && last >= logStartOffset)
  return found === undefined ? null : Math.max(found.base, logStartOffset)
}
