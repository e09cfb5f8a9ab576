import { CONSUMER_PROTOCOL_TYPE } from './subscribed-topics.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { CommittedOffset, GroupOffsets } from './committed-offsets.ts'

/**
 * Since when an offset's retention counts (KIP-211): an empty group's since it became empty; a stable
 * consumer group's, for topics it no longer subscribes to, and a simple group's since the commit. Null:
 * nothing of the group expires now.
 */
function retentionStart(group: ClassicGroup, committed: CommittedOffset): number | null {
  if (group.protocolType === null) return committed.commitTimestampMs
  if (group.state.kind === 'Empty') return group.stateTimestampMs ?? committed.commitTimestampMs
  const known = group.protocolType === CONSUMER_PROTOCOL_TYPE && group.subscribedTopics !== null
  return known && group.state.kind === 'Stable' ? committed.commitTimestampMs : null
}

/**
 * Partitions whose offset is to be dropped; never one of an open transaction or with a newer commit under
 * way.
 */
export function expiredOffsets(
  group: ClassicGroup,
  offsets: GroupOffsets,
  wallMs: number,
  retentionMs: number,
): (readonly [topic: string, partition: number])[] {
  const expired: (readonly [string, number])[] = []
  for (const [topic, partition, committed] of offsets.entries()) {
    if (group.state.kind !== 'Empty' && group.isSubscribedTo(topic)) continue
    if (offsets.hasPendingTransaction(topic, partition) || offsets.isUnderWay(topic, partition)) continue
    if (isExpired(group, committed, wallMs, retentionMs)) expired.push([topic, partition])
  }
  return expired
}

function isExpired(group: ClassicGroup, committed: CommittedOffset, wallMs: number, retentionMs: number): boolean {
  const start = retentionStart(group, committed)
  if (start === null) return false
  // A retention time that the client asked for (v2–4) overrides the broker's.
  if (committed.expireTimestampMs >= 0) return wallMs >= committed.expireTimestampMs
  return wallMs - start >= retentionMs
}
