/**
 * AlterPartitionReassignments (45) v0–1 (KIP-455): gives partitions other replicas, or calls that off. The new replicas are added to the
 * old ones; when all of them are in sync, those that are not wanted go (`election.ts`). A second reassignment takes the place of one
 * that is under way: it starts from the replicas before that one, and who was to be added and is not wanted any more goes at once.
 */
import { failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsRequestReassignablePartition,
  AlterPartitionReassignmentsResponse,
  Encodable,
  NodeId,
} from '@kavka/protocol'
import type { ApiError, Decision, DecisionContext, PartOutcome } from '../decision.ts'
import { apiError, decidedInParts } from '../decision.ts'
import { directoriesFor } from '../directories.ts'
import type { PartitionRegistration } from '../image.ts'
import type { LocatedPartition } from '../partition-index.ts'
import type { MetadataRecord } from '../records.ts'
import { allowsUncleanElection } from '../configs/effective.ts'
import { problemOfReplicas } from '../topics/replica-assignment.ts'
import type { Assignment } from './election.ts'
import { decidePartition } from './election.ts'
import { partitionDecision } from './partition-changes.ts'

type Wanted = AlterPartitionReassignmentsRequestReassignablePartition

export function decideAlterReassignments(
  context: DecisionContext,
  { topics, allowReplicationFactorChange }: AlterPartitionReassignmentsRequest,
): Decision<Encodable<AlterPartitionReassignmentsResponse>> {
  const records: MetadataRecord[] = []
  const altered = new Set<string>()
  const responses = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((wanted) => {
      const { records: own, error } = alterOne(name, wanted)
      records.push(...own)
      return { partitionIndex: wanted.partitionIndex, ...error }
    }),
  }))
  return decidedInParts(records, {
    allowReplicationFactorChange,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    responses,
  })

  function alterOne(name: string, wanted: Wanted): PartOutcome {
    const topic = context.image.topics.byName.get(name)
    if (topic === undefined) return failed(unknown(`Unable to find a topic named ${name}.`))
    const registration = topic.partitions[wanted.partitionIndex]
    if (registration === undefined) return failed(unknown(`Unable to find partition ${name}:${wanted.partitionIndex}.`))
    const key = `${topic.id}:${registration.partition}`
    if (altered.has(key)) return failed(apiError(ErrorCode.INVALID_REQUEST, 'The partition is in the request twice.'))
    altered.add(key)
    return reassign(context, { topic, registration }, wanted, allowReplicationFactorChange ? 'any' : 'kept')
  }
}

export function isReassigning({ addingReplicas, removingReplicas }: PartitionRegistration): boolean {
  return addingReplicas.length + removingReplicas.length > 0
}

function reassign(
  context: DecisionContext,
  located: LocatedPartition,
  { replicas }: Wanted,
  replicationFactor: 'any' | 'kept',
): PartOutcome {
  const { topic, registration } = located
  const assignment =
    replicas === null
      ? cancellationOf(registration)
      : assignmentOf(context, registration, replicas as readonly NodeId[], replicationFactor)
  if (!assignment.ok) return failed(assignment.error)
  const holders = holdersOf(registration)
  const losesAll = holders.length > 0 && !holders.some((id) => assignment.value.replicas.includes(id))
  if (losesAll && !allowsUncleanElection(context.image, context.settings, topic.name)) {
    const where = `${topic.name}:${registration.partition}`
    const message = `Unable to revert partition assignment for ${where} because it would require an unclean leader election.`
    return failed(apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message))
  }
  const record = decidePartition({
    ...partitionDecision(context, located),
    assignment: assignment.value,
    directories: directoriesFor(context.image, assignment.value.replicas, registration),
  })
  return { records: record === null ? [] : [record], error: apiError(ErrorCode.NONE) }
}

/** Who has everything that is committed: in sync, or, when nobody is, eligible, or at last the best guess there is (KIP-966). */
function holdersOf({ isr, elr, lastKnownElr }: PartitionRegistration): readonly NodeId[] {
  if (isr.length > 0) return isr
  return elr.length > 0 ? elr : lastKnownElr
}

/** As before the reassignment. */
function cancellationOf(registration: PartitionRegistration): Result<Assignment, ApiError> {
  if (!isReassigning(registration)) {
    return failure(apiError(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, 'No partition reassignment is in progress.'))
  }
  return success({ replicas: originalReplicas(registration), adding: [], removing: [] })
}

function assignmentOf(
  { image }: DecisionContext,
  registration: PartitionRegistration,
  wanted: readonly NodeId[],
  replicationFactor: 'any' | 'kept',
): Result<Assignment, ApiError> {
  const problem = problemOfReplicas(image, wanted)
  if (problem !== null) return failure(apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, problem))
  const { replicas, removingReplicas } = registration
  const factor = replicas.filter((id) => !removingReplicas.includes(id)).length
  if (replicationFactor === 'kept' && wanted.length !== factor) {
    const message = `The replication factor is changed from ${factor} to ${wanted.length}`
    return failure(apiError(ErrorCode.INVALID_REPLICATION_FACTOR, message))
  }
  const original = originalReplicas(registration)
  const removing = original.filter((id) => !wanted.includes(id))
  return success({
    replicas: [...wanted, ...removing],
    adding: wanted.filter((id) => !original.includes(id)),
    removing,
  })
}

function originalReplicas({ replicas, addingReplicas }: PartitionRegistration): readonly NodeId[] {
  return replicas.filter((id) => !addingReplicas.includes(id))
}

function unknown(message: string): ApiError {
  return apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message)
}

function failed(error: ApiError): PartOutcome {
  return { records: [], error }
}
