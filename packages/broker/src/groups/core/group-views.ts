import { ErrorCode } from '@kavka/protocol'
import type { DescribedGroup, GroupView, OffsetView } from '../group-coordinator-api.ts'
import type { GroupTable } from './group-table.ts'

/** For lists and metrics. */
export function* groupViews(table: GroupTable): Iterable<GroupView> {
  for (const group of table.classicGroups()) {
    yield {
      groupId: group.groupId,
      state: group.state.kind,
      protocolType: group.protocolType ?? '',
      generationId: group.generationId,
      memberCount: group.members.size,
      offsets: offsetViews(table, group.groupId),
    }
  }
}

/** The answer to whoever describes a group that does not exist. */
export function groupNotFound(groupId: string): DescribedGroup {
  return {
    errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
    errorMessage: `Group ${groupId} not found.`,
    groupId,
    groupState: 'Dead',
    protocolType: '',
    protocolData: '',
    members: [],
  }
}

function* offsetViews(table: GroupTable, groupId: string): Iterable<OffsetView> {
  for (const [topic, partition, committed] of table.offsets(groupId)?.entries() ?? []) {
    yield {
      topic,
      topicId: committed.topicId,
      partition,
      committedOffset: committed.offset,
      committedLeaderEpoch: committed.leaderEpoch,
      metadata: committed.metadata,
      commitTimestampMs: committed.commitTimestampMs,
    }
  }
}
