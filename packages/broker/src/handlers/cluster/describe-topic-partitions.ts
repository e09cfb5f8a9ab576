/**
 * DescribeTopicPartitions 0 (KIP-966): topics in name order, at most `max.request.partition.size.limit` partitions an answer;
 * the cursor says where the next request goes on.
 */
import type { MetadataImage, PartitionRegistration, TopicImage } from '@kavka/controller'
import { ApiKey, ErrorCode, isInternalTopic, isTopicName } from '@kavka/protocol'
import type { DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, Encodable } from '@kavka/protocol'
import { authorizedOperations, TOPIC_OPERATIONS } from '../authorized-operations.ts'
import { leaderOn, offlineReplicas } from '../cluster-view.ts'
import type { ApiHandler, RequestContext } from '../handler.ts'
import type { BrokerServices } from '../services.ts'

type Topic = Encodable<DescribeTopicPartitionsResponse['topics'][number]>
type Cursor = DescribeTopicPartitionsRequest['cursor']

interface Page {
  readonly topics: Topic[]
  partitionsLeft: number
  nextCursor: Cursor
}

export const describeTopicPartitionsHandler: ApiHandler<
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
  BrokerServices
> = {
  apiKey: ApiKey.DescribeTopicPartitions,
  versions: [0, 0],
  handle(request, context, services) {
    const { cursor } = request
    if (cursor !== null && cursor.partitionIndex < 0) return { kind: 'close', reason: 'negative partition in a cursor' }
    const limit = services.config.maxRequestPartitionSizeLimit
    const partitionsLeft = Math.max(1, Math.min(request.responsePartitionLimit, limit))
    const page: Page = { topics: [], partitionsLeft, nextCursor: null }
    for (const name of topicNames(request, context, services)) {
      if (page.nextCursor !== null) break
      addTopic(page, name, cursor?.topicName === name ? cursor.partitionIndex : 0, context, services)
    }
    return { kind: 'response', body: { topics: page.topics, nextCursor: page.nextCursor } }
  },
}

function topicNames(
  { topics, cursor }: DescribeTopicPartitionsRequest,
  context: RequestContext,
  services: BrokerServices,
): string[] {
  const asked = topics.length > 0 ? topics.map(({ name }) => name) : [...services.image().topics.byName.keys()]
  const isWanted = (name: string): boolean => cursor === null || name >= cursor.topicName
  const isShown = (name: string): boolean => topics.length > 0 || mayDescribe(name, context, services)
  return [...new Set(asked)].filter((name) => isWanted(name) && isShown(name)).toSorted()
}

function mayDescribe(name: string, context: RequestContext, { authorizer }: BrokerServices): boolean {
  return authorizer.authorize(context, 'Describe', { type: 'Topic', name })
}

function addTopic(page: Page, name: string, from: number, context: RequestContext, services: BrokerServices): void {
  const image = services.image()
  const topic = image.topics.byName.get(name)
  if (!mayDescribe(name, context, services)) {
    page.topics.push({ name, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED })
    return
  }
  if (topic === undefined) {
    const errorCode = isTopicName(name) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION
    page.topics.push({ name, errorCode, isInternal: isInternalTopic(name) })
    return
  }
  if (page.partitionsLeft === 0) {
    page.nextCursor = { topicName: name, partitionIndex: from }
    return
  }
  page.topics.push(describe(page, topic, from, image, context, services))
}

function describe(
  page: Page,
  topic: TopicImage,
  from: number,
  image: MetadataImage,
  context: RequestContext,
  { authorizer }: BrokerServices,
): Topic {
  const shown = topic.partitions.slice(from, from + page.partitionsLeft)
  page.partitionsLeft -= shown.length
  const next = from + shown.length
  if (next < topic.partitions.length) page.nextCursor = { topicName: topic.name, partitionIndex: next }
  const resource = { type: 'Topic', name: topic.name } as const
  return {
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: shown.map((partition) => describePartition(partition, image, context.listener)),
    topicAuthorizedOperations: authorizedOperations(authorizer, context, resource, TOPIC_OPERATIONS),
  }
}

function describePartition(
  partition: PartitionRegistration,
  image: MetadataImage,
  listener: string,
): Encodable<DescribeTopicPartitionsResponse['topics'][number]['partitions'][number]> {
  const { leaderId, errorCode } = leaderOn(image, partition, listener)
  return {
    errorCode,
    partitionIndex: partition.partition,
    leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.isr,
    eligibleLeaderReplicas: partition.elr,
    lastKnownElr: partition.lastKnownElr,
    offlineReplicas: offlineReplicas(image, partition, listener),
  }
}
