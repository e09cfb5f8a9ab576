/**
 * LeaveGroup 0–5: members leave at once instead of when their session ends.
 *
 * v0–2 one member, its error is the request's · v3 several members, static ones also by instance id alone
 * (KIP-345) · v5 reason (KIP-800).
 */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { Encodable, LeaveGroupRequest, LeaveGroupResponse } from '@kavka/protocol'
import type { LeaveGroupAnswer, LeaveGroupInput } from '../../groups/group-coordinator-api.ts'
import type { ApiHandler } from '../handler.ts'
import type { GroupServices } from './group-services.ts'

const BATCHED_FROM = 3

export const leaveGroupHandler: ApiHandler<LeaveGroupRequest, LeaveGroupResponse, GroupServices> = {
  apiKey: ApiKey.LeaveGroup,
  versions: [0, 5],
  async handle(request, context, { authorizer, groups }) {
    if (!authorizer.authorize(context, 'Read', { type: 'Group', name: request.groupId })) {
      return { kind: 'response', body: { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED } }
    }
    const answer = await groups.leaveGroup(inputOf(request, context.apiVersion))
    return { kind: 'response', body: responseOf(answer, context.apiVersion) }
  },
}

function inputOf(request: LeaveGroupRequest, apiVersion: number): LeaveGroupInput {
  if (apiVersion >= BATCHED_FROM) return request
  return { groupId: request.groupId, members: [{ memberId: request.memberId, groupInstanceId: null, reason: null }] }
}

function responseOf(answer: LeaveGroupAnswer, apiVersion: number): Encodable<LeaveGroupResponse> {
  if (apiVersion >= BATCHED_FROM) return answer
  const memberError = answer.members[0]?.errorCode ?? ErrorCode.NONE
  return { errorCode: answer.errorCode === ErrorCode.NONE ? memberError : answer.errorCode }
}
