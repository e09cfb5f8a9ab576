/** DescribeProducers 0: the producers that a partition's leader remembers (KIP-664). */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { DescribeProducersRequest, DescribeProducersResponse, Encodable } from '@kavka/protocol'
import type { ProducerStateView } from '@kavka/storage'
import type { ApiHandler } from '../handler.ts'
import type { BrokerServices } from '../services.ts'
import { errorOfPartition, topicByName } from '../topic-lookup.ts'

type PartitionResponse = Encodable<DescribeProducersResponse['topics'][number]['partitions'][number]>

export const describeProducersHandler: ApiHandler<DescribeProducersRequest, DescribeProducersResponse, BrokerServices> = {
  apiKey: ApiKey.DescribeProducers,
  versions: [0, 0],
  handle(request, context, services) {
    const topics = request.topics.map(({ name, partitionIndexes }) => {
      const found = topicByName(name, 'Read', context, services)
      return {
        name,
        partitions: partitionIndexes.map((partitionIndex): PartitionResponse => {
          if (found.kind === 'refused') return { partitionIndex, errorCode: found.errorCode }
          const errorCode = errorOfPartition(found.topic, partitionIndex)
          if (errorCode !== ErrorCode.NONE) return { partitionIndex, errorCode }
          const view = services.replicas.partition({ topic: name, partition: partitionIndex })
          if (view?.role !== 'leader') return { partitionIndex, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }
          return { partitionIndex, activeProducers: view.log.activeProducers.map(describe) }
        }),
      }
    })
    return { kind: 'response', body: { topics } }
  },
}

function describe(producer: ProducerStateView): NonNullable<PartitionResponse['activeProducers']>[number] {
  const { producerId, producerEpoch, lastSequence, lastTimestampMs, coordinatorEpoch } = producer
  const currentTxnStartOffset = producer.currentTransactionStartOffset
  return { producerId, producerEpoch, lastSequence, lastTimestamp: lastTimestampMs, coordinatorEpoch, currentTxnStartOffset }
}
