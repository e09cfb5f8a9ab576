/**
 * OffsetFetch 1–10: what groups have committed. A group or partition without a commit is answered -1, never
 * an error.
 *
 * v1–7 one group · v2 null topics for everything, an error of the group as a whole · v5 leader epoch
 * (KIP-320) · v7 requireStable: partitions with an open transaction answer UNSTABLE_OFFSET_COMMIT (KIP-447) ·
 * v8 several groups (KIP-709) · v9 member id and epoch, which only groups of the consumer protocol would
 * check (KIP-848) · v10 topic ids in place of names.
 */
import type { MetadataImage } from '@kavka/controller'
import { ApiKey, ErrorCode, ZERO_UUID } from '@kavka/protocol'
import type { Encodable, OffsetFetchRequest, OffsetFetchResponse } from '@kavka/protocol'
import type { OffsetFetchAnswer } from '../../groups/group-coordinator-api.ts'
import type { ApiHandler, RequestContext } from '../handler.ts'
import type { GroupServices } from './group-services.ts'

const GROUP_ERROR_FROM = 2
const SEVERAL_GROUPS_FROM = 8
const TOPIC_IDS_FROM = 10

type RequestGroup = OffsetFetchRequest['groups'][number]
type RequestTopic = NonNullable<RequestGroup['topics']>[number]
type ResponseGroup = Encodable<OffsetFetchResponse['groups'][number]>
type ResponseTopic = Encodable<OffsetFetchResponse['groups'][number]['topics'][number]>

export const offsetFetchHandler: ApiHandler<OffsetFetchRequest, OffsetFetchResponse, GroupServices> = {
  apiKey: ApiKey.OffsetFetch,
  versions: [1, 10],
  async handle(request, context, services) {
    if (context.apiVersion >= SEVERAL_GROUPS_FROM) {
      const groups = request.groups.map((group) => fetchGroup(group, request.requireStable, context, services))
      return { kind: 'response', body: { groups: await Promise.all(groups) } }
    }
    const group = singleGroupOf(request)
    const answered = await fetchGroup(group, request.requireStable, context, services)
    return { kind: 'response', body: singleResponse(group, answered, context.apiVersion) }
  },
}

async function fetchGroup(
  group: RequestGroup,
  requireStable: boolean,
  context: RequestContext,
  services: GroupServices,
): Promise<ResponseGroup> {
  const { groupId } = group
  if (!services.authorizer.authorize(context, 'Describe', { type: 'Group', name: groupId })) {
    return { groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, topics: [] }
  }
  const stability = requireStable ? 'stable-only' : 'last-committed'
  if (group.topics === null) {
    const answer = await services.groups.fetchOffsets({ groupId, topics: null, stability })
    return { groupId, errorCode: answer.errorCode, topics: visibleTopics(answer, context, services) }
  }
  const resolved = group.topics.map((topic) => resolve(topic, context, services))
  const topics = resolved.flatMap(({ asked }) => (asked === null ? [] : [asked]))
  const answer = await services.groups.fetchOffsets({ groupId, topics, stability })
  if (answer.errorCode !== ErrorCode.NONE) return { groupId, errorCode: answer.errorCode, topics: [] }
  let next = 0
  return {
    groupId,
    errorCode: ErrorCode.NONE,
    topics: resolved.map(({ asked, refused }) => (asked === null ? refused : answer.topics[next++]!)),
  }
}

interface ResolvedTopic {
  readonly asked: { readonly name: string; readonly topicId: RequestTopic['topicId']; readonly partitionIndexes: readonly number[] } | null
  readonly refused: ResponseTopic
}

function resolve(topic: RequestTopic, context: RequestContext, services: GroupServices): ResolvedTopic {
  const byId = context.apiVersion >= TOPIC_IDS_FROM
  const name = byId ? services.image().topics.byId.get(topic.topicId)?.name : topic.name
  if (name === undefined) return { asked: null, refused: refusedTopic(topic, ErrorCode.UNKNOWN_TOPIC_ID) }
  if (!services.authorizer.authorize(context, 'Describe', { type: 'Topic', name })) {
    return { asked: null, refused: refusedTopic(topic, ErrorCode.TOPIC_AUTHORIZATION_FAILED) }
  }
  const topicId = byId ? topic.topicId : ZERO_UUID
  return { asked: { name, topicId, partitionIndexes: topic.partitionIndexes }, refused: {} }
}

function refusedTopic(topic: RequestTopic, errorCode: number): ResponseTopic {
  return {
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode,
    })),
  }
}

/** Of everything, what the client may see; by id only topics that exist. */
function visibleTopics(answer: OffsetFetchAnswer, context: RequestContext, services: GroupServices): ResponseTopic[] {
  const { authorizer } = services
  const visible = answer.topics.filter(({ name }) => authorizer.authorize(context, 'Describe', { type: 'Topic', name }))
  if (context.apiVersion < TOPIC_IDS_FROM) return visible
  return visible.flatMap((topic) => withId(topic, services.image()))
}

function withId(topic: ResponseTopic & { readonly name: string }, image: MetadataImage): ResponseTopic[] {
  const topicId = image.topics.byName.get(topic.name)?.id
  return topicId === undefined ? [] : [{ ...topic, topicId }]
}

/** Versions of one group put it beside, not into, the list. */
function singleGroupOf({ groupId, topics }: OffsetFetchRequest): RequestGroup {
  return {
    groupId,
    memberId: null,
    memberEpoch: -1,
    topics: topics === null ? null : topics.map((topic) => ({ ...topic, topicId: ZERO_UUID })),
  }
}

/** v1 has no place for an error of the group: each partition carries it. */
function singleResponse(group: RequestGroup, answered: ResponseGroup, apiVersion: number): Encodable<OffsetFetchResponse> {
  const errorCode = answered.errorCode ?? ErrorCode.NONE
  if (errorCode === ErrorCode.NONE || apiVersion >= GROUP_ERROR_FROM) return { errorCode, topics: answered.topics }
  return { topics: (group.topics ?? []).map((topic) => refusedTopic(topic, errorCode)) }
}
