/** Partitions to be created: assigned by hand or by placement, and the records that make them. */
import { failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type { LeaderEpoch, NodeId, PartitionEpoch, Uuid } from '@kavka/protocol'
import type { ApiError, DecisionContext } from '../decision.ts'
import { apiError } from '../decision.ts'
import { directoriesFor } from '../directories.ts'
import type { MetadataImage } from '../image.ts'
import { isActive } from '../partitions/partition-changes.ts'
import type { PlacementRequest } from '../placement.ts'
import { placeReplicas } from '../placement.ts'
import type { PartitionRecord } from '../records.ts'

export type Replicas = readonly NodeId[]

/** Replicas chosen by the placer. */
export function placed(
  context: DecisionContext,
  request: PlacementRequest,
): Result<readonly Replicas[], ApiError> {
  const { image, random } = context
  const brokers = [...image.brokers.values()].map(({ id, rack }) => ({
    id,
    rack,
    active: isActive(image, id),
  }))
  const replicas = placeReplicas(brokers, request, random)
  if (replicas.ok) return replicas
  const { replicationFactor } = request
  const message = `Unable to replicate the partition ${replicationFactor} time(s): ${replicas.error}`
  return failure(apiError(ErrorCode.INVALID_REPLICATION_FACTOR, message))
}

/** Replicas named by the client, one list a partition, the first of which has number `firstPartition`. */
export function assignedByHand(
  { image }: DecisionContext,
  assignments: readonly (readonly number[])[],
  firstPartition: number,
  replicationFactor: number,
): Result<readonly Replicas[], ApiError> {
  for (const [i, replicas] of assignments.entries()) {
    const problem = problemOfAssignment(replicas, firstPartition + i)
    if (problem !== null) return failure(apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, problem))
  }
  return success(assignments as readonly Replicas[])

  function problemOfAssignment(replicas: readonly number[], partition: number): string | null {
    const problem = problemOfReplicas(image, replicas)
    if (problem !== null) return problem
    if (replicas.length !== replicationFactor) {
      return (
        `The manual partition assignment includes a partition with ${replicas.length} replica(s), ` +
        `but this is not consistent with previous partitions, which have ${replicationFactor} replica(s).`
      )
    }
    if (replicas.some((id) => isActive(image, id as NodeId))) return null
    return (
      'All brokers specified in the manual partition assignment for ' +
      `partition ${partition} are fenced or in controlled shutdown.`
    )
  }
}

/** Why these brokers cannot be the replicas of a partition; null when they can. */
export function problemOfReplicas({ brokers }: MetadataImage, replicas: readonly number[]): string | null {
  if (replicas.length === 0) return 'The manual partition assignment includes an empty replica list.'
  if (new Set(replicas).size !== replicas.length) {
    return `The manual partition assignment includes a broker more than once: ${replicas.join(', ')}.`
  }
  const stranger = replicas.find((id) => !brokers.has(id as NodeId))
  if (stranger === undefined) return null
  return `The manual partition assignment includes broker ${stranger}, but no such broker is registered.`
}

/** A partition at its birth: active replicas are in sync, the first of them leads. */
export function newPartition(
  { image }: DecisionContext,
  topicId: Uuid,
  partition: number,
  replicas: Replicas,
): PartitionRecord {
  const isr = replicas.filter((id) => isActive(image, id))
  return {
    kind: 'partition',
    topicId,
    partition,
    replicas,
    directories: directoriesFor(image, replicas, null),
    isr,
    elr: [],
    lastKnownElr: [],
    addingReplicas: [],
    removingReplicas: [],
    leader: isr[0] ?? null,
    leaderRecovery: 'recovered',
    leaderEpoch: 0 as LeaderEpoch,
    partitionEpoch: 0 as PartitionEpoch,
  }
}
