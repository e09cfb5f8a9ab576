/** DescribeLogDirs 1–5: sizes of the replicas of this broker by directory; null topics mean all. v4 space of the disk (KIP-827), v5 cordoned. */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { DescribeLogDirsRequest, DescribeLogDirsResponse, Encodable } from '@kavka/protocol'
import { CLUSTER_RESOURCE } from '../../security/authorizer.ts'
import type { ApiHandler } from '../handler.ts'
import type { BrokerServices, LogDirectoryView } from '../services.ts'

type Directory = Encodable<DescribeLogDirsResponse['results'][number]>
type Wanted = (topic: string, partition: number) => boolean

export const describeLogDirsHandler: ApiHandler<DescribeLogDirsRequest, DescribeLogDirsResponse, BrokerServices> = {
  apiKey: ApiKey.DescribeLogDirs,
  versions: [1, 5],
  handle(request, context, services) {
    if (!services.authorizer.authorize(context, 'Describe', CLUSTER_RESOURCE)) {
      return { kind: 'response', body: { errorCode: context.apiVersion >= 3 ? ErrorCode.CLUSTER_AUTHORIZATION_FAILED : 0 } }
    }
    const isWanted = wanted(request)
    return { kind: 'response', body: { results: services.logDirectories.list().map((directory) => describe(directory, isWanted)) } }
  },
}

function wanted({ topics }: DescribeLogDirsRequest): Wanted {
  if (topics === null) return () => true
  const asked = new Map(topics.map(({ topic, partitions }) => [topic, new Set(partitions)]))
  return (topic, partition) => asked.get(topic)?.has(partition) ?? false
}

function describe(directory: LogDirectoryView, isWanted: Wanted): Directory {
  if (directory.state === 'offline') return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, logDir: directory.path }
  const byTopic = new Map<string, NonNullable<NonNullable<Directory['topics']>[number]['partitions']>[number][]>()
  for (const { topicPartition, sizeBytes, offsetLag } of directory.replicas) {
    const { topic, partition } = topicPartition
    if (!isWanted(topic, partition)) continue
    const partitions = byTopic.get(topic) ?? []
    byTopic.set(topic, [...partitions, { partitionIndex: partition, partitionSize: sizeBytes, offsetLag, isFutureKey: false }])
  }
  const topics = [...byTopic].map(([name, partitions]) => ({ name, partitions }))
  return { logDir: directory.path, topics, totalBytes: directory.totalBytes, usableBytes: directory.usableBytes }
}
