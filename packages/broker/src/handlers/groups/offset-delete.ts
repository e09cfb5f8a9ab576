/**
 * OffsetDelete 0: drops committed offsets of a group, partition by partition (KIP-496). Topics that the group
 * subscribes to are refused with GROUP_SUBSCRIBED_TO_TOPIC; a group of another protocol type than consumer
 * must be empty.
 */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { Encodable, OffsetDeleteRequest, OffsetDeleteResponse } from '@kavka/protocol'
import type { ApiHandler, RequestContext } from '../handler.ts'
import type { GroupServices } from './group-services.ts'
import { topicByName } from '../topic-lookup.ts'

type RequestTopic = OffsetDeleteRequest['topics'][number]
type ResponseTopic = Encodable<OffsetDeleteResponse['topics'][number]>

export const offsetDeleteHandler: ApiHandler<OffsetDeleteRequest, OffsetDeleteResponse, GroupServices> = {
  apiKey: ApiKey.OffsetDelete,
  versions: [0, 0],
  async handle(request, context, services) {
    if (!services.authorizer.authorize(context, 'Delete', { type: 'Group', name: request.groupId })) {
      return { kind: 'response', body: { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED } }
    }
    const sorted = request.topics.map((topic) => sortOut(topic, context, services))
    const topics = sorted.flatMap(({ accepted }) => (accepted.partitions.length === 0 ? [] : [accepted]))
    const answer = await services.groups.deleteOffsets({ groupId: request.groupId, topics })
    if (answer.errorCode !== ErrorCode.NONE) return { kind: 'response', body: { errorCode: answer.errorCode } }
    let next = 0
    const merged = sorted.map(({ accepted, refused }): ResponseTopic => {
      const deleted = accepted.partitions.length === 0 ? [] : (answer.topics[next++]?.partitions ?? [])
      return { name: accepted.name, partitions: [...deleted, ...refused] }
    })
    return { kind: 'response', body: { topics: merged } }
  },
}

interface SortedTopic {
  readonly accepted: { readonly name: string; readonly partitions: RequestTopic['partitions'] }
  readonly refused: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
}

function sortOut({ name, partitions }: RequestTopic, context: RequestContext, services: GroupServices): SortedTopic {
  const found = topicByName(name, 'Read', context, services)
  const exists = (partitionIndex: number) => found.kind === 'found' && found.topic.partitions[partitionIndex] !== undefined
  const errorCode = found.kind === 'refused' ? found.errorCode : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return {
    accepted: { name, partitions: partitions.filter(({ partitionIndex }) => exists(partitionIndex)) },
    refused: partitions.flatMap(({ partitionIndex }) => (exists(partitionIndex) ? [] : [{ partitionIndex, errorCode }])),
  }
}
