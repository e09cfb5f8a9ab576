/** The metadata image as clients of one listener see it: brokers, and where partitions are. */
import type { BrokerRegistration, Endpoint, MetadataImage, PartitionRegistration } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'

/** A broker as Metadata and the NodeEndpoints of KIP-951 name it. */
export interface BrokerAddress {
  readonly nodeId: NodeId
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export function endpointOn(broker: BrokerRegistration, listener: string): Endpoint | null {
  return broker.endpoints.find((endpoint) => endpoint.listener === listener) ?? null
}

/** Where clients of `listener` reach the broker; null for one that is unknown, fenced or lacks the listener. */
export function addressOf(image: MetadataImage, nodeId: NodeId, listener: string): BrokerAddress | null {
  const broker = image.brokers.get(nodeId)
  if (broker === undefined || broker.fenced) return null
  const endpoint = endpointOn(broker, listener)
  return endpoint === null ? null : { nodeId, host: endpoint.host, port: endpoint.port, rack: broker.rack }
}

/** Unfenced brokers that have the listener, by id. */
export function brokersOn(image: MetadataImage, listener: string): BrokerAddress[] {
  const addresses: BrokerAddress[] = []
  for (const nodeId of image.brokers.keys()) {
    const address = addressOf(image, nodeId, listener)
    if (address !== null) addresses.push(address)
  }
  return addresses.toSorted((one, other) => one.nodeId - other.nodeId)
}

/** Replicas that cannot be reached: their broker is fenced, gone, or lacks the listener. */
export function offlineReplicas(image: MetadataImage, partition: PartitionRegistration, listener: string): NodeId[] {
  return partition.replicas.filter((replica) => addressOf(image, replica, listener) === null)
}

/** Leader and error of a partition for clients of a listener. */
export function leaderOn(
  image: MetadataImage,
  partition: PartitionRegistration,
  listener: string,
): { readonly leaderId: number; readonly errorCode: number } {
  const broker = partition.leader === null ? undefined : image.brokers.get(partition.leader)
  if (broker === undefined || broker.fenced) return { leaderId: -1, errorCode: ErrorCode.LEADER_NOT_AVAILABLE }
  if (endpointOn(broker, listener) === null) return { leaderId: -1, errorCode: ErrorCode.LISTENER_NOT_FOUND }
  return { leaderId: broker.id, errorCode: ErrorCode.NONE }
}
