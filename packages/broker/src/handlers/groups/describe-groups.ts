/**
 * DescribeGroups 0–6: state, protocol and members of groups.
 *
 * v3 authorized operations on request (KIP-430) · v4 instance ids (KIP-345) · v6 GROUP_ID_NOT_FOUND with a
 * message for a group that does not exist (KIP-1043); before, such a group is described as Dead, without an
 * error.
 */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { DescribeGroupsRequest, DescribeGroupsResponse, Encodable } from '@kavka/protocol'
import type { DescribedGroup } from '../../groups/group-coordinator-api.ts'
import type { AclOperation } from '../../security/authorizer.ts'
import { authorizedOperations } from '../authorized-operations.ts'
import type { ApiHandler, RequestContext } from '../handler.ts'
import type { GroupServices } from './group-services.ts'

const NOT_FOUND_FROM = 6
const GROUP_OPERATIONS: readonly AclOperation[] = ['Read', 'Describe', 'Delete', 'DescribeConfigs', 'AlterConfigs']

type ResponseGroup = Encodable<DescribeGroupsResponse['groups'][number]>

export const describeGroupsHandler: ApiHandler<DescribeGroupsRequest, DescribeGroupsResponse, GroupServices> = {
  apiKey: ApiKey.DescribeGroups,
  versions: [0, 6],
  async handle(request, context, services) {
    const withOperations = request.includeAuthorizedOperations
    const groups = request.groups.map(async (groupId) => {
      const described = await describe(groupId, context, services)
      if (!withOperations || described.errorCode !== ErrorCode.NONE) return described
      const resource = { type: 'Group', name: groupId } as const
      const operations = authorizedOperations(services.authorizer, context, resource, GROUP_OPERATIONS)
      return { ...described, authorizedOperations: operations }
    })
    return { kind: 'response', body: { groups: await Promise.all(groups) } }
  },
}

async function describe(groupId: string, context: RequestContext, services: GroupServices): Promise<ResponseGroup> {
  if (!services.authorizer.authorize(context, 'Describe', { type: 'Group', name: groupId })) {
    return { groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }
  }
  return forVersion(await services.groups.describeGroup(groupId), context.apiVersion)
}

function forVersion(group: DescribedGroup, apiVersion: number): ResponseGroup {
  if (apiVersion >= NOT_FOUND_FROM) return group
  const errorCode = group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND ? ErrorCode.NONE : group.errorCode
  return { ...group, errorCode, errorMessage: null }
}
