import { ErrorCode } from '@kavka/protocol'
import type { TopicPartition, Uuid } from '@kavka/protocol'
import type { CurrentLeader } from '../api.ts'
import type { LeaderState } from '../core/leader-state.ts'
import type { Partition } from '../partition/partition.ts'

/** Replicas of this broker by name, and what the metadata knows of those that are not. */
export interface PartitionDirectory {
  find(topicPartition: TopicPartition): Partition | null
  /** Leader as of the metadata; null for an unknown topic or partition. */
  leaderOf(topicPartition: TopicPartition): CurrentLeader | null
}

export interface LookupError {
  readonly kind: 'error'
  readonly errorCode: number
  readonly currentLeader: CurrentLeader | null
}

export type HostedLookup = LookupError | { readonly kind: 'found'; readonly partition: Partition }
export type LeaderLookup =
  | LookupError
  | { readonly kind: 'found'; readonly partition: Partition; readonly state: LeaderState }

/** The replica here, online. A topic that exists elsewhere is NOT_LEADER_OR_FOLLOWER, as Kafka answers. */
export function findHosted(directory: PartitionDirectory, topicPartition: TopicPartition): HostedLookup {
  const partition = directory.find(topicPartition)
  if (partition === null) {
    const leader = directory.leaderOf(topicPartition)
    if (leader === null) return lookupError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null)
    return lookupError(ErrorCode.NOT_LEADER_OR_FOLLOWER, leader)
  }
  if (partition.current.kind === 'offline') return lookupError(partition.current.errorCode, null)
  return { kind: 'found', partition }
}

/** The replica here if it leads. */
export function findLed(directory: PartitionDirectory, topicPartition: TopicPartition): LeaderLookup {
  const hosted = findHosted(directory, topicPartition)
  if (hosted.kind === 'error') return hosted
  const state = hosted.partition.leaderState
  if (state === null) return lookupError(ErrorCode.NOT_LEADER_OR_FOLLOWER, hosted.partition.currentLeader)
  return { kind: 'found', partition: hosted.partition, state }
}

/** A client's idea of the leader epoch against ours; -1 is not checked (KIP-320). */
export function checkLeaderEpoch(partition: Partition, currentLeaderEpoch: number): LookupError | null {
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === partition.leaderEpoch) return null
  if (currentLeaderEpoch < partition.leaderEpoch) {
    return lookupError(ErrorCode.FENCED_LEADER_EPOCH, partition.currentLeader)
  }
  return lookupError(ErrorCode.UNKNOWN_LEADER_EPOCH, null)
}

/** Does a request's topic id name another topic of the same name? Null ids are not checked. */
export function hasOtherTopicId(partition: Partition, topicId: Uuid | null): boolean {
  return topicId !== null && topicId !== partition.topicId
}

export function lookupError(errorCode: number, currentLeader: CurrentLeader | null): LookupError {
  return { kind: 'error', errorCode, currentLeader }
}
