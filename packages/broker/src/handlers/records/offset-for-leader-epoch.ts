/** OffsetForLeaderEpoch 2–4: where a leader epoch ends, so that consumers notice a truncation (KIP-320). v3 names the replica. */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse } from '@kavka/protocol'
import type { ApiHandler } from '../handler.ts'
import type { BrokerServices } from '../services.ts'
import { errorOfPartition, topicByName } from '../topic-lookup.ts'

export const offsetForLeaderEpochHandler: ApiHandler<
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
  BrokerServices
> = {
  apiKey: ApiKey.OffsetForLeaderEpoch,
  versions: [2, 4],
  handle(request, context, services) {
    const topics = request.topics.map(({ topic: name, partitions }) => {
      const found = topicByName(name, 'Describe', context, services)
      return {
        topic: name,
        partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
          if (found.kind === 'refused') return { partition, errorCode: found.errorCode }
          const errorCode = errorOfPartition(found.topic, partition)
          if (errorCode !== ErrorCode.NONE) return { partition, errorCode }
          const topicPartition = { topic: name, partition }
          const answer = services.replicas.offsetForLeaderEpoch({ topicPartition, currentLeaderEpoch, leaderEpoch })
          return { partition, ...answer }
        }),
      }
    })
    return { kind: 'response', body: { topics } }
  },
}
