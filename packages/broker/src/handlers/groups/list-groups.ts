/**
 * ListGroups 0–5: groups whose coordinator is this broker; a client asks every broker.
 *
 * v4 filter by state, state in the answer (KIP-518) · v5 filter by type, type in the answer (KIP-848); all
 * groups here are classic. Without Describe on the cluster, the groups are listed that one may describe.
 */
import { ApiKey } from '@kavka/protocol'
import type { ListGroupsRequest, ListGroupsResponse } from '@kavka/protocol'
import { CLUSTER_RESOURCE } from '../../security/authorizer.ts'
import type { ApiHandler } from '../handler.ts'
import type { GroupServices } from './group-services.ts'

export const listGroupsHandler: ApiHandler<ListGroupsRequest, ListGroupsResponse, GroupServices> = {
  apiKey: ApiKey.ListGroups,
  versions: [0, 5],
  handle(request, context, { authorizer, groups }) {
    const answer = groups.listGroups({ states: request.statesFilter, types: request.typesFilter })
    if (authorizer.authorize(context, 'Describe', CLUSTER_RESOURCE)) return { kind: 'response', body: answer }
    const visible = answer.groups.filter(({ groupId }) => {
      return authorizer.authorize(context, 'Describe', { type: 'Group', name: groupId })
    })
    return { kind: 'response', body: { errorCode: answer.errorCode, groups: visible } }
  },
}
