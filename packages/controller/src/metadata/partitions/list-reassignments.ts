/** ListPartitionReassignments (46) v0 (KIP-455). Partitions that are not being reassigned, or not there, are left out. */
import { ErrorCode } from '@kavka/protocol'
import type { Encodable, ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse } from '@kavka/protocol'
import type { MetadataImage, PartitionRegistration, TopicImage } from '../image.ts'
import { isReassigning } from './alter-reassignments.ts'

export function listReassignments(
  { topics }: MetadataImage,
  { topics: named }: ListPartitionReassignmentsRequest,
): Encodable<ListPartitionReassignmentsResponse> {
  const listed: { readonly topic: TopicImage; readonly partitions: readonly PartitionRegistration[] }[] = []
  if (named === null) {
    for (const topic of topics.byId.values()) listed.push({ topic, partitions: topic.partitions })
  } else {
    for (const { name, partitionIndexes } of named) {
      const topic = topics.byName.get(name)
      if (topic === undefined) continue
      const partitions = [...new Set(partitionIndexes)].map((index) => topic.partitions[index])
      listed.push({ topic, partitions: partitions.filter((one) => one !== undefined) })
    }
  }
  return { errorCode: ErrorCode.NONE, errorMessage: null, topics: listed.map(ongoing).filter(({ partitions }) => partitions.length > 0) }
}

function ongoing({ topic, partitions }: { readonly topic: TopicImage; readonly partitions: readonly PartitionRegistration[] }) {
  return {
    name: topic.name,
    partitions: partitions.filter(isReassigning).map(({ partition, replicas, addingReplicas, removingReplicas }) => {
      return { partitionIndex: partition, replicas, addingReplicas, removingReplicas }
    }),
  }
}
