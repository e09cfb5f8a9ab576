import { ErrorCode } from '@kavka/protocol'
import { NO_BYTES } from './classic-group.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { DescribedGroup } from '../group-coordinator-api.ts'

/**
 * Metadata, assignment and protocol are shown of a stable group only: before, they belong to no generation.
 */
export function describeClassicGroup(group: ClassicGroup): DescribedGroup {
  const stable = group.state.kind === 'Stable'
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: group.groupId,
    groupState: group.state.kind,
    protocolType: group.protocolType ?? '',
    protocolData: stable ? (group.protocolName ?? '') : '',
    members: Array.from(group.members.values(), (member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: stable ? group.metadataOf(member) : NO_BYTES,
      memberAssignment: stable ? member.assignment : NO_BYTES,
    })),
  }
}
