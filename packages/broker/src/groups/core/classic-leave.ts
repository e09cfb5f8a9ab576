import { ErrorCode } from '@kavka/protocol'
import type { Now } from '../../coordinators/coordinator-core.ts'
import type { ClassicContext } from './classic-context.ts'
import type { ClassicGroup } from './classic-group.ts'
import { memberErrorOf } from './classic-join.ts'
import { dropMember, prepareRebalance, maybeCompleteJoin } from './classic-rebalance.ts'
import type { LeaveGroupAnswer, LeaveGroupInput, LeavingMember } from '../group-coordinator-api.ts'

/**
 * LeaveGroup, for several members at once (KIP-345): the rest of the group rebalances once. A code for each
 * member, in order.
 */
export function leaveGroup(
  context: ClassicContext,
  group: ClassicGroup,
  request: LeaveGroupInput,
  now: Now,
): LeaveGroupAnswer {
  if (group.state.kind === 'Dead') return allLeave(request, ErrorCode.COORDINATOR_NOT_AVAILABLE)
  const members = request.members.map((leaving) => ({
    memberId: leaving.memberId,
    groupInstanceId: leaving.groupInstanceId,
    errorCode: removeLeaving(context, group, leaving),
  }))
  if (members.some(({ errorCode }) => errorCode === ErrorCode.NONE)) {
    if (group.state.kind === 'Stable' || group.state.kind === 'CompletingRebalance') prepareRebalance(context, group, now)
    else maybeCompleteJoin(context, group, now)
  }
  return { errorCode: ErrorCode.NONE, members }
}

/** The same answer for every member. A dead group's error belongs to the request as a whole. */
export function allLeave(request: LeaveGroupInput, errorCode: number): LeaveGroupAnswer {
  const perMember = errorCode === ErrorCode.UNKNOWN_MEMBER_ID
  if (!perMember) return { errorCode, members: [] }
  return {
    errorCode: ErrorCode.NONE,
    members: request.members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId, errorCode })),
  }
}

function removeLeaving(context: ClassicContext, group: ClassicGroup, leaving: LeavingMember): number {
  const { memberId, groupInstanceId } = leaving
  const pending = group.pendingJoin.get(memberId)
  if (pending !== undefined) {
    context.timers.cancel(pending)
    group.remove(memberId)
    return ErrorCode.NONE
  }
  // An administrator names static members by their instance id alone.
  const actualId = memberId === '' && groupInstanceId !== null ? (group.staticMembers.get(groupInstanceId) ?? '') : memberId
  const errorCode = memberErrorOf(group, actualId, groupInstanceId)
  if (errorCode !== ErrorCode.NONE) return errorCode
  dropMember(context, group, group.member(actualId))
  return ErrorCode.NONE
}
