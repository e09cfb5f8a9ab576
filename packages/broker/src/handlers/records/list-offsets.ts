/**
 * ListOffsets 1–11.
 * Behavior: an offset by time or by a special timestamp, errors a partition; a partition named twice is INVALID_REQUEST.
 * Versions: v2 isolation; v4 leader epochs (KIP-320); v5 OFFSET_NOT_AVAILABLE, before it LEADER_NOT_AVAILABLE (KIP-207);
 * v7 -3 maximal timestamp (KIP-734); v8 -4 earliest local (KIP-405); v9 -5 latest tiered (KIP-1005); v11 -6 earliest pending upload (KIP-1023).
 */
import type { TopicImage } from '@kavka/controller'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { Encodable, ListOffsetsRequest, ListOffsetsResponse } from '@kavka/protocol'
import type { ApiHandler, RequestContext } from '../handler.ts'
import type { BrokerServices } from '../services.ts'
import { errorOfPartition, topicByName } from '../topic-lookup.ts'

type Topic = ListOffsetsRequest['topics'][number]
type Partition = Topic['partitions'][number]
type PartitionResponse = Encodable<ListOffsetsResponse['topics'][number]['partitions'][number]>

const versionMinBySpecialTimestamp: ReadonlyMap<number, number> = new Map([[-1, 1], [-2, 1], [-3, 7], [-4, 8], [-5, 9], [-6, 11]])
const OFFSET_NOT_AVAILABLE_VERSION_MIN = 5
const READ_COMMITTED = 1

export const listOffsetsHandler: ApiHandler<ListOffsetsRequest, ListOffsetsResponse, BrokerServices> = {
  apiKey: ApiKey.ListOffsets,
  versions: [1, 11],
  async handle(request, context, services) {
    const duplicates = duplicatesIn(request)
    const isolation = request.isolationLevel === READ_COMMITTED ? 'read_committed' : 'read_uncommitted'
    const lookup = new OffsetLookup(isolation, context, services)
    const topics = await Promise.all(
      request.topics.map(async (topic) => ({
        name: topic.name,
        partitions: await lookup.topic(topic, duplicates),
      })),
    )
    return { kind: 'response', body: { topics } }
  },
}

function duplicatesIn(request: ListOffsetsRequest): ReadonlySet<string> {
  const seen = new Set<string>()
  const duplicates = new Set<string>()
  for (const { name, partitions } of request.topics) {
    for (const { partitionIndex } of partitions) {
      const key = `${name}-${partitionIndex}`
      if (seen.has(key)) duplicates.add(key)
      seen.add(key)
    }
  }
  return duplicates
}

class OffsetLookup {
  readonly #isolation: 'read_committed' | 'read_uncommitted'
  readonly #context: RequestContext
  readonly #services: BrokerServices

  constructor(isolation: 'read_committed' | 'read_uncommitted', context: RequestContext, services: BrokerServices) {
    this.#isolation = isolation
    this.#context = context
    this.#services = services
  }

  topic(topic: Topic, duplicates: ReadonlySet<string>): Promise<PartitionResponse[]> {
    const found = topicByName(topic.name, 'Describe', this.#context, this.#services)
    return Promise.all(
      topic.partitions.map(async (asked) => {
        const { partitionIndex } = asked
        if (found.kind === 'refused') return { partitionIndex, errorCode: found.errorCode }
        if (duplicates.has(`${topic.name}-${partitionIndex}`)) return { partitionIndex, errorCode: ErrorCode.INVALID_REQUEST }
        return this.#partition(found.topic, asked)
      }),
    )
  }

  async #partition(topic: TopicImage, asked: Partition): Promise<PartitionResponse> {
    const { partitionIndex, timestamp, currentLeaderEpoch } = asked
    const refusal = errorOfPartition(topic, partitionIndex) || this.#errorOfTimestamp(timestamp)
    if (refusal !== ErrorCode.NONE) return { partitionIndex, errorCode: refusal }
    const topicPartition = { topic: topic.name, partition: partitionIndex }
    const query = { topicPartition, timestamp, currentLeaderEpoch, isolation: this.#isolation }
    const answer = await this.#services.replicas.listOffset(query)
    const errorCode = this.#errorForVersion(answer.errorCode)
    if (errorCode !== ErrorCode.NONE) return { partitionIndex, errorCode }
    const leaderEpoch = this.#context.apiVersion < 4 ? -1 : answer.leaderEpoch
    return { partitionIndex, timestamp: answer.timestampMs, offset: answer.offset, leaderEpoch }
  }

  #errorOfTimestamp(timestamp: number): number {
    if (timestamp >= 0) return ErrorCode.NONE
    const versionMin = versionMinBySpecialTimestamp.get(timestamp)
    const isServed = versionMin !== undefined && this.#context.apiVersion >= versionMin
    return isServed ? ErrorCode.NONE : ErrorCode.UNSUPPORTED_VERSION
  }

  #errorForVersion(errorCode: number): number {
    const isTooNew = this.#context.apiVersion < OFFSET_NOT_AVAILABLE_VERSION_MIN
    return errorCode === ErrorCode.OFFSET_NOT_AVAILABLE && isTooNew ? ErrorCode.LEADER_NOT_AVAILABLE : errorCode
  }
}
