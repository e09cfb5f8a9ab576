import { assert, assertPresent } from '@kavka/kernel'
import type { Correlation } from '../../coordinators/coordinator-core.ts'
import { newDeadline } from '../../coordinators/deadline-queue.ts'
import type { Deadline } from '../../coordinators/deadline-queue.ts'
import type { GroupProtocol, JoinGroupAnswer, SyncGroupAnswer } from '../group-coordinator-api.ts'
import { ProtocolVotes } from './protocol-votes.ts'
import { CONSUMER_PROTOCOL_TYPE, subscribedTopicsOf } from './subscribed-topics.ts'

/**
 * Where a group of the classic protocol stands:
 *
 *            join                join window over                assignment stored
 *   Empty ─────────▶ Preparing ─────────────────▶ Completing ─────────────────────▶ Stable
 *     ▲              Rebalance ◀───────────────── Rebalance                           │
 *     │                │    ▲    join, leave, expiry                                 │
 *     │   nobody left  │    └────────────────────────────────────────────────────────┘
 *     └────────────────┘                     Empty ─▶ Dead while its tombstones are written
 */
export type ClassicState =
  | { readonly kind: 'Empty' }
  /** `initial`: the group was empty, so that latecomers are given time (KIP-134). */
  | { readonly kind: 'PreparingRebalance'; readonly initial: InitialDelay | null }
  | { readonly kind: 'CompletingRebalance'; readonly pendingSync: Set<string> }
  | { readonly kind: 'Stable'; readonly pendingSync: Set<string> }
  | { readonly kind: 'Dead' }

export interface InitialDelay {
  /** The delay that is running. */
  delayMs: number
  /** How much longer the join window may be extended after it. */
  remainingMs: number
  newMemberAdded: boolean
}

export type GroupTimer =
  | { readonly kind: 'session'; readonly groupId: string; readonly memberId: string }
  | { readonly kind: 'join'; readonly groupId: string }
  | { readonly kind: 'sync'; readonly groupId: string }
  | { readonly kind: 'offset-expiry' }

export interface ClassicMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  /** In the member's order of preference. */
  protocols: readonly GroupProtocol[]
  assignment: Buffer
  awaitingJoin: Correlation<JoinGroupAnswer> | null
  awaitingSync: Correlation<SyncGroupAnswer> | null
  /** Its first JoinGroup is still parked: the session does not count, a longer time-out does. */
  isNew: boolean
  readonly session: Deadline<GroupTimer>
}

export const NO_BYTES = Buffer.alloc(0)

/**
 * State of one group and the moves that keep it consistent. What to answer and what to store is decided
 * elsewhere.
 */
export class ClassicGroup {
  readonly groupId: string
  state: ClassicState = { kind: 'Empty' }
  /** Wall time of the last change of state; null when an old record did not say. */
  stateTimestampMs: number | null
  generationId = 0
  /** Null: a simple group, or one that nobody has joined yet. */
  protocolType: string | null = null
  protocolName: string | null = null
  leaderId: string | null = null
  /** Topics of all members' subscriptions; null when not known. */
  subscribedTopics: ReadonlySet<string> | null = null
  readonly members = new Map<string, ClassicMember>()
  /** Instance id → member id (KIP-345). */
  readonly staticMembers = new Map<string, string>()
  /**
   * Ids given out with MEMBER_ID_REQUIRED that have not come back yet (KIP-394), with the timer that forgets
   * them.
   */
  readonly pendingJoin = new Map<string, Deadline<GroupTimer>>()
  readonly joinTimer: Deadline<GroupTimer>
  readonly syncTimer: Deadline<GroupTimer>
  readonly #votes = new ProtocolVotes()
  #awaitingJoinCount = 0

  constructor(groupId: string, stateTimestampMs: number | null) {
    this.groupId = groupId
    this.stateTimestampMs = stateTimestampMs
    this.joinTimer = newDeadline({ kind: 'join', groupId })
    this.syncTimer = newDeadline({ kind: 'sync', groupId })
  }

  get awaitingJoinCount(): number {
    return this.#awaitingJoinCount
  }

  get hasAllMembersJoined(): boolean {
    return this.members.size === this.#awaitingJoinCount && this.pendingJoin.size === 0
  }

  get rebalanceTimeoutMs(): number {
    let max = 0
    for (const member of this.members.values()) max = Math.max(max, member.rebalanceTimeoutMs)
    return max
  }

  member(memberId: string): ClassicMember {
    return assertPresent(this.members.get(memberId), `no member ${memberId} in group ${this.groupId}`)
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId
  }

  isSubscribedTo(topic: string): boolean {
    if (this.subscribedTopics === null) return this.protocolType === CONSUMER_PROTOCOL_TYPE
    return this.subscribedTopics.has(topic)
  }

  /** Could a member with these protocols be part of the group? */
  supports(protocolType: string, protocols: readonly GroupProtocol[]): boolean {
    if (this.state.kind === 'Empty') return protocolType !== '' && protocols.length > 0
    return protocolType === this.protocolType && this.#votes.anySupportedByAll(protocols, this.members.size)
  }

  add(member: ClassicMember, protocolType: string): void {
    assert(!this.members.has(member.memberId), 'a member is added once', { memberId: member.memberId })
    if (this.members.size === 0) this.protocolType = protocolType
    assert(this.protocolType === protocolType, 'members share the protocol type', { groupId: this.groupId })
    if (member.groupInstanceId !== null) {
      assert(!this.staticMembers.has(member.groupInstanceId), 'an instance id is held by one member')
      this.staticMembers.set(member.groupInstanceId, member.memberId)
    }
    this.leaderId ??= member.memberId
    this.members.set(member.memberId, member)
    this.#votes.add(member.protocols)
    if (member.awaitingJoin !== null) this.#awaitingJoinCount++
    this.pendingJoin.delete(member.memberId)
  }

  /**
   * Forgets a member or pending member; the first of the rest leads when the leader goes. Timers are the
   * caller's.
   */
  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (member !== undefined) {
      assert(member.awaitingJoin === null && member.awaitingSync === null, 'a parked member is answered first')
      this.members.delete(memberId)
      this.#votes.remove(member.protocols)
      if (member.groupInstanceId !== null) this.staticMembers.delete(member.groupInstanceId)
    }
    if (this.leaderId === memberId) this.leaderId = firstKey(this.members)
    this.pendingJoin.delete(memberId)
    this.pendingSync()?.delete(memberId)
  }

  /** Takes the member's new protocols and time-outs and parks its JoinGroup (or unparks it: null). */
  update(member: ClassicMember, change: MemberChange): void {
    this.#votes.remove(member.protocols)
    member.protocols = change.protocols
    this.#votes.add(member.protocols)
    member.rebalanceTimeoutMs = change.rebalanceTimeoutMs
    member.sessionTimeoutMs = change.sessionTimeoutMs
    this.parkJoin(member, change.awaitingJoin)
  }

  parkJoin(member: ClassicMember, correlation: Correlation<JoinGroupAnswer> | null): void {
    this.#awaitingJoinCount += Number(correlation !== null) - Number(member.awaitingJoin !== null)
    member.awaitingJoin = correlation
    assert(this.#awaitingJoinCount >= 0, 'as many joins parked as answered')
    assert(this.#awaitingJoinCount <= this.members.size, 'only members park joins')
  }

  /**
   * Gives a static member its new id and keeps everything else of it. Parked requests of the old id are
   * answered before.
   */
  replaceStatic(instanceId: string, oldMemberId: string, newMemberId: string): ClassicMember {
    const old = this.member(oldMemberId)
    assert(old.awaitingJoin === null && old.awaitingSync === null, 'a replaced member is fenced first')
    assert(this.staticMembers.get(instanceId) === oldMemberId, 'the instance id names the replaced member')
    const session = newDeadline<GroupTimer>({ kind: 'session', groupId: this.groupId, memberId: newMemberId })
    const member: ClassicMember = { ...old, memberId: newMemberId, session }
    this.members.delete(oldMemberId)
    this.members.set(newMemberId, member)
    this.staticMembers.set(instanceId, newMemberId)
    if (this.leaderId === oldMemberId) this.leaderId = newMemberId
    if (this.pendingSync()?.delete(oldMemberId)) this.pendingSync()?.add(newMemberId)
    return member
  }

  /**
   * When the leader did not rejoin, the first who did leads. False: nobody did, or there is no member at all.
   */
  electJoinedLeader(): boolean {
    if (this.leaderId === null) return false
    if (this.member(this.leaderId).awaitingJoin !== null) return true
    for (const member of this.members.values()) {
      if (member.awaitingJoin === null) continue
      this.leaderId = member.memberId
      return true
    }
    return false
  }

  /**
   * The protocol that most members prefer among those that all have; ties go to the earlier member's
   * preference.
   */
  selectProtocol(): string {
    return this.#votes.select(this.members.values(), this.members.size)
  }

  /** Starts a generation: CompletingRebalance with members, Empty without. */
  startGeneration(wallMs: number): void {
    this.generationId++
    this.protocolName = this.members.size === 0 ? null : this.selectProtocol()
    this.refreshSubscribedTopics()
    this.transition(
      this.members.size === 0 ? { kind: 'Empty' } : { kind: 'CompletingRebalance', pendingSync: new Set(this.members.keys()) },
      wallMs,
    )
  }

  refreshSubscribedTopics(): void {
    const subscriptions = Array.from(this.members.values(), (member) => this.metadataOf(member))
    this.subscribedTopics = subscribedTopicsOf(this.protocolType, this.protocolName, subscriptions)
  }

  transition(to: ClassicState, wallMs: number): void {
    assert(legalSources[to.kind].includes(this.state.kind), 'illegal change of group state', {
      groupId: this.groupId,
      from: this.state.kind,
      to: to.kind,
    })
    this.state = to
    this.stateTimestampMs = wallMs
  }

  pendingSync(): Set<string> | null {
    return this.state.kind === 'CompletingRebalance' || this.state.kind === 'Stable' ? this.state.pendingSync : null
  }

  /** Metadata of the member for the chosen protocol. */
  metadataOf(member: ClassicMember): Buffer {
    return member.protocols.find((protocol) => protocol.name === this.protocolName)?.metadata ?? NO_BYTES
  }
}

export interface MemberChange {
  readonly protocols: readonly GroupProtocol[]
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly awaitingJoin: Correlation<JoinGroupAnswer> | null
}

const legalSources: Record<ClassicState['kind'], readonly ClassicState['kind'][]> = {
  Empty: ['PreparingRebalance', 'Dead'],
  PreparingRebalance: ['Empty', 'CompletingRebalance', 'Stable'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance'],
}

function firstKey(map: ReadonlyMap<string, unknown>): string | null {
  return map.keys().next().value ?? null
}

/** Same protocols, same order, same bytes: a rejoin that changes nothing. */
export function sameProtocols(left: readonly GroupProtocol[], right: readonly GroupProtocol[]): boolean {
  if (left.length !== right.length) return false
  return left.every((protocol, index) => {
    const other = right[index]!
    return protocol.name === other.name && protocol.metadata.equals(other.metadata)
  })
}

/** Copies bytes out of the request frame, whose memory is not ours to keep. */
export function ownedProtocols(protocols: readonly GroupProtocol[]): GroupProtocol[] {
  return protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))
}
