import { assert } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import { coordinatorErrorOf } from '../../coordinators/append-errors.ts'
import type { Correlation, Now } from '../../coordinators/coordinator-core.ts'
import { newDeadline } from '../../coordinators/deadline-queue.ts'
import { answerJoin, answerSync, joinError, joinSuccess, restartSession, syncError } from './classic-context.ts'
import type { ClassicContext } from './classic-context.ts'
import { NO_BYTES, ownedProtocols, sameProtocols } from './classic-group.ts'
import type { ClassicGroup, ClassicMember, GroupTimer } from './classic-group.ts'
import { maybeCompleteJoin, prepareRebalance, rebalanceOrCompleteJoin } from './classic-rebalance.ts'
import type { GroupRequestContext, JoinGroupAnswer, JoinGroupInput } from '../group-coordinator-api.ts'
import { NEW_MEMBER_JOIN_TIMEOUT_MS } from '../group-options.ts'
import { assignmentsOf, groupMetadataRecord } from './group-records.ts'

/** One JoinGroup on its way through the steps below. */
export interface Join {
  readonly correlation: Correlation<JoinGroupAnswer>
  readonly client: GroupRequestContext
  readonly request: JoinGroupInput
  readonly now: Now
}

/** From this version on a dynamic member must come back with the id it is given (KIP-394). */
const MEMBER_ID_REQUIRED_FROM = 4
/** From this version on a returning static leader can be told to keep the assignment (KIP-814). */
const SKIP_ASSIGNMENT_FROM = 9

/** JoinGroup at a group that exists: accepts, parks or refuses the member. */
export function joinGroup(context: ClassicContext, group: ClassicGroup, join: Join): void {
  const { request } = join
  if (!hasRoomFor(context, group, request.memberId)) {
    refuseForSize(context, group, join)
    return
  }
  const errorCode = joinErrorOf(group, request)
  if (errorCode !== ErrorCode.NONE) context.outbox.reply(join.correlation, joinError(errorCode, request.memberId))
  else if (request.memberId === '') joinNewMember(context, group, join)
  else joinKnownMember(context, group, join)
}

function joinErrorOf(group: ClassicGroup, request: JoinGroupInput): number {
  if (group.state.kind === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  if (!group.supports(request.protocolType, request.protocols)) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  return ErrorCode.NONE
}

/**
 * `group.max.size` (KIP-389). While a rebalance runs the members that already rejoined count, so that after a
 * lowering of the limit the last to come are the ones that are turned away.
 */
function hasRoomFor(context: ClassicContext, group: ClassicGroup, memberId: string): boolean {
  const { groupMaxSize } = context.options
  switch (group.state.kind) {
    case 'Empty':
    case 'Dead':
      return true
    case 'PreparingRebalance':
      return (group.members.get(memberId)?.awaitingJoin ?? null) !== null || group.awaitingJoinCount < groupMaxSize
    case 'CompletingRebalance':
    case 'Stable':
      return group.members.has(memberId) || group.members.size < groupMaxSize
  }
}

function refuseForSize(context: ClassicContext, group: ClassicGroup, join: Join): void {
  const { memberId } = join.request
  const pending = group.pendingJoin.get(memberId)
  if (pending !== undefined) context.timers.cancel(pending)
  const member = group.members.get(memberId)
  if (member !== undefined) context.timers.cancel(member.session)
  group.remove(memberId)
  context.outbox.reply(join.correlation, joinError(ErrorCode.GROUP_MAX_SIZE_REACHED, ''))
  maybeCompleteJoin(context, group, join.now)
}

function joinNewMember(context: ClassicContext, group: ClassicGroup, join: Join): void {
  const { groupInstanceId } = join.request
  const memberId = `${groupInstanceId ?? join.client.clientId}-${context.newUuid()}`
  if (groupInstanceId === null) {
    if (join.client.apiVersion >= MEMBER_ID_REQUIRED_FROM) requireMemberId(context, group, join, memberId)
    else addMember(context, group, join, memberId)
    return
  }
  const existing = group.staticMembers.get(groupInstanceId)
  if (existing === undefined) addMember(context, group, join, memberId)
  else replaceStaticMember(context, group, join, { instanceId: groupInstanceId, oldMemberId: existing, newMemberId: memberId })
}

/**
 * The id is remembered for one session: the group waits for it to come back, so that a lost answer leaves no
 * ghost member behind.
 */
function requireMemberId(context: ClassicContext, group: ClassicGroup, join: Join, memberId: string): void {
  const timer = newDeadline<GroupTimer>({ kind: 'session', groupId: group.groupId, memberId })
  group.pendingJoin.set(memberId, timer)
  context.timers.schedule(timer, join.now.monotonicMs + join.request.sessionTimeoutMs)
  context.outbox.reply(join.correlation, joinError(ErrorCode.MEMBER_ID_REQUIRED, memberId))
}

function addMember(context: ClassicContext, group: ClassicGroup, join: Join, memberId: string): void {
  const { request, now } = join
  if (group.state.kind === 'PreparingRebalance' && group.state.initial !== null) group.state.initial.newMemberAdded = true
  const member: ClassicMember = {
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: join.client.clientId,
    clientHost: join.client.clientHost,
    rebalanceTimeoutMs: rebalanceTimeoutOf(request),
    sessionTimeoutMs: request.sessionTimeoutMs,
    protocols: ownedProtocols(request.protocols),
    assignment: NO_BYTES,
    awaitingJoin: join.correlation,
    awaitingSync: null,
    isNew: true,
    session: newDeadline<GroupTimer>({ kind: 'session', groupId: group.groupId, memberId }),
  }
  group.add(member, request.protocolType)
  restartSession(context, member, now, NEW_MEMBER_JOIN_TIMEOUT_MS)
  rebalanceOrCompleteJoin(context, group, now)
}

function joinKnownMember(context: ClassicContext, group: ClassicGroup, join: Join): void {
  const { memberId, groupInstanceId } = join.request
  const pending = group.pendingJoin.get(memberId)
  if (pending !== undefined && groupInstanceId === null) {
    context.timers.cancel(pending)
    addMember(context, group, join, memberId)
    return
  }
  const errorCode = memberErrorOf(group, memberId, groupInstanceId)
  if (errorCode !== ErrorCode.NONE) context.outbox.reply(join.correlation, joinError(errorCode, memberId))
  else rejoin(context, group, join, group.member(memberId))
}

/** Is this the member that it says it is? A static member is the one that its instance id is mapped to. */
export function memberErrorOf(group: ClassicGroup, memberId: string, groupInstanceId: string | null): number {
  if (groupInstanceId !== null) {
    const current = group.staticMembers.get(groupInstanceId)
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
  }
  return group.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
}

/**
 * A member of the group joins again: to take part in a rebalance, to start one, or because an answer was
 * lost.
 */
function rejoin(context: ClassicContext, group: ClassicGroup, join: Join, member: ClassicMember): void {
  const unchanged = sameProtocols(member.protocols, join.request.protocols)
  switch (group.state.kind) {
    case 'PreparingRebalance':
      updateMember(context, group, join, member)
      return
    case 'CompletingRebalance':
      if (unchanged) answerCurrentGeneration(context, group, join)
      else updateMember(context, group, join, member)
      return
    case 'Stable':
      // A leader rejoins to have everything assigned anew, for instance because a topic grew.
      if (unchanged && !group.isLeader(member.memberId)) answerCurrentGeneration(context, group, join)
      else updateMember(context, group, join, member)
      return
    case 'Empty':
    case 'Dead':
      context.outbox.reply(join.correlation, joinError(ErrorCode.UNKNOWN_MEMBER_ID, ''))
  }
}

function answerCurrentGeneration(context: ClassicContext, group: ClassicGroup, join: Join): void {
  const { memberId } = join.request
  const view = group.isLeader(memberId) && group.state.kind === 'CompletingRebalance' ? 'with-members' : 'without-members'
  context.outbox.reply(join.correlation, joinSuccess(group, memberId, view))
}

function updateMember(context: ClassicContext, group: ClassicGroup, join: Join, member: ClassicMember): void {
  supersedeParkedJoin(context, group, member)
  group.update(member, {
    protocols: ownedProtocols(join.request.protocols),
    rebalanceTimeoutMs: rebalanceTimeoutOf(join.request),
    sessionTimeoutMs: join.request.sessionTimeoutMs,
    awaitingJoin: join.correlation,
  })
  rebalanceOrCompleteJoin(context, group, join.now)
}

/**
 * A retried JoinGroup replaces the one that is parked; nobody reads the old answer, but its connection must
 * not wait for ever.
 */
function supersedeParkedJoin(context: ClassicContext, group: ClassicGroup, member: ClassicMember): void {
  answerJoin(context, group, member, joinError(ErrorCode.UNKNOWN_MEMBER_ID, member.memberId))
}

interface StaticReplacement {
  readonly instanceId: string
  readonly oldMemberId: string
  readonly newMemberId: string
}

/**
 * A static member restarted (KIP-345): it gets a new id, the old one is fenced. In a stable group whose
 * protocol stays the same nothing is rebalanced; the new id is stored, and only then the answer goes out.
 */
function replaceStaticMember(context: ClassicContext, group: ClassicGroup, join: Join, ids: StaticReplacement): void {
  fence(context, group, group.member(ids.oldMemberId))
  const leaderBefore = group.leaderId
  context.timers.cancel(group.member(ids.oldMemberId).session)
  const member = group.replaceStatic(ids.instanceId, ids.oldMemberId, ids.newMemberId)
  restartSession(context, member, join.now)
  const before = { ...member, awaitingJoin: null }
  group.update(member, {
    protocols: ownedProtocols(join.request.protocols),
    rebalanceTimeoutMs: rebalanceTimeoutOf(join.request),
    sessionTimeoutMs: join.request.sessionTimeoutMs,
    awaitingJoin: join.correlation,
  })
  const undo = { ids, before, leaderBefore, generationId: group.generationId }
  const isSettled = group.state.kind === 'Stable' && group.selectProtocol() === group.protocolName
  if (isSettled) storeReplacement(context, group, join, undo)
  else rebalanceForReplacement(context, group, join)
}

function rebalanceForReplacement(context: ClassicContext, group: ClassicGroup, join: Join): void {
  switch (group.state.kind) {
    case 'Stable':
    // The old id may already be with the leader, whose assignment would then miss the new one.
    case 'CompletingRebalance':
      return prepareRebalance(context, group, join.now)
    case 'PreparingRebalance':
      return maybeCompleteJoin(context, group, join.now)
    case 'Empty':
    case 'Dead':
      assert(false, 'a group without members has no static member', { groupId: group.groupId })
  }
}

/** Tells whoever still waits under the old id that another instance took its place. */
function fence(context: ClassicContext, group: ClassicGroup, member: ClassicMember): void {
  answerJoin(context, group, member, joinError(ErrorCode.FENCED_INSTANCE_ID, member.memberId))
  answerSync(context, member, syncError(ErrorCode.FENCED_INSTANCE_ID))
}

interface ReplacementUndo {
  readonly ids: StaticReplacement
  readonly before: ClassicMember
  readonly leaderBefore: string | null
  readonly generationId: number
}

function storeReplacement(context: ClassicContext, group: ClassicGroup, join: Join, undo: ReplacementUndo): void {
  const { newMemberId } = undo.ids
  function fail(errorCode: number, now: Now): void {
    revertReplacement(context, group, undo, coordinatorErrorOf(errorCode), now)
  }
  context.outbox.append({
    payload: { kind: 'records', records: [groupMetadataRecord(group, assignmentsOf(group))] },
    committed: () => {
      const member = group.members.get(newMemberId)
      if (member !== undefined) answerJoin(context, group, member, replacementAnswer(group, join, undo))
    },
    failed: fail,
    timedOut: (now) => fail(ErrorCode.REQUEST_TIMED_OUT, now),
  })
}

/**
 * Clients below v9 cannot be told to skip the assignment: they are told that the old leader leads, so that a
 * restarted leader takes itself for a follower and just fetches its assignment.
 */
function replacementAnswer(group: ClassicGroup, join: Join, undo: ReplacementUndo): JoinGroupAnswer {
  const { newMemberId } = undo.ids
  if (join.client.apiVersion < SKIP_ASSIGNMENT_FROM) {
    return { ...joinSuccess(group, newMemberId, 'without-members'), leader: undo.leaderBefore ?? '' }
  }
  const leads = group.isLeader(newMemberId)
  return { ...joinSuccess(group, newMemberId, leads ? 'with-members' : 'without-members'), skipAssignment: leads }
}

function revertReplacement(
  context: ClassicContext,
  group: ClassicGroup,
  undo: ReplacementUndo,
  errorCode: number,
  now: Now,
): void {
  const { ids, before } = undo
  const member = group.members.get(ids.newMemberId)
  // It left, was replaced again or got into the next generation while the record was under way: nothing to
  // take back.
  if (member === undefined || group.staticMembers.get(ids.instanceId) !== ids.newMemberId) return
  if (group.generationId !== undo.generationId) return
  answerJoin(context, group, member, {
    ...joinSuccess(group, '', 'without-members'),
    errorCode,
    leader: undo.leaderBefore ?? '',
  })
  answerSync(context, member, syncError(errorCode))
  group.update(member, { ...before, awaitingJoin: null })
  context.timers.cancel(member.session)
  restartSession(context, group.replaceStatic(ids.instanceId, ids.newMemberId, ids.oldMemberId), now)
}

/** v0 has no rebalance time-out; its session time-out served for both (KIP-62). */
function rebalanceTimeoutOf(request: JoinGroupInput): number {
  return request.rebalanceTimeoutMs < 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs
}
