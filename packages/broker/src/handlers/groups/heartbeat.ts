/**
 * Heartbeat 0–4: keeps a member's session and tells it to rejoin (REBALANCE_IN_PROGRESS).
 *
 * v3 static members (KIP-345). While the coordinator loads the answer is NONE, as in Kafka: nothing is known
 * against the member.
 */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { HeartbeatRequest, HeartbeatResponse } from '@kavka/protocol'
import type { ApiHandler } from '../handler.ts'
import type { GroupServices } from './group-services.ts'

export const heartbeatHandler: ApiHandler<HeartbeatRequest, HeartbeatResponse, GroupServices> = {
  apiKey: ApiKey.Heartbeat,
  versions: [0, 4],
  async handle(request, context, { authorizer, groups }) {
    if (!authorizer.authorize(context, 'Read', { type: 'Group', name: request.groupId })) {
      return { kind: 'response', body: { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED } }
    }
    return { kind: 'response', body: await groups.heartbeat(request) }
  },
}
