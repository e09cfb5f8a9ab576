/** CreatePartitions (37) v0–3: `count` is the number that the topic is to have; it can only grow. */
import { failure } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type {
  CreatePartitionsRequest,
  CreatePartitionsRequestCreatePartitionsTopic,
  CreatePartitionsResponse,
  Encodable,
} from '@kavka/protocol'
import type { ApiError, Decision, DecisionContext, PartOutcome } from '../decision.ts'
import { apiError, decided, repeatedAmong, withoutRecords } from '../decision.ts'
import type { TopicImage } from '../image.ts'
import { PARTITIONS_PER_REQUEST_MAX } from './limits.ts'
import type { Replicas } from './replica-assignment.ts'
import { assignedByHand, newPartition, placed } from './replica-assignment.ts'

export function decideCreatePartitions(
  context: DecisionContext,
  request: CreatePartitionsRequest,
): Decision<Encodable<CreatePartitionsResponse>> {
  const repeated = repeatedAmong(request.topics.map(({ name }) => name))
  let budget = PARTITIONS_PER_REQUEST_MAX
  const outcomes = request.topics.map((wanted): PartOutcome => {
    if (repeated.has(wanted.name)) return failed(apiError(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.'))
    const outcome = addPartitions(context, wanted, budget)
    budget -= outcome.records.length
    return outcome
  })
  const results = request.topics.map(({ name }, i) => ({ name, ...outcomes[i]!.error }))
  const decision = decided(
    outcomes.flatMap((outcome) => outcome.records),
    { results },
  )
  return request.validateOnly ? withoutRecords(decision) : decision
}

function addPartitions(
  context: DecisionContext,
  wanted: CreatePartitionsRequestCreatePartitionsTopic,
  budget: number,
): PartOutcome {
  const topic = context.image.topics.byName.get(wanted.name)
  if (topic === undefined)
    return failed(
      apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.'),
    )
  const existing = topic.partitions.length
  const countError = checkCount(existing, wanted, budget)
  if (countError !== null) return failed(countError)
  const assignment = assignmentOf(context, topic, wanted)
  if (!assignment.ok) return failed(assignment.error)
  const records = assignment.value.map((replicas, i) =>
    newPartition(context, topic.id, existing + i, replicas),
  )
  return { records, error: apiError(ErrorCode.NONE) }
}

function checkCount(
  existing: number,
  { name, count }: CreatePartitionsRequestCreatePartitionsTopic,
  budget: number,
): ApiError | null {
  if (count === existing)
    return apiError(ErrorCode.INVALID_PARTITIONS, `Topic already has ${existing} partition(s).`)
  if (count < existing) {
    const message = `The topic ${name} currently has ${existing} partition(s); ${count} would not be an increase.`
    return apiError(ErrorCode.INVALID_PARTITIONS, message)
  }
  if (count - existing <= budget) return null
  return apiError(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
}

function assignmentOf(
  context: DecisionContext,
  topic: TopicImage,
  { count, assignments }: CreatePartitionsRequestCreatePartitionsTopic,
): Result<readonly Replicas[], ApiError> {
  const existing = topic.partitions.length
  const partitionCount = count - existing
  const replicationFactor = topic.partitions[0]!.replicas.length
  if (assignments === null) return placed(context, { partitionCount, replicationFactor })
  if (assignments.length !== partitionCount) {
    const message = `Attempted to add ${partitionCount} additional partition(s), but only ${assignments.length} assignment(s) were specified.`
    return failure(apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message))
  }
  return assignedByHand(
    context,
    assignments.map(({ brokerIds }) => brokerIds),
    existing,
    replicationFactor,
  )
}

function failed(error: ApiError): PartOutcome {
  return { records: [], error }
}
