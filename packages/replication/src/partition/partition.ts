/** One replica of this broker: its log, its role, and everyone who waits for something to happen to it. */
import { assert } from '@kavka/kernel'
import type { Logger, Scheduler } from '@kavka/kernel'
import { directoryOf, LOST_DIRECTORY } from '@kavka/controller'
import type { PartitionRegistration } from '@kavka/controller'
import { ErrorCode, topicPartitionName } from '@kavka/protocol'
import type { LeaderEpoch, NodeId, Offset, TopicPartition, Uuid } from '@kavka/protocol'
import type { AppendOrigin, LeaderAppendOutcome, PartitionLog } from '@kavka/storage'
import type { CurrentLeader, PartitionView } from '../api.ts'
import { FollowerState } from '../core/follower-state.ts'
import type { IsrProposal, LeaderState, LeaderStep, ProposalAnswer } from '../core/leader-state.ts'
import { applyLeaderFrame } from './follow-leader.ts'
import type { FollowOutcome } from './follow-leader.ts'
import { emptyLogAt } from '../core/followed-log.ts'
import type { FollowedLog } from '../core/followed-log.ts'
import { LeaderProof } from './leader-proof.ts'
import type { ProofState } from './leader-proof.ts'
import { leaderStateAt, NO_CHANGE } from './partition-role.ts'
import type { BrokerKnowledge, PartitionRole, RoleChange } from './partition-role.ts'
import { PartitionWaiters } from './partition-waiters.ts'
import type { LeaderPartitionFrame } from '../ports.ts'
import { ReplicaHealth } from './replica-health.ts'

/** What a partition reports to its manager. */
export interface PartitionEvents {
  proposed(partition: Partition, proposal: IsrProposal): void
  /** As a follower: the own durable end or log start moved and is to be acknowledged. */
  acknowledge(partition: Partition): void
  failed(partition: Partition, cause: Error): void
  /** A read met damage in the log. */
  damaged(partition: Partition): void
  /** The damaged log of a follower was emptied, and is filled again from here on. */
  emptied(partition: Partition): void
  /** As a leader: `proofFor` may say something else now. */
  proved(partition: Partition): void
}

export interface PartitionOptions {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly localId: NodeId
  readonly lagMsMax: number
}

export interface PartitionDependencies extends BrokerKnowledge {
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly events: PartitionEvents
  /** Alive brokers count for the low watermark of DeleteRecords; the others catch up when they return. */
  readonly isAlive: (id: NodeId) => boolean
}

export class Partition implements PartitionView {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly waiters = new PartitionWaiters()
  readonly #options: PartitionOptions
  readonly #dependencies: PartitionDependencies
  readonly #health: ReplicaHealth
  readonly #proof: LeaderProof
  #log: PartitionLog | null = null
  #registration: PartitionRegistration
  #current: PartitionRole = { kind: 'follower', state: null }

  constructor(options: PartitionOptions, registration: PartitionRegistration, dependencies: PartitionDependencies) {
    this.topicPartition = options.topicPartition
    this.topicId = options.topicId
    this.#options = options
    this.#registration = registration
    this.#dependencies = dependencies
    this.#health = new ReplicaHealth(options.localId, registration)
    this.#proof = new LeaderProof({
      scheduler: dependencies.scheduler,
      isCurrent: (epoch) => this.leaderState?.leaderEpoch === epoch,
      settled: () => dependencies.events.proved(this),
    })
  }

  get name(): string {
    return topicPartitionName(this.topicPartition)
  }

  get partition(): number {
    return this.topicPartition.partition
  }

  get current(): PartitionRole {
    return this.#current
  }

  get role(): 'leader' | 'follower' | 'offline' {
    return this.#current.kind
  }

  get registration(): PartitionRegistration {
    return this.#registration
  }

  get hasLog(): boolean {
    return this.#log !== null
  }

  /** Only for partitions that are not offline. */
  get log(): PartitionLog {
    assert(this.#log !== null, 'an offline partition has no log', { partition: this.name })
    return this.#log
  }

  get leaderState(): LeaderState | null {
    return this.#current.kind === 'leader' ? this.#current.state : null
  }

  get leaderId(): NodeId | null {
    return this.#registration.leader
  }

  get leaderEpoch(): LeaderEpoch {
    return this.#registration.leaderEpoch
  }

  get currentLeader(): CurrentLeader {
    return { leaderId: this.leaderId, leaderEpoch: this.leaderEpoch }
  }

  get replicas(): readonly NodeId[] {
    return this.#registration.replicas
  }

  /** The leader learns of changes that it asked for before the metadata tells. */
  get isr(): readonly NodeId[] {
    return this.leaderState?.isr ?? this.#registration.isr
  }

  get highWatermark(): Offset {
    return this.leaderState?.highWatermark ?? this.log.highWatermark
  }

  get isUnderReplicated(): boolean {
    const state = this.leaderState
    return state !== null && state.isr.length < this.#targetReplicas()
  }

  get isUnderMinIsr(): boolean {
    return this.leaderState?.isUnderMinIsr ?? false
  }

  get isAtMinIsr(): boolean {
    return this.leaderState?.isAtMinIsr ?? false
  }

  get isReassigning(): boolean {
    return this.#registration.addingReplicas.length > 0 || this.#registration.removingReplicas.length > 0
  }

  /** What the controller has yet to learn of where this replica lies, or that it is damaged; null: nothing. */
  get directoryClaim(): Uuid | null {
    return this.#health.claim(this.#registration, this.#followedEpoch())
  }

  /** What a leader is told of this replica's log. */
  get announcedLog(): FollowedLog {
    return this.#health.isHollow ? emptyLogAt(this.log.logStartOffset) : this.log
  }

  /** Whether this leader may fill that follower: it has read its whole log if the follower is about to throw away its own. */
  proofFor(follower: NodeId): ProofState | 'not-needed' {
    const isLost = directoryOf(this.#registration, follower) === LOST_DIRECTORY
    return isLost ? this.#proof.state(this.log, this.leaderEpoch) : 'not-needed'
  }

  /** How far consumers may read here, by isolation. */
  visibleEnd(isolation: 'read_uncommitted' | 'read_committed'): number {
    const highWatermark = this.highWatermark
    return isolation === 'read_committed' ? Math.min(this.log.lastStableOffset, highWatermark) : highWatermark
  }

  /** `directory`: the id of the log directory that holds the log. */
  openLog(log: PartitionLog, checkpointedHighWatermark: number, directory: Uuid | null): void {
    assert(this.#log === null, 'opened twice', { partition: this.name })
    this.#log = log
    this.#health.opened(log, directory)
    const known = Math.min(checkpointedHighWatermark, log.logEndOffset)
    if (known > log.highWatermark) log.updateHighWatermark(known as Offset)
    log.onDurable(() => this.#madeDurable())
    log.onFailed((cause) => this.#dependencies.events.failed(this, cause))
    log.onCorrupt(() => this.#dependencies.events.damaged(this))
    if (log.corruption?.found === 'at-start') this.takeOffline(ErrorCode.KAFKA_STORAGE_ERROR)
  }

  /** Follows the metadata. Older or equal news changes nothing that newer has settled. */
  follow(registration: PartitionRegistration): RoleChange {
    this.#registration = registration
    this.#health.follow(registration, this.#followedEpoch())
    if (this.#current.kind === 'offline') {
      if (!this.#health.isHollow) return NO_CHANGE
      this.#current = { kind: 'follower', state: null }
    }
    if (registration.leader === this.#options.localId) return this.#lead(registration)
    return this.#followLeader(registration)
  }

  /** The log failed, was never opened, or the partition leaves this broker. */
  takeOffline(errorCode: number): RoleChange {
    const resigned = this.leaderState?.leaderEpoch ?? null
    this.#current = { kind: 'offline', errorCode }
    this.#answerAll(errorCode)
    return { elected: null, resigned }
  }

  /** A client's or coordinator's batch; the caller has checked that this is the leader. */
  appendAsLeader(records: Buffer, origin: AppendOrigin, transactionVersion = 0): LeaderAppendOutcome {
    const state = this.leaderState
    assert(state !== null, 'append at a replica that does not lead', { partition: this.name })
    const outcome = this.log.appendAsLeader(records, state.leaderEpoch, origin, transactionVersion)
    if (outcome.kind !== 'appended') return outcome
    state.appended(this.log.logEndOffset, this.#nowMs())
    this.waiters.tellData()
    return outcome
  }

  /** Of a follower whose position was judged against this leader epoch. */
  acknowledged(
    follower: NodeId,
    position: { readonly durableEndOffset: number; readonly logStartOffset: number; readonly brokerEpoch: number },
  ): void {
    const state = this.leaderState
    if (state === null) return
    this.#take(state.acknowledged(follower, position, this.#nowMs()))
    this.#completeDeletions()
  }

  followerConnected(follower: NodeId): void {
    this.leaderState?.connected(follower)
  }

  followerDisconnected(follower: NodeId): void {
    this.leaderState?.disconnected(follower, this.#nowMs())
  }

  /** Periodic, and after changes of eligibility, configuration or liveness. */
  reviewIsr(): void {
    const state = this.leaderState
    if (state === null) return
    this.#take(state.checkIsr(this.#nowMs()))
    this.#refuseBelowMinIsr(state)
    this.#completeDeletions()
  }

  /** The controller's answer to a proposal of this partition. */
  proposalAnswered(proposal: IsrProposal, answer: ProposalAnswer): 'committed' | 'reverted' | 'settled' | 'retry' {
    const state = this.leaderState
    if (state === null) return 'settled'
    const outcome = state.answered(proposal, answer, this.#nowMs())
    switch (outcome.kind) {
      case 'committed':
        this.#take(outcome.step)
        this.#refuseBelowMinIsr(state)
        return 'committed'
      case 'reverted':
      case 'retry':
        return outcome.kind
      case 'await-metadata':
      case 'superseded':
        return 'settled'
    }
  }

  isOpenProposal(proposal: IsrProposal): boolean {
    return this.leaderState?.pendingProposal === proposal
  }

  /** Something of the leader's stream for this partition; the caller is the fetcher of that leader. */
  applyLeaderFrame(frame: LeaderPartitionFrame): FollowOutcome {
    const current = this.#current
    if (current.kind !== 'follower' || current.state === null) return 'ignored'
    if (this.#health.isHollow && current.state.isAnswer(frame)) this.#emptyForRefill()
    if (this.#current !== current) return 'ignored'
    const before = this.log.highWatermark
    const outcome = applyLeaderFrame(frame, current.state, this.log, this.#dependencies.logger)
    if (this.log.highWatermark !== before) this.waiters.wakeFetches()
    return outcome
  }

  /** Raises the log start of a led partition (DeleteRecords) and tells the followers. */
  deleteRecordsBefore(offset: Offset): void {
    if (this.log.advanceLogStartOffset(offset)) this.waiters.tellNews()
  }

  /** Smallest log start over the live replicas: below it nobody holds anything any more. */
  get lowWatermark(): number {
    let low: number = this.log.logStartOffset
    for (const follower of this.leaderState?.followers() ?? []) {
      if (this.#dependencies.isAlive(follower.id)) low = Math.min(low, follower.logStart)
    }
    return low
  }

  /** The leader answers this hollow replica, so it has proved that it can give back everything. */
  #emptyForRefill(): void {
    this.#dependencies.logger.warn({ partition: this.name, leader: this.leaderId }, 'filling a damaged log again from the leader')
    if (this.#health.empty()) this.#dependencies.events.emptied(this)
    else this.takeOffline(ErrorCode.KAFKA_STORAGE_ERROR)
  }

  #followedEpoch(): LeaderEpoch | null {
    return this.#current.kind === 'follower' ? (this.#current.state?.leaderEpoch ?? null) : null
  }

  #lead(registration: PartitionRegistration): RoleChange {
    const current = this.leaderState
    if (current !== null && current.leaderEpoch === registration.leaderEpoch) {
      this.#take(current.registrationChanged(registration, this.#nowMs()))
      this.#refuseBelowMinIsr(current)
      return NO_CHANGE
    }
    this.#becomeLeader(registration)
    return { elected: registration.leaderEpoch, resigned: null }
  }

  #becomeLeader(registration: PartitionRegistration): void {
    const log = this.log
    log.assignEpochStart(registration.leaderEpoch)
    const { localId, lagMsMax } = this.#options
    const state = leaderStateAt({ localId, lagMsMax, nowMs: this.#nowMs(), log }, () => this.#registration, this.#dependencies)
    this.#current = { kind: 'leader', state }
    this.#take(state.checkIsr(this.#nowMs()))
    this.waiters.wakeFetches()
  }

  #followLeader(registration: PartitionRegistration): RoleChange {
    const resigned = this.leaderState?.leaderEpoch ?? null
    const known = this.#current.kind === 'follower' ? this.#current.state : null
    const isSameLeader = known?.leaderId === registration.leader && known?.leaderEpoch === registration.leaderEpoch
    if (!isSameLeader) {
      const { leader, leaderEpoch } = registration
      this.#current = { kind: 'follower', state: leader === null ? null : new FollowerState(leader, leaderEpoch) }
      this.#answerAll(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    }
    return { elected: null, resigned }
  }

  #madeDurable(): void {
    const current = this.#current
    if (current.kind === 'offline') return
    if (current.kind === 'follower') {
      this.#dependencies.events.acknowledge(this)
      return
    }
    const durableEnd = this.log.durableEndOffset
    this.waiters.madeDurable(durableEnd)
    this.#take(current.state.madeDurable(durableEnd, this.#nowMs()))
  }

  #take(step: LeaderStep): void {
    if (step.highWatermark !== null) this.#committed(step.highWatermark)
    if (step.proposal !== null) this.#dependencies.events.proposed(this, step.proposal)
  }

  #committed(highWatermark: Offset): void {
    this.log.updateHighWatermark(highWatermark)
    const errorCode = this.leaderState?.hasEnoughReplicas === true ? ErrorCode.NONE : AFTER_APPEND
    this.waiters.highWatermarkMoved(highWatermark, errorCode)
  }

  /** The high watermark stands still below min ISR, so nobody who waits for it can be satisfied: say so at once. */
  #refuseBelowMinIsr(state: LeaderState): void {
    if (state.isUnderMinIsr) this.waiters.refuseCommitted(AFTER_APPEND)
  }

  /** The low watermark looks at every follower: only when somebody waits for it. */
  #completeDeletions(): void {
    if (this.waiters.deleted.length > 0) this.waiters.lowWatermarkMoved(this.lowWatermark)
  }

  #answerAll(errorCode: number): void {
    const leader = errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER ? this.currentLeader : null
    this.waiters.answerAll(errorCode, leader)
  }

  /** Replicas that are being added are not missed yet. */
  #targetReplicas(): number {
    return this.replicas.length - this.#registration.addingReplicas.length
  }

  #nowMs(): number {
    return this.#dependencies.scheduler.monotonicMs()
  }
}

const AFTER_APPEND = ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND
