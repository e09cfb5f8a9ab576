/**
 * JoinGroup 0–9: asks to be a member of a group. The answer comes when the join phase ends, which may take
 * minutes.
 *
 * v1 rebalance time-out apart from the session's (KIP-62) · v4 a new dynamic member is given an id and must
 * join with it (KIP-394) · v5 static members (KIP-345) · v7 protocol type in the answer, the protocol may be
 * null with an error (KIP-559) · v8 reason (KIP-800) · v9 skipAssignment for a static leader that came back
 * (KIP-814). Not done: classic members in groups of the consumer protocol (KIP-848); such a group answers
 * INCONSISTENT_GROUP_PROTOCOL.
 */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { JoinGroupRequest, JoinGroupResponse } from '@kavka/protocol'
import type { ApiHandler } from '../handler.ts'
import type { GroupServices } from './group-services.ts'

const NULL_PROTOCOL_FROM = 7

export const joinGroupHandler: ApiHandler<JoinGroupRequest, JoinGroupResponse, GroupServices> = {
  apiKey: ApiKey.JoinGroup,
  versions: [0, 9],
  async handle(request, context, { authorizer, groups }) {
    if (!authorizer.authorize(context, 'Read', { type: 'Group', name: request.groupId })) {
      const body = { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, memberId: request.memberId, protocolName: '' }
      return { kind: 'response', body }
    }
    const answer = await groups.joinGroup(context, request)
    const protocolName = answer.protocolName ?? (context.apiVersion < NULL_PROTOCOL_FROM ? '' : null)
    return { kind: 'response', body: { ...answer, protocolName } }
  },
}
