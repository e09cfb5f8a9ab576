/** One partition on a follower's stream, as the leader keeps it. */
import { ErrorCode } from '@kavka/protocol'
import type { NodeId, Uuid } from '@kavka/protocol'
import type { LogReadOutcome } from '@kavka/storage'
import { isBeyondComparison, judgePosition } from '../core/divergence.ts'
import type { FollowerPosition, LeaderPartitionFrame, PartitionKey } from '../ports.ts'
import type { FollowerPositionListener } from '../partition/partition-waiters.ts'
import type { Partition } from '../partition/partition.ts'

/**
 *   refused ──metadata here, or `restart`──▶ serving ──leadership change, out of range──▶ refused
 *
 * A refusal is told once. It is looked at again whenever this broker's metadata of the partition changes, so that a follower
 * that heard of an election first need not poll.
 */
export type PositionStanding =
  | { readonly kind: 'serving' }
  | {
      readonly kind: 'refused'
      readonly errorCode: number
      readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number } | null
    }

const SERVING: PositionStanding = { kind: 'serving' }

/** What a position needs of its stream. */
export interface PositionOwner {
  readonly followerId: NodeId
  readonly followerBrokerEpoch: number
  dataArrived(position: ServedPosition): void
  /** `answer`: the follower waits for it; `progress`: it will do with the next records. */
  newsArrived(position: ServedPosition, kind: 'answer' | 'progress'): void
}

export class ServedPosition implements FollowerPositionListener, PartitionKey {
  readonly topicId: Uuid
  readonly partition: number
  readonly hosted: Partition | null
  readonly #owner: PositionOwner
  /** The position as its `restart` announced it, and what was acknowledged while it could not be served. */
  announced: FollowerPosition
  standing: PositionStanding = SERVING
  /** Where the next read begins: everything below was put on the stream. */
  nextOffset: number
  /** Last told; -1 makes the next frame tell. */
  #toldHighWatermark = -1
  #toldLogStart = -1
  #refusalTold = false
  inDataQueue = false
  inNewsQueue = false
  isReading = false
  /** Read from the file while the stream did something else. */
  readAhead: LogReadOutcome | null = null
  #closed = false

  constructor(announced: FollowerPosition, hosted: Partition | null, owner: PositionOwner) {
    this.topicId = announced.topicId
    this.partition = announced.partition
    this.hosted = hosted
    this.nextOffset = announced.fetchOffset
    this.announced = announced
    this.#owner = owner
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** The leader epoch that the follower believes in. */
  get leaderEpoch(): number {
    return this.announced.currentLeaderEpoch
  }

  dataArrived(): void {
    if (this.isServing) this.#owner.dataArrived(this)
  }

  newsArrived(): void {
    this.#owner.newsArrived(this, 'progress')
  }

  /** Judges the announced position: at its arrival, and while it is refused whenever the metadata here changes. */
  judge(): void {
    this.#stand(this.#verdict())
    const hosted = this.hosted
    if (this.standing.kind === 'serving' && hosted !== null) {
      hosted.waiters.positions.add(this)
      hosted.followerConnected(this.#owner.followerId)
      this.#toldHighWatermark = -1
      this.acknowledge(this.announced)
      this.dataArrived()
    }
    this.#owner.newsArrived(this, 'answer')
  }

  /** Judged consistent, in the epoch that this broker still leads. */
  get isServing(): boolean {
    return this.standing.kind === 'serving' && this.hosted?.leaderState?.leaderEpoch === this.leaderEpoch
  }

  /** After a change of the partition's role or epoch here. */
  reconsider(): void {
    if (this.isServing) return
    // Diverged or out of range in this very epoch: only a new position of the follower helps.
    if (this.standing.kind === 'refused' && isForFollowerToSettle(this.standing)) return
    this.hosted?.waiters.positions.delete(this)
    this.readAhead = null
    this.judge()
  }

  acknowledge(position: FollowerPosition): void {
    if (position.currentLeaderEpoch !== this.leaderEpoch) return
    if (!this.isServing) {
      // The follower heard of this epoch first and finished its sync before we lead: it will not say so again.
      const { durableEndOffset, logStartOffset } = position
      this.announced = { ...this.announced, durableEndOffset, logStartOffset }
      return
    }
    this.hosted?.acknowledged(this.#owner.followerId, {
      durableEndOffset: position.durableEndOffset,
      logStartOffset: position.logStartOffset,
      brokerEpoch: this.#owner.followerBrokerEpoch,
    })
  }

  refuse(errorCode: number): void {
    this.#stand(refused(errorCode))
    this.hosted?.waiters.positions.delete(this)
    this.#owner.newsArrived(this, 'answer')
  }

  close(): void {
    this.#closed = true
    this.hosted?.waiters.positions.delete(this)
  }

  get hasNews(): boolean {
    if (this.standing.kind === 'refused') return !this.#refusalTold
    if (!this.isServing) return false
    const state = this.hosted?.leaderState
    if (state === undefined || state === null) return false
    return state.highWatermark !== this.#toldHighWatermark || this.hosted!.log.logStartOffset !== this.#toldLogStart
  }

  /** The frame's entry for what is known now; remembers what it tells. */
  entry(baseOffset: number, records: readonly Buffer[]): LeaderPartitionFrame {
    const { hosted, standing } = this
    const log = hosted?.hasLog === true ? hosted.log : null
    const highWatermark = hosted?.leaderState?.highWatermark ?? 0
    this.#toldHighWatermark = highWatermark
    this.#toldLogStart = log?.logStartOffset ?? 0
    this.#refusalTold = standing.kind === 'refused'
    return {
      topicId: this.topicId,
      partition: this.partition,
      leaderEpoch: hosted?.leaderEpoch ?? this.announced.currentLeaderEpoch,
      errorCode: standing.kind === 'refused' ? standing.errorCode : ErrorCode.NONE,
      baseOffset,
      highWatermark,
      logStartOffset: this.#toldLogStart,
      logEndOffset: log?.logEndOffset ?? 0,
      divergingEpoch: standing.kind === 'refused' ? standing.divergingEpoch : null,
      records,
    }
  }

  /** A refusal for another reason is told, the same one is not told again. */
  #stand(standing: PositionStanding): void {
    const before = this.standing
    const isSame = before.kind === 'refused' && standing.kind === 'refused' && before.errorCode === standing.errorCode
    if (!isSame) this.#refusalTold = false
    this.standing = standing
  }

  #verdict(): PositionStanding {
    const { hosted } = this
    if (hosted === null) return refused(ErrorCode.UNKNOWN_TOPIC_ID)
    const { current } = hosted
    if (current.kind === 'offline') return refused(ErrorCode.KAFKA_STORAGE_ERROR)
    if (current.kind === 'follower') return refused(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    if (this.leaderEpoch < current.state.leaderEpoch) return refused(ErrorCode.FENCED_LEADER_EPOCH)
    if (this.leaderEpoch > current.state.leaderEpoch) return refused(ErrorCode.UNKNOWN_LEADER_EPOCH)
    // A reassignment that this broker has not heard of yet.
    if (current.state.follower(this.#owner.followerId) === null) return refused(ErrorCode.UNKNOWN_LEADER_EPOCH)
    const proof = hosted.proofFor(this.#owner.followerId)
    if (proof === 'running') return refused(ErrorCode.REPLICA_NOT_AVAILABLE)
    if (proof === 'damaged') return refused(ErrorCode.CORRUPT_MESSAGE)
    return this.#compare(hosted)
  }

  #compare(hosted: Partition): PositionStanding {
    const { fetchOffset, lastFetchedEpoch } = this.announced
    const verdict = judgePosition(hosted.log, fetchOffset, lastFetchedEpoch)
    switch (verdict.kind) {
      case 'consistent':
        return isBeyondComparison(hosted.log, this.announced) ? refused(ErrorCode.OFFSET_OUT_OF_RANGE) : SERVING
      case 'out-of-range':
        return refused(ErrorCode.OFFSET_OUT_OF_RANGE)
      case 'diverging': {
        const { epoch, endOffset } = verdict
        return { kind: 'refused', errorCode: ErrorCode.NONE, divergingEpoch: { epoch, endOffset } }
      }
    }
  }
}

function refused(errorCode: number): PositionStanding {
  return { kind: 'refused', errorCode, divergingEpoch: null }
}

function isForFollowerToSettle(standing: { readonly errorCode: number; readonly divergingEpoch: object | null }): boolean {
  return standing.divergingEpoch !== null || standing.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE
}
