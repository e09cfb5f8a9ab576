/**
 * DescribeQuorum (55) v0–2: voters and observers of the metadata log as the leader sees them. v1+ tells when
 * each was heard of and was caught up, v2+ directory ids and the controllers' endpoints.
 */
import { ErrorCode, ZERO_UUID } from '@kavka/protocol'
import type {
  DescribeQuorumRequest,
  DescribeQuorumResponse,
  DescribeQuorumResponseNode,
  DescribeQuorumResponsePartitionData,
  DescribeQuorumResponseReplicaState,
  Encodable,
} from '@kavka/protocol'
import type { MetadataImage } from '../metadata/image.ts'
import type { QuorumState, ReplicaState } from '../quorum/driver-contract.ts'

export const METADATA_TOPIC = '__cluster_metadata'

const NODES_SINCE_VERSION = 2

export function describeQuorum(
  request: DescribeQuorumRequest,
  apiVersion: number,
  quorum: QuorumState,
  image: MetadataImage,
): Encodable<DescribeQuorumResponse> {
  return {
    errorCode: ErrorCode.NONE,
    topics: request.topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) =>
        describePartition(topicName, partitionIndex, quorum),
      ),
    })),
    // Not ignorable: older versions cannot be written with it.
    ...(apiVersion < NODES_SINCE_VERSION ? {} : { nodes: votersOf(quorum, image) }),
  }
}

function votersOf(
  { voterIds }: QuorumState,
  { controllers }: MetadataImage,
): Encodable<DescribeQuorumResponseNode>[] {
  return [...controllers.values()]
    .filter(({ id }) => voterIds.includes(id))
    .map(({ id, endpoints }) => ({
      nodeId: id,
      listeners: endpoints.map(({ listener: name, host, port }) => ({ name, host, port })),
    }))
}

function describePartition(
  topic: string,
  partitionIndex: number,
  quorum: QuorumState,
): Encodable<DescribeQuorumResponsePartitionData> {
  if (topic !== METADATA_TOPIC || partitionIndex !== 0) {
    return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
  }
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    leaderId: quorum.leaderId ?? -1,
    leaderEpoch: quorum.epoch,
    highWatermark: quorum.highWatermark,
    currentVoters: quorum.voters.map(replicaState),
    observers: quorum.observers.map(replicaState),
  }
}

/** Directory ids belong to dynamic quorums (KIP-853); with a static voter list Kafka sends zeros too. */
function replicaState({
  nodeId,
  logEndOffset,
  lastFetchMs,
  lastCaughtUpMs,
}: ReplicaState): Encodable<DescribeQuorumResponseReplicaState> {
  return {
    replicaId: nodeId,
    replicaDirectoryId: ZERO_UUID,
    logEndOffset,
    lastFetchTimestamp: lastFetchMs,
    lastCaughtUpTimestamp: lastCaughtUpMs,
  }
}
