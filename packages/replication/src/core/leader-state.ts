/**
 * The leader's half of one partition: who is in sync, and what is committed. Sans-IO.
 * Rules: KIP-497 (ISR changes through the controller), KIP-903 (broker epochs), KIP-966 (no progress below min ISR),
 * KIP-320 (only acknowledgments of this leader epoch count).
 */
import { assert } from '@kavka/kernel'
import { ErrorCode, offset } from '@kavka/protocol'
import type { LeaderEpoch, NodeId, Offset, PartitionEpoch } from '@kavka/protocol'
import { FollowerProgress, UNKNOWN_POSITION } from './follower-progress.ts'
import {
  committedIsr,
  expandIsr,
  inMaximalIsr,
  maximalIsrSize,
  proposedIsr,
  revertIsr,
  shrinkIsr,
} from './isr-state.ts'
import type { IsrState } from './isr-state.ts'

export interface LeaderStateOptions {
  readonly localId: NodeId
  readonly leaderEpoch: LeaderEpoch
  readonly partitionEpoch: PartitionEpoch
  readonly replicas: readonly NodeId[]
  readonly isr: readonly NodeId[]
  /** The log end at the election: where this epoch starts. */
  readonly epochStart: Offset
  readonly durableEnd: Offset
  /** What this replica knew as a follower, or its checkpoint after a restart. */
  readonly highWatermark: Offset
  readonly lagMsMax: number
  readonly nowMs: number
}

export interface LeaderStateDependencies {
  /** As configured for the topic now; capped by the number of replicas here. */
  readonly minInsyncReplicas: () => number
  /** Registered with that epoch, unfenced and not shutting down, as far as this broker's metadata tells. */
  readonly isEligible: (id: NodeId, brokerEpoch: number) => boolean
  readonly brokerEpochOf: (id: NodeId) => number
}

/** What a step decided; the shell moves the log's high watermark first, then sends the proposal. */
export interface LeaderStep {
  /** The new high watermark, null when it did not move. */
  readonly highWatermark: Offset | null
  readonly proposal: IsrProposal | null
}

/** One AlterPartition entry; the object itself is its identity. */
export interface IsrProposal {
  readonly kind: 'expand' | 'shrink'
  readonly leaderEpoch: LeaderEpoch
  readonly partitionEpoch: PartitionEpoch
  readonly isr: readonly { readonly brokerId: NodeId; readonly brokerEpoch: number }[]
}

/** The controller's verdict on a proposal. */
export type ProposalAnswer =
  | {
      readonly kind: 'accepted'
      readonly leaderEpoch: number
      readonly partitionEpoch: number
      readonly isr: readonly NodeId[]
    }
  | { readonly kind: 'refused'; readonly errorCode: number }

export type ProposalOutcome =
  | { readonly kind: 'committed'; readonly step: LeaderStep }
  /** Not taken, and never will be: free to propose again, after a pause. */
  | { readonly kind: 'reverted' }
  /** Somebody else changed the partition: the metadata will say how. The proposal stays open until then. */
  | { readonly kind: 'await-metadata' }
  | { readonly kind: 'retry' }
  /** The answer to a proposal that newer metadata has already settled. */
  | { readonly kind: 'superseded' }

export const NO_STEP: LeaderStep = { highWatermark: null, proposal: null }

export class LeaderState {
  readonly leaderEpoch: LeaderEpoch
  readonly epochStart: Offset
  readonly #localId: NodeId
  readonly #lagMsMax: number
  readonly #dependencies: LeaderStateDependencies
  readonly #followers = new Map<NodeId, FollowerProgress>()
  #replicas: readonly NodeId[]
  #isr: IsrState
  #partitionEpoch: PartitionEpoch
  #proposal: IsrProposal | null = null
  #logEnd: number
  #durableEnd: number
  #highWatermark: number

  constructor(options: LeaderStateOptions, dependencies: LeaderStateDependencies) {
    assert(options.highWatermark <= options.epochStart, 'high watermark beyond the log end', {
      highWatermark: options.highWatermark,
      logEnd: options.epochStart,
    })
    assert(options.durableEnd <= options.epochStart, 'durable beyond the log end')
    this.#localId = options.localId
    this.#lagMsMax = options.lagMsMax
    this.#dependencies = dependencies
    this.leaderEpoch = options.leaderEpoch
    this.epochStart = options.epochStart
    this.#partitionEpoch = options.partitionEpoch
    this.#replicas = options.replicas
    this.#isr = committedIsr(options.isr)
    this.#logEnd = options.epochStart
    this.#durableEnd = options.durableEnd
    this.#highWatermark = options.highWatermark
    this.#followReplicas(options.nowMs)
  }

  get highWatermark(): Offset {
    return offset(this.#highWatermark)
  }

  /** As committed by the controller. */
  get isr(): readonly NodeId[] {
    return this.#isr.isr
  }

  get isrState(): IsrState {
    return this.#isr
  }

  get partitionEpoch(): PartitionEpoch {
    return this.#partitionEpoch
  }

  get replicas(): readonly NodeId[] {
    return this.#replicas
  }

  get pendingProposal(): IsrProposal | null {
    return this.#proposal
  }

  /** `min.insync.replicas` cannot ask for more replicas than there are. */
  get effectiveMinIsr(): number {
    return Math.min(this.#dependencies.minInsyncReplicas(), this.#replicas.length)
  }

  get isUnderMinIsr(): boolean {
    return this.#isr.isr.length < this.effectiveMinIsr
  }

  get isAtMinIsr(): boolean {
    return this.#isr.isr.length === this.effectiveMinIsr
  }

  /** Judged by the maximal ISR, as Kafka does when it answers a produce whose offset is committed. */
  get hasEnoughReplicas(): boolean {
    return maximalIsrSize(this.#isr) >= this.effectiveMinIsr
  }

  /** False for a new leader that cannot yet tell what its predecessor committed: clients get OFFSET_NOT_AVAILABLE (KIP-207). */
  get knowsCommitted(): boolean {
    return this.#highWatermark >= this.epochStart
  }

  follower(id: NodeId): FollowerProgress | null {
    return this.#followers.get(id) ?? null
  }

  followers(): Iterable<FollowerProgress> {
    return this.#followers.values()
  }

  /** Largest number of records a follower lacks. */
  get lagRecordsMax(): number {
    let lag = 0
    for (const follower of this.#followers.values()) {
      if (follower.durableEnd !== UNKNOWN_POSITION) lag = Math.max(lag, this.#logEnd - follower.durableEnd)
    }
    return lag
  }

  appended(logEnd: Offset, nowMs: number): void {
    assert(logEnd >= this.#logEnd, 'the log of a leader does not shrink', { from: this.#logEnd, to: logEnd })
    for (const follower of this.#followers.values()) follower.leaderAppended(this.#logEnd, logEnd, nowMs)
    this.#logEnd = logEnd
  }

  /** The leader's own durable end counts like any member's. */
  madeDurable(durableEnd: Offset, nowMs: number): LeaderStep {
    assert(durableEnd <= this.#logEnd, 'durable beyond the log end', { durableEnd, logEnd: this.#logEnd })
    if (durableEnd <= this.#durableEnd) return NO_STEP
    this.#durableEnd = durableEnd
    return step(this.#advanceHighWatermark(nowMs), null)
  }

  /** Of a follower whose position was checked against this leader epoch; anything else must not get here. */
  acknowledged(
    id: NodeId,
    position: { readonly durableEndOffset: number; readonly logStartOffset: number; readonly brokerEpoch: number },
    nowMs: number,
  ): LeaderStep {
    const follower = this.#followers.get(id)
    if (follower === undefined) return NO_STEP
    follower.acknowledge(
      position.durableEndOffset,
      position.logStartOffset,
      position.brokerEpoch,
      this.#logEnd,
      nowMs,
    )
    // The joiner must hold back the high watermark from the moment it is proposed, so the proposal comes first.
    const proposal = this.#maybeExpand(follower)
    return step(this.#advanceHighWatermark(nowMs), proposal)
  }

  connected(id: NodeId): void {
    this.#followers.get(id)?.connect()
  }

  disconnected(id: NodeId, nowMs: number): void {
    this.#followers.get(id)?.disconnect(this.#logEnd, nowMs)
  }

  /** The periodic look at who fell behind; also picks up joiners that became eligible by metadata. */
  checkIsr(nowMs: number): LeaderStep {
    const proposal = this.#maybeShrink(nowMs) ?? this.#maybeExpandAny(nowMs)
    return step(this.#advanceHighWatermark(nowMs), proposal)
  }

  /** Metadata of the same leader epoch: settles any proposal, whoever made the change. */
  registrationChanged(
    registration: {
      readonly replicas: readonly NodeId[]
      readonly isr: readonly NodeId[]
      readonly partitionEpoch: PartitionEpoch
    },
    nowMs: number,
  ): LeaderStep {
    if (registration.partitionEpoch < this.#partitionEpoch) return NO_STEP
    if (registration.partitionEpoch > this.#partitionEpoch) {
      this.#commit(registration.isr, registration.partitionEpoch)
    }
    this.#replicas = registration.replicas
    this.#followReplicas(nowMs)
    return this.checkIsr(nowMs)
  }

  answered(proposal: IsrProposal, answer: ProposalAnswer, nowMs: number): ProposalOutcome {
    if (this.#proposal !== proposal) return { kind: 'superseded' }
    if (answer.kind === 'refused') return this.#refused(answer.errorCode)
    if (answer.leaderEpoch !== this.leaderEpoch || answer.partitionEpoch < this.#partitionEpoch) {
      return { kind: 'await-metadata' }
    }
    this.#commit(answer.isr, answer.partitionEpoch as PartitionEpoch)
    return { kind: 'committed', step: this.checkIsr(nowMs) }
  }

  #refused(errorCode: number): ProposalOutcome {
    switch (errorCode) {
      case ErrorCode.OPERATION_NOT_ATTEMPTED:
      case ErrorCode.INELIGIBLE_REPLICA:
        this.#isr = revertIsr(this.#isr)
        this.#proposal = null
        return { kind: 'reverted' }
      case ErrorCode.FENCED_LEADER_EPOCH:
      case ErrorCode.INVALID_UPDATE_VERSION:
      case ErrorCode.INVALID_REQUEST:
      case ErrorCode.NEW_LEADER_ELECTED:
      case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      case ErrorCode.UNKNOWN_TOPIC_ID:
        return { kind: 'await-metadata' }
      default:
        return { kind: 'retry' }
    }
  }

  #commit(isr: readonly NodeId[], partitionEpoch: PartitionEpoch): void {
    this.#isr = committedIsr(isr)
    this.#proposal = null
    this.#partitionEpoch = partitionEpoch
  }

  #followReplicas(nowMs: number): void {
    for (const id of this.#followers.keys()) if (!this.#replicas.includes(id)) this.#followers.delete(id)
    for (const id of this.#replicas) {
      if (id === this.#localId || this.#followers.has(id)) continue
      const inSync = this.#isr.isr.includes(id)
      this.#followers.set(id, new FollowerProgress(id, { inSync, leaderEnd: this.#logEnd, nowMs }))
    }
  }

  /** Smallest durable end over the maximal ISR and over those about to join it. */
  #advanceHighWatermark(nowMs: number): Offset | null {
    if (this.isUnderMinIsr) return null
    let committed = this.#durableEnd
    for (const follower of this.#followers.values()) {
      if (follower.durableEnd < committed && this.#holdsBack(follower, nowMs)) committed = follower.durableEnd
    }
    if (this.#isr.isr.some((id) => id !== this.#localId && !this.#followers.has(id))) return null
    if (committed <= this.#highWatermark) return null
    this.#highWatermark = committed
    return offset(committed)
  }

  #holdsBack(follower: FollowerProgress, nowMs: number): boolean {
    if (inMaximalIsr(this.#isr, follower.id)) return true
    // Without waiting for a caught-up outsider the high watermark would outrun it at each append and it could never join.
    return (
      follower.isCaughtUp(this.#logEnd, nowMs, this.#lagMsMax) &&
      follower.brokerEpoch !== null &&
      this.#dependencies.isEligible(follower.id, follower.brokerEpoch)
    )
  }

  /**
   * Without a fresh acknowledgment: only those that are there and keep up. One that was just put out for its silence has
   * not lost what it had, and would be taken back at once.
   */
  #maybeExpandAny(nowMs: number): IsrProposal | null {
    for (const follower of this.#followers.values()) {
      if (!follower.connected || !follower.isCaughtUp(this.#logEnd, nowMs, this.#lagMsMax)) continue
      const proposal = this.#maybeExpand(follower)
      if (proposal !== null) return proposal
    }
    return null
  }

  #maybeExpand(follower: FollowerProgress): IsrProposal | null {
    if (this.#isr.kind !== 'committed' || this.#isr.isr.includes(follower.id)) return null
    if (follower.brokerEpoch === null || follower.durableEnd < this.#highWatermark) return null
    // Beyond the epoch start too: below it the follower may still hold what this leader never had (KIP-320 rule 4).
    if (follower.durableEnd < this.epochStart) return null
    if (!this.#dependencies.isEligible(follower.id, follower.brokerEpoch)) return null
    this.#isr = expandIsr(this.#isr, follower.id)
    return this.#propose('expand')
  }

  #maybeShrink(nowMs: number): IsrProposal | null {
    if (this.#isr.kind !== 'committed') return null
    const leaving = this.#isr.isr.filter((id) => this.#isOutOfSync(id, nowMs))
    if (leaving.length === 0) return null
    this.#isr = shrinkIsr(this.#isr, leaving)
    return this.#propose('shrink')
  }

  #isOutOfSync(id: NodeId, nowMs: number): boolean {
    if (id === this.#localId) return false
    const follower = this.#followers.get(id)
    return follower === undefined || !follower.isCaughtUp(this.#logEnd, nowMs, this.#lagMsMax)
  }

  #propose(kind: 'expand' | 'shrink'): IsrProposal {
    this.#proposal = {
      kind,
      leaderEpoch: this.leaderEpoch,
      partitionEpoch: this.#partitionEpoch,
      isr: proposedIsr(this.#isr).map((id) => ({ brokerId: id, brokerEpoch: this.#brokerEpoch(id) })),
    }
    assert(this.#proposal.isr.some(({ brokerId }) => brokerId === this.#localId), 'the leader leaves no ISR')
    return this.#proposal
  }

  /** The epoch that acknowledged, or the registered one for a member that has not acknowledged yet in this leader epoch. */
  #brokerEpoch(id: NodeId): number {
    return this.#followers.get(id)?.brokerEpoch ?? this.#dependencies.brokerEpochOf(id)
  }
}

function step(highWatermark: Offset | null, proposal: IsrProposal | null): LeaderStep {
  return highWatermark === null && proposal === null ? NO_STEP : { highWatermark, proposal }
}
