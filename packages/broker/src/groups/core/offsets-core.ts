import { ErrorCode, ZERO_UUID } from '@kavka/protocol'
import { coordinatorErrorOf } from '../../coordinators/append-errors.ts'
import type { AppendPayload, CoordinatorRecord, Correlation, EffectOutbox, Now } from '../../coordinators/coordinator-core.ts'
import type { CommittedOffset, GroupOffsets } from './committed-offsets.ts'
import type {
  CommittedTopic,
  FetchedOffset,
  OffsetCommitAnswer,
  OffsetDeleteAnswer,
  OffsetDeleteInput,
  OffsetFetchAnswer,
  OffsetFetchInput,
} from '../group-coordinator-api.ts'
import type { StoredOffset } from './group-records.ts'
import { offsetRecord, offsetTombstone } from './group-records.ts'
import type { GroupTable } from './group-table.ts'

/** An offset that passed the checks, on its way into the log. */
export interface OffsetWrite {
  readonly topic: string
  readonly partition: number
  readonly stored: StoredOffset
}

interface CommitTimes {
  readonly commitTimestampMs: number
  readonly expireTimestampMs: number
}

/** What a commit writes and what it answers once that is in the log. */
export interface CommitPlan {
  readonly writes: readonly OffsetWrite[]
  readonly answer: OffsetCommitAnswer
}

/**
 * Sorts out metadata that is too long (in characters, as Kafka counts); everything else of the request is
 * written.
 */
export function planCommit(
  topics: readonly CommittedTopic[],
  metadataLengthMax: number,
  times: CommitTimes,
): CommitPlan {
  const writes: OffsetWrite[] = []
  const answered = topics.map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map((partition) => {
      const { partitionIndex } = partition
      const isTooLong = (partition.committedMetadata?.length ?? 0) > metadataLengthMax
      if (isTooLong) return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE }
      writes.push(writeOf(topic, partition, times))
      return { partitionIndex, errorCode: ErrorCode.NONE }
    }),
  }))
  return { writes, answer: { topics: answered } }
}

function writeOf({ name, topicId }: CommittedTopic, partition: CommittedTopic['partitions'][number], times: CommitTimes): OffsetWrite {
  return {
    topic: name,
    partition: partition.partitionIndex,
    stored: {
      offset: partition.committedOffset,
      leaderEpoch: partition.committedLeaderEpoch,
      metadata: partition.committedMetadata ?? '',
      topicId,
      ...times,
    },
  }
}

/** The same error for every partition of a commit. */
export function commitRefused(topics: readonly CommittedTopic[], errorCode: number): OffsetCommitAnswer {
  return {
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }
}

/**
 * Where a commit's offsets go when their records are committed: into the group at once, or pending until a
 * marker.
 */
export type CommitTarget =
  | { readonly kind: 'plain' }
  | { readonly kind: 'transactional'; readonly producerId: number; readonly producerEpoch: number }

export interface Commit {
  readonly groupId: string
  readonly correlation: Correlation<OffsetCommitAnswer>
  readonly plan: CommitPlan
  readonly target: CommitTarget
}

/**
 * Writes a commit. The table is asked again when the records are committed: the state must become what a
 * replay of the log would make of it, and that includes a simple group that did not exist before.
 */
export function appendCommit(outbox: EffectOutbox, commit: Commit, table: GroupTable): void {
  const { groupId, correlation, plan } = commit
  if (plan.writes.length === 0) {
    outbox.reply(correlation, plan.answer)
    return
  }
  const underWay = table.offsetsToWrite(groupId)
  for (const { topic, partition } of plan.writes) underWay.startCommit(topic, partition)
  function arrived(): void {
    for (const { topic, partition } of plan.writes) underWay.endCommit(topic, partition)
    table.forgetUnusedOffsets(groupId)
  }
  outbox.append({
    payload: payloadOf(commit),
    committed: (_now, firstOffset) => {
      applyCommit(table, commit, firstOffset)
      arrived()
      outbox.reply(correlation, plan.answer)
    },
    failed: (errorCode) => {
      arrived()
      outbox.reply(correlation, refusedPlan(plan, coordinatorErrorOf(errorCode)))
    },
    timedOut: () => {
      outbox.reply(correlation, refusedPlan(plan, ErrorCode.COORDINATOR_NOT_AVAILABLE))
    },
  })
}

function payloadOf({ groupId, plan, target }: Commit): AppendPayload {
  const records = plan.writes.map(({ topic, partition, stored }) => offsetRecord(groupId, topic, partition, stored))
  if (target.kind === 'plain') return { kind: 'records', records }
  return { kind: 'transactional', producerId: target.producerId, producerEpoch: target.producerEpoch, records }
}

function applyCommit(table: GroupTable, { groupId, plan, target }: Commit, firstOffset: number): void {
  plan.writes.forEach(({ topic, partition, stored }, index) => {
    const committed: CommittedOffset = { ...stored, recordOffset: firstOffset + index }
    if (target.kind === 'plain') table.putOffset(groupId, topic, partition, committed)
    else table.putPendingOffset(target.producerId, { groupId, topic, partition }, committed)
  })
}

/** Partitions that had an error of their own keep it. */
function refusedPlan(plan: CommitPlan, errorCode: number): OffsetCommitAnswer {
  return {
    topics: plan.answer.topics.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map((partition) =>
        partition.errorCode === ErrorCode.NONE ? { ...partition, errorCode } : partition,
      ),
    })),
  }
}

/**
 * What a group has committed; null offsets stand for a group that does not exist, which is no error (KIP-98
 * clients rely on it).
 */
export function fetchOffsets(offsets: GroupOffsets | null, request: OffsetFetchInput): OffsetFetchAnswer {
  const { stability } = request
  if (request.topics === null) return { errorCode: ErrorCode.NONE, topics: offsets === null ? [] : allOffsets(offsets, stability) }
  return {
    errorCode: ErrorCode.NONE,
    topics: request.topics.map(({ name, topicId, partitionIndexes }) => ({
      name,
      topicId,
      partitions: partitionIndexes.map((partitionIndex) =>
        fetchedOffset(offsets, name, partitionIndex, topicId, stability),
      ),
    })),
  }
}

function allOffsets(offsets: GroupOffsets, stability: OffsetFetchInput['stability']): OffsetFetchAnswer['topics'] {
  return Array.from(offsets.topics(), ([name, partitions]) => ({
    name,
    topicId: ZERO_UUID,
    partitions: Array.from(partitions.keys(), (partition) => fetchedOffset(offsets, name, partition, ZERO_UUID, stability)),
  }))
}

function fetchedOffset(
  offsets: GroupOffsets | null,
  topic: string,
  partitionIndex: number,
  topicId: string,
  stability: OffsetFetchInput['stability'],
): FetchedOffset {
  const unstable = stability === 'stable-only' && offsets !== null && offsets.hasPendingTransaction(topic, partitionIndex)
  if (unstable) return { ...nothingCommitted(partitionIndex), errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT }
  const committed = offsets?.get(topic, partitionIndex) ?? null
  if (committed === null || isOtherTopic(committed.topicId, topicId)) return nothingCommitted(partitionIndex)
  return {
    partitionIndex,
    committedOffset: committed.offset,
    committedLeaderEpoch: committed.leaderEpoch,
    metadata: committed.metadata,
    errorCode: ErrorCode.NONE,
  }
}

/** Both know their topic's id and they differ: the topic was deleted and made again under its name. */
function isOtherTopic(committedId: string, requestedId: string): boolean {
  return committedId !== ZERO_UUID && requestedId !== ZERO_UUID && committedId !== requestedId
}

function nothingCommitted(partitionIndex: number): FetchedOffset {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: ErrorCode.NONE }
}

export interface DeletePlan {
  readonly deleted: readonly (readonly [topic: string, partition: number])[]
  readonly answer: OffsetDeleteAnswer
}

/** Offsets of subscribed topics stay; deleting what is not there is no error. */
export function planOffsetDelete(
  request: OffsetDeleteInput,
  offsets: GroupOffsets,
  isSubscribedTo: (topic: string) => boolean,
): DeletePlan {
  const deleted: (readonly [string, number])[] = []
  const topics = request.topics.map(({ name, partitions }) => {
    const errorCode = isSubscribedTo(name) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE
    for (const { partitionIndex } of partitions) {
      if (errorCode === ErrorCode.NONE && isKnown(offsets, name, partitionIndex)) deleted.push([name, partitionIndex])
    }
    return { name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
  })
  return { deleted, answer: { errorCode: ErrorCode.NONE, topics } }
}

function isKnown(offsets: GroupOffsets, topic: string, partition: number): boolean {
  return (
    offsets.get(topic, partition) !== null ||
    offsets.hasPendingTransaction(topic, partition) ||
    offsets.isUnderWay(topic, partition)
  )
}

export function tombstonesOf(
  groupId: string,
  partitions: Iterable<readonly [topic: string, partition: number]>,
): CoordinatorRecord[] {
  return Array.from(partitions, ([topic, partition]) => offsetTombstone(groupId, topic, partition))
}

/**
 * Wall time at which a commit that asked for a retention of its own expires; -1: the broker's retention
 * counts.
 */
export function expireTimestampOf(retentionTimeMs: number, now: Now): number {
  return retentionTimeMs < 0 ? -1 : now.wallMs + retentionTimeMs
}
