/**
 * SyncGroup 0–5: brings the leader's assignment and fetches one's own; parked until the assignment is stored.
 *
 * v3 static members (KIP-345) · v5 protocol type and name are compared with the group's (KIP-559); the
 * request must carry both.
 */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { SyncGroupRequest, SyncGroupResponse } from '@kavka/protocol'
import type { ApiHandler } from '../handler.ts'
import type { GroupServices } from './group-services.ts'

const PROTOCOL_REQUIRED_FROM = 5

export const syncGroupHandler: ApiHandler<SyncGroupRequest, SyncGroupResponse, GroupServices> = {
  apiKey: ApiKey.SyncGroup,
  versions: [0, 5],
  async handle(request, context, { authorizer, groups }) {
    const lacksProtocol = request.protocolType === null || request.protocolName === null
    if (context.apiVersion >= PROTOCOL_REQUIRED_FROM && lacksProtocol) {
      return { kind: 'response', body: { errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL } }
    }
    if (!authorizer.authorize(context, 'Read', { type: 'Group', name: request.groupId })) {
      return { kind: 'response', body: { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED } }
    }
    return { kind: 'response', body: await groups.syncGroup(context, request) }
  },
}
