/**
 * OffsetCommit 2–10: stores how far a group has come, answered when the record is replicated.
 *
 * v2–4 retention time of the request's own · v5 the broker's retention (KIP-211) · v6 leader epoch (KIP-320)
 * · v7 static members (KIP-345) · v9 GROUP_ID_NOT_FOUND for a group that is gone (KIP-848) · v10 topic ids in
 * place of names (KIP-848). Partitions fail one by one: no permission, no such topic or partition, metadata
 * too long; the rest is committed.
 */
import type { MetadataImage, TopicImage } from '@kavka/controller'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { Encodable, OffsetCommitRequest, OffsetCommitResponse } from '@kavka/protocol'
import type { CommittedTopic, OffsetCommitAnswer } from '../../groups/group-coordinator-api.ts'
import { commitRefused } from '../../groups/core/offsets-core.ts'
import type { ApiHandler, RequestContext } from '../handler.ts'
import type { GroupServices } from './group-services.ts'

const TOPIC_IDS_FROM = 10

type RequestTopic = OffsetCommitRequest['topics'][number]

export const offsetCommitHandler: ApiHandler<OffsetCommitRequest, OffsetCommitResponse, GroupServices> = {
  apiKey: ApiKey.OffsetCommit,
  versions: [2, 10],
  async handle(request, context, services) {
    const { authorizer, groups } = services
    if (!authorizer.authorize(context, 'Read', { type: 'Group', name: request.groupId })) {
      return { kind: 'response', body: commitRefused(request.topics, ErrorCode.GROUP_AUTHORIZATION_FAILED) }
    }
    const sorted = request.topics.map((topic) => sortOut(topic, context, services))
    const topics = sorted.flatMap(({ accepted }) => (accepted === null ? [] : [accepted]))
    const answer = topics.length === 0 ? { topics: [] } : await groups.commitOffsets(context, { ...request, topics })
    return { kind: 'response', body: { topics: mergeAnswers(sorted, answer) } }
  },
}

interface SortedTopic {
  readonly requested: RequestTopic
  /** What goes to the coordinator; null: nothing of the topic. */
  readonly accepted: CommittedTopic | null
  /** Code of every partition that does not. */
  readonly refused: ReadonlyMap<number, number>
}

function sortOut(requested: RequestTopic, context: RequestContext, services: GroupServices): SortedTopic {
  const topic = topicOf(requested, context.apiVersion, services.image())
  const name = topic?.name ?? requested.name
  if (topic === null && context.apiVersion >= TOPIC_IDS_FROM) return refuseAll(requested, ErrorCode.UNKNOWN_TOPIC_ID)
  if (!services.authorizer.authorize(context, 'Read', { type: 'Topic', name })) {
    return refuseAll(requested, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  }
  if (topic === null) return refuseAll(requested, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const known = requested.partitions.filter(({ partitionIndex }) => topic.partitions[partitionIndex] !== undefined)
  const refused = new Map<number, number>()
  for (const { partitionIndex } of requested.partitions) {
    if (topic.partitions[partitionIndex] === undefined) refused.set(partitionIndex, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  }
  const accepted = known.length === 0 ? null : { name: topic.name, topicId: topic.id, partitions: known }
  return { requested, accepted, refused }
}

function topicOf(requested: RequestTopic, apiVersion: number, image: MetadataImage): TopicImage | null {
  const { byId, byName } = image.topics
  return (apiVersion >= TOPIC_IDS_FROM ? byId.get(requested.topicId) : byName.get(requested.name)) ?? null
}

function refuseAll(requested: RequestTopic, errorCode: number): SortedTopic {
  const refused = new Map(requested.partitions.map(({ partitionIndex }) => [partitionIndex, errorCode]))
  return { requested, accepted: null, refused }
}

/**
 * Every partition asked for, in the order of the request; the coordinator's topics come in the order they
 * were accepted in.
 */
function mergeAnswers(sorted: readonly SortedTopic[], answer: OffsetCommitAnswer): Encodable<OffsetCommitResponse>['topics'] {
  let next = 0
  return sorted.map(({ requested, accepted, refused }) => {
    const answered = accepted === null ? [] : (answer.topics[next++]?.partitions ?? [])
    const codes = new Map(answered.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]))
    return {
      name: requested.name,
      topicId: requested.topicId,
      partitions: requested.partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: refused.get(partitionIndex) ?? codes.get(partitionIndex) ?? ErrorCode.UNKNOWN_SERVER_ERROR,
      })),
    }
  })
}
