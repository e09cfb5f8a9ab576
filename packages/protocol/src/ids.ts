import { assert } from '@kavka/kernel'
import type { Brand } from '@kavka/kernel'

/**
 * Position of a record in a partition, dense from the log start; exclusive where it ends something (log end
 * offset, high watermark).
 */
export type Offset = Brand<number, 'Offset'>
/** Counts the leaders of a partition; fences the old ones (KIP-101, KIP-320). */
export type LeaderEpoch = Brand<number, 'LeaderEpoch'>
/** Counts the changes of a partition's registration (leader, in-sync replicas, reassignment). */
export type PartitionEpoch = Brand<number, 'PartitionEpoch'>
/** `node.id`: brokers and controllers share one number space; 0 is legal. */
export type NodeId = Brand<number, 'NodeId'>
/** Given at registration: the metadata offset of the registration record, so that it grows with each. */
export type BrokerEpoch = Brand<number, 'BrokerEpoch'>
export type ProducerId = Brand<number, 'ProducerId'>
export type ProducerEpoch = Brand<number, 'ProducerEpoch'>
/** 16 bytes as 22 characters of unpadded base64url, the way Kafka prints topic ids. */
export type Uuid = Brand<string, 'Uuid'>

export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA' as Uuid

export const NO_LEADER_EPOCH = -1 as LeaderEpoch
export const NO_PRODUCER_ID = -1 as ProducerId
export const NO_PRODUCER_EPOCH = -1 as ProducerEpoch

/** Brands an offset; -1 and other negative markers of the wire are not offsets. */
export function offset(value: number): Offset {
  assert(Number.isSafeInteger(value) && value >= 0, 'not an offset', { value })
  return value as Offset
}

/** Brands a leader epoch. */
export function leaderEpoch(value: number): LeaderEpoch {
  assert(Number.isInteger(value) && value >= 0 && value < 2 ** 31, 'not a leader epoch', { value })
  return value as LeaderEpoch
}

/** Brands a node id. */
export function nodeId(value: number): NodeId {
  assert(Number.isInteger(value) && value >= 0 && value < 2 ** 31, 'not a node id', { value })
  return value as NodeId
}

/** A partition by the name of its topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/**
 * The form used in directory names, logs and as a map key: `orders-0`. Unambiguous because the partition
 * follows the last dash.
 */
export function topicPartitionName(topicPartition: TopicPartition): string {
  return `${topicPartition.topic}-${topicPartition.partition}`
}
