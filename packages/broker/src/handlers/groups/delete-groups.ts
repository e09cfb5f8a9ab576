/**
 * DeleteGroups 0–2: deletes empty groups with all they have committed (KIP-229); NON_EMPTY_GROUP,
 * GROUP_ID_NOT_FOUND one by one.
 */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '@kavka/protocol'
import type { ApiHandler } from '../handler.ts'
import type { GroupServices } from './group-services.ts'

export const deleteGroupsHandler: ApiHandler<DeleteGroupsRequest, DeleteGroupsResponse, GroupServices> = {
  apiKey: ApiKey.DeleteGroups,
  versions: [0, 2],
  async handle(request, context, { authorizer, groups }) {
    const results = [...new Set(request.groupsNames)].map(async (groupId) => {
      const allowed = authorizer.authorize(context, 'Delete', { type: 'Group', name: groupId })
      const errorCode = allowed ? (await groups.deleteGroup(groupId)).errorCode : ErrorCode.GROUP_AUTHORIZATION_FAILED
      return { groupId, errorCode }
    })
    return { kind: 'response', body: { results: await Promise.all(results) } }
  },
}
