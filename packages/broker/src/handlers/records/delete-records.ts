/** DeleteRecords 0–2: moves log starts up and answers when all live replicas have followed, or with REQUEST_TIMED_OUT (KIP-107). */
import type { TopicImage } from '@kavka/controller'
import { ApiKey, ErrorCode, isInternalTopic } from '@kavka/protocol'
import type { DeleteRecordsRequest, DeleteRecordsResponse, TopicPartition } from '@kavka/protocol'
import type { ApiHandler } from '../handler.ts'
import type { BrokerServices } from '../services.ts'
import { errorOfPartition, topicByName } from '../topic-lookup.ts'

interface Asked {
  readonly topicPartition: TopicPartition
  readonly offset: number
  readonly refusal: number
}

export const deleteRecordsHandler: ApiHandler<DeleteRecordsRequest, DeleteRecordsResponse, BrokerServices> = {
  apiKey: ApiKey.DeleteRecords,
  versions: [0, 2],
  async handle(request, context, services) {
    const asked = request.topics.flatMap(({ name, partitions }): Asked[] => {
      const found = topicByName(name, 'Delete', context, services)
      return partitions.map(({ partitionIndex, offset }) => ({
        topicPartition: { topic: name, partition: partitionIndex },
        offset,
        refusal: found.kind === 'refused' ? found.errorCode : refusalOf(found.topic, partitionIndex),
      }))
    })
    const wanted = asked.filter(({ refusal }) => refusal === ErrorCode.NONE)
    const results = await services.replicas.deleteRecords(wanted, Math.max(0, request.timeoutMs))
    let at = 0
    const answers = asked.map(({ refusal }) => (refusal === ErrorCode.NONE ? results[at++]! : { errorCode: refusal, lowWatermark: -1 }))
    let partition = 0
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...answers[partition++]! })),
    }))
    return { kind: 'response', body: { topics } }
  },
}

function refusalOf(topic: TopicImage, partition: number): number {
  if (isInternalTopic(topic.name)) return ErrorCode.INVALID_TOPIC_EXCEPTION
  return errorOfPartition(topic, partition)
}
