import { assert } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type { Now } from '../../coordinators/coordinator-core.ts'
import { coordinatorErrorOf } from '../../coordinators/append-errors.ts'
import { answerJoin, answerSync, joinError, joinSuccess, restartSession, syncError } from './classic-context.ts'
import type { ClassicContext } from './classic-context.ts'
import { NO_BYTES } from './classic-group.ts'
import type { ClassicGroup, ClassicMember } from './classic-group.ts'
import { groupMetadataRecord } from './group-records.ts'

/** Starts a rebalance where one may start, else looks whether the running one is complete. */
export function rebalanceOrCompleteJoin(context: ClassicContext, group: ClassicGroup, now: Now): void {
  const kind = group.state.kind
  if (kind === 'Empty' || kind === 'CompletingRebalance' || kind === 'Stable') prepareRebalance(context, group, now)
  else maybeCompleteJoin(context, group, now)
}

/**
 * Asks every member to join anew: who waits for an assignment is told, the others learn it from their
 * heartbeats.
 */
export function prepareRebalance(context: ClassicContext, group: ClassicGroup, now: Now): void {
  if (group.state.kind === 'CompletingRebalance') resetAssignments(context, group, ErrorCode.REBALANCE_IN_PROGRESS, now)
  context.timers.cancel(group.syncTimer)
  if (group.state.kind === 'Empty') {
    startInitialDelay(context, group, now)
    return
  }
  group.transition({ kind: 'PreparingRebalance', initial: null }, now.wallMs)
  if (group.hasAllMembersJoined) completeJoin(context, group, now)
  else context.timers.schedule(group.joinTimer, now.monotonicMs + group.rebalanceTimeoutMs)
}

/**
 * The first rebalance of an empty group waits for more members, so that a fleet that starts together is
 * assigned once (KIP-134).
 */
function startInitialDelay(context: ClassicContext, group: ClassicGroup, now: Now): void {
  const delayMs = context.options.groupInitialRebalanceDelayMs
  const remainingMs = Math.max(group.rebalanceTimeoutMs - delayMs, 0)
  group.transition({ kind: 'PreparingRebalance', initial: { delayMs, remainingMs, newMemberAdded: false } }, now.wallMs)
  context.timers.schedule(group.joinTimer, now.monotonicMs + delayMs)
}

/** Ends the join phase when everybody is in, except while the initial delay runs. */
export function maybeCompleteJoin(context: ClassicContext, group: ClassicGroup, now: Now): void {
  if (group.state.kind !== 'PreparingRebalance' || group.state.initial !== null) return
  if (group.hasAllMembersJoined) completeJoin(context, group, now)
}

/**
 * The join timer passed: the initial delay is extended while members keep arriving; else the phase ends with
 * those who came.
 */
export function joinTimerPassed(context: ClassicContext, group: ClassicGroup, now: Now): void {
  if (group.state.kind !== 'PreparingRebalance') return
  const { initial } = group.state
  if (initial === null || !initial.newMemberAdded || initial.remainingMs === 0) {
    completeJoin(context, group, now)
    return
  }
  const passedMs = initial.delayMs
  initial.newMemberAdded = false
  initial.delayMs = Math.min(context.options.groupInitialRebalanceDelayMs, initial.remainingMs)
  initial.remainingMs = Math.max(initial.remainingMs - passedMs, 0)
  context.timers.schedule(group.joinTimer, now.monotonicMs + initial.delayMs)
}

/**
 * Ends the join phase: dynamic members that did not come back are dropped, static ones stay (KIP-345), the
 * next generation starts. When only absent static members are left, waits another round: their sessions
 * decide.
 */
export function completeJoin(context: ClassicContext, group: ClassicGroup, now: Now): void {
  assert(group.state.kind === 'PreparingRebalance', 'a join phase that runs is completed', { groupId: group.groupId })
  context.timers.cancel(group.joinTimer)
  dropAbsentDynamicMembers(context, group)
  if (!group.electJoinedLeader() && group.members.size > 0) {
    context.timers.schedule(group.joinTimer, now.monotonicMs + group.rebalanceTimeoutMs)
    return
  }
  group.startGeneration(now.wallMs)
  if (group.members.size === 0) storeEmptyGeneration(context, group)
  else answerAllJoins(context, group, now)
}

function dropAbsentDynamicMembers(context: ClassicContext, group: ClassicGroup): void {
  for (const member of group.members.values()) {
    if (member.awaitingJoin !== null || member.groupInstanceId !== null) continue
    context.timers.cancel(member.session)
    group.remove(member.memberId)
  }
}

/**
 * A failure changes nothing here: should the broker die too, the generation before becomes active again in
 * the log, and its members, who are gone, time out.
 */
function storeEmptyGeneration(context: ClassicContext, group: ClassicGroup): void {
  context.outbox.append({
    payload: { kind: 'records', records: [groupMetadataRecord(group, new Map())] },
    committed: () => {},
    failed: () => {},
    timedOut: () => {},
  })
}

function answerAllJoins(context: ClassicContext, group: ClassicGroup, now: Now): void {
  for (const member of group.members.values()) {
    answerJoin(
      context,
      group,
      member,
      joinSuccess(group, member.memberId, group.isLeader(member.memberId) ? 'with-members' : 'without-members'),
    )
    restartSession(context, member, now)
    member.isNew = false
  }
  context.timers.schedule(group.syncTimer, now.monotonicMs + group.rebalanceTimeoutMs)
}

/**
 * Members that got the join answer but did not send SyncGroup within the rebalance time-out are dropped
 * (KAFKA-13214). One of them may be waiting: a static member that restarted meanwhile, whose new id is still being stored.
 */
export function syncTimerPassed(context: ClassicContext, group: ClassicGroup, now: Now): void {
  const pending = group.pendingSync()
  if (pending === null || pending.size === 0) return
  for (const memberId of [...pending]) dropMember(context, group, group.member(memberId))
  prepareRebalance(context, group, now)
}

/**
 * A session ended. A parked request counts as a heartbeat, except the first join of a member, which would
 * otherwise be parked for ever when its client is gone; the session starts anew when the parked request is
 * answered.
 */
export function sessionExpired(context: ClassicContext, group: ClassicGroup, memberId: string, now: Now): void {
  if (group.state.kind === 'Dead') return
  if (group.pendingJoin.has(memberId)) {
    group.remove(memberId)
    if (group.state.kind === 'PreparingRebalance' && group.hasAllMembersJoined) completeJoin(context, group, now)
    return
  }
  const member = group.members.get(memberId)
  if (member === undefined || (!member.isNew && (member.awaitingJoin !== null || member.awaitingSync !== null))) return
  dropMember(context, group, member)
  if (group.state.kind === 'Stable' || group.state.kind === 'CompletingRebalance') prepareRebalance(context, group, now)
  else if (group.state.kind === 'PreparingRebalance' && group.hasAllMembersJoined) completeJoin(context, group, now)
}

/**
 * Removes a member; its parked JoinGroup is answered UNKNOWN_MEMBER_ID, upon which a client that is still
 * there joins again.
 */
export function dropMember(context: ClassicContext, group: ClassicGroup, member: ClassicMember): void {
  context.timers.cancel(member.session)
  answerJoin(context, group, member, joinError(ErrorCode.UNKNOWN_MEMBER_ID, ''))
  answerSync(context, member, syncError(ErrorCode.UNKNOWN_MEMBER_ID))
  group.remove(member.memberId)
}

/** Takes the assignments back and tells who waits for one; their sessions start anew. */
export function resetAssignments(context: ClassicContext, group: ClassicGroup, errorCode: number, now: Now): void {
  assert(group.state.kind === 'CompletingRebalance', 'assignments are awaited', { groupId: group.groupId })
  for (const member of group.members.values()) {
    member.assignment = NO_BYTES
    if (answerSync(context, member, syncError(errorCode))) restartSession(context, member, now)
  }
}

/**
 * The first record of a group could not be stored: whoever waits to join is told, and the group has never
 * been.
 */
export function dissolveNewGroup(context: ClassicContext, group: ClassicGroup, appendError: number, now: Now): void {
  for (const member of group.members.values()) {
    answerJoin(context, group, member, joinError(coordinatorErrorOf(appendError), ''))
    context.timers.cancel(member.session)
  }
  for (const pending of group.pendingJoin.values()) context.timers.cancel(pending)
  context.timers.cancel(group.joinTimer)
  group.transition({ kind: 'Dead' }, now.wallMs)
}
