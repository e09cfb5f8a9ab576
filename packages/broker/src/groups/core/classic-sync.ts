import { ErrorCode } from '@kavka/protocol'
import { coordinatorErrorOf } from '../../coordinators/append-errors.ts'
import type { Correlation, Now } from '../../coordinators/coordinator-core.ts'
import { answerSync, restartSession, syncError } from './classic-context.ts'
import type { ClassicContext } from './classic-context.ts'
import { NO_BYTES } from './classic-group.ts'
import type { ClassicGroup } from './classic-group.ts'
import { memberErrorOf } from './classic-join.ts'
import { prepareRebalance, resetAssignments } from './classic-rebalance.ts'
import type { HeartbeatInput, SyncGroupAnswer, SyncGroupInput } from '../group-coordinator-api.ts'
import { groupMetadataRecord } from './group-records.ts'

/**
 * SyncGroup: the leader's brings the assignment, which is stored before anybody gets it; the others wait for
 * it.
 */
export function syncGroup(
  context: ClassicContext,
  group: ClassicGroup,
  correlation: Correlation<SyncGroupAnswer>,
  request: SyncGroupInput,
): void {
  const errorCode = syncErrorOf(group, request)
  if (errorCode !== ErrorCode.NONE) {
    context.outbox.reply(correlation, syncError(errorCode))
    return
  }
  const member = group.member(request.memberId)
  group.pendingSync()?.delete(request.memberId)
  if (group.pendingSync()?.size === 0) context.timers.cancel(group.syncTimer)
  if (group.state.kind === 'Stable') {
    context.outbox.reply(correlation, assignmentOf(group, member.assignment))
    return
  }
  answerSync(context, member, syncError(ErrorCode.UNKNOWN_MEMBER_ID))
  member.awaitingSync = correlation
  if (group.isLeader(request.memberId)) storeAssignment(context, group, request)
}

function syncErrorOf(group: ClassicGroup, request: SyncGroupInput): number {
  if (group.state.kind === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  if (group.state.kind === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID
  const memberError = memberErrorOf(group, request.memberId, request.groupInstanceId)
  if (memberError !== ErrorCode.NONE) return memberError
  if (request.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  if (differs(request.protocolType, group.protocolType)) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  if (differs(request.protocolName, group.protocolName)) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  if (group.state.kind === 'PreparingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS
  return ErrorCode.NONE
}

/** What the client did not say (below v5), or the group does not know, is not compared (KIP-559). */
function differs(requested: string | null, known: string | null): boolean {
  return requested !== null && known !== null && requested !== known
}

/**
 * Stores the leader's assignment. Members may come and go while the record is under way: only when the group
 * still waits in the same generation the outcome counts. Members that the leader left out get an empty
 * assignment.
 */
function storeAssignment(context: ClassicContext, group: ClassicGroup, request: SyncGroupInput): void {
  const assignments = new Map<string, Buffer>()
  for (const { memberId, assignment } of request.assignments) assignments.set(memberId, Buffer.from(assignment))
  const { generationId } = group
  const stillAwaited = () => group.state.kind === 'CompletingRebalance' && group.generationId === generationId
  function fail(errorCode: number, now: Now): void {
    if (!stillAwaited()) return
    resetAssignments(context, group, coordinatorErrorOf(errorCode), now)
    prepareRebalance(context, group, now)
  }
  context.outbox.append({
    payload: { kind: 'records', records: [groupMetadataRecord(group, assignments)] },
    committed: (now) => {
      if (stillAwaited()) becomeStable(context, group, assignments, now)
    },
    failed: fail,
    timedOut: (now) => fail(ErrorCode.REQUEST_TIMED_OUT, now),
  })
}

function becomeStable(
  context: ClassicContext,
  group: ClassicGroup,
  assignments: ReadonlyMap<string, Buffer>,
  now: Now,
): void {
  for (const member of group.members.values()) {
    member.assignment = assignments.get(member.memberId) ?? NO_BYTES
    // A session that ended while the request was parked was not acted upon: it starts anew.
    if (answerSync(context, member, assignmentOf(group, member.assignment))) restartSession(context, member, now)
  }
  group.transition({ kind: 'Stable', pendingSync: group.pendingSync() ?? new Set() }, now.wallMs)
}

function assignmentOf(group: ClassicGroup, assignment: Buffer): SyncGroupAnswer {
  return { errorCode: ErrorCode.NONE, protocolType: group.protocolType, protocolName: group.protocolName, assignment }
}

/** Heartbeat: keeps the session and tells a member to rejoin while a rebalance waits for it. */
export function heartbeat(context: ClassicContext, group: ClassicGroup, request: HeartbeatInput, now: Now): number {
  if (group.state.kind === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const memberError = memberErrorOf(group, request.memberId, request.groupInstanceId)
  if (memberError !== ErrorCode.NONE) return memberError
  if (request.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  restartSession(context, group.member(request.memberId), now)
  return group.state.kind === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}
