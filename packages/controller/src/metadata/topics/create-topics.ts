/**
 * CreateTopics (19) v2–7. Topics succeed and fail one by one; a name that occurs twice fails in each place.
 *
 * - -1 partitions or replicas: this cluster's defaults (v4+ of the client side; earlier versions send their
 *   own numbers).
 * - A manual assignment excludes both numbers, covers 0…n-1, and has the same number of replicas everywhere.
 * - v5+ answers with what the topic will be: id (v7+), partitions, replicas and all configs.
 */
import { failure, success, validateTopicConfig } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import { ErrorCode, isReservedUuid, uuidFromBytes, topicNameProblem, unifiedTopicName } from '@kavka/protocol'
import type {
  CreateTopicsRequest,
  CreateTopicsRequestCreatableTopic,
  CreateTopicsResponse,
  CreateTopicsResponseCreatableTopicResult,
  Encodable,
  Uuid,
} from '@kavka/protocol'
import { topicConfigValues } from '../configs/topic-config-values.ts'
import type { ApiError, Decision, DecisionContext } from '../decision.ts'
import { apiError, decided, repeatedAmong, withoutRecords } from '../decision.ts'
import type { MetadataRecord } from '../records.ts'
import { PARTITIONS_PER_REQUEST_MAX } from './limits.ts'
import type { Replicas } from './replica-assignment.ts'
import { assignedByHand, newPartition, placed } from './replica-assignment.ts'

type TopicResult = Encodable<CreateTopicsResponseCreatableTopicResult>

const TOPIC = 2
const DEFAULT = -1

interface CreatedTopic {
  readonly records: readonly MetadataRecord[]
  readonly result: TopicResult
}

export function decideCreateTopics(
  context: DecisionContext,
  request: CreateTopicsRequest,
): Decision<Encodable<CreateTopicsResponse>> {
  const repeated = repeatedAmong(request.topics.map(({ name }) => name))
  /** Names that earlier topics of this request took, by collision key. */
  const taken = new Map<string, string>()
  const outcomes = request.topics.map((topic): CreatedTopic => {
    const created = repeated.has(topic.name)
      ? failure(apiError(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.'))
      : createTopic(context, topic, taken)
    return created.ok ? created.value : { records: [], result: { name: topic.name, ...created.error } }
  })
  const records = outcomes.flatMap((outcome) => outcome.records)
  if (records.length > PARTITIONS_PER_REQUEST_MAX) return tooMany(request)
  const decision = decided(records, { topics: outcomes.map(({ result }) => result) })
  return request.validateOnly ? withoutRecords(decision) : decision
}

function tooMany(request: CreateTopicsRequest): Decision<Encodable<CreateTopicsResponse>> {
  const error = apiError(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
  return decided([], { topics: request.topics.map(({ name }) => ({ name, ...error })) })
}

function createTopic(
  context: DecisionContext,
  topic: CreateTopicsRequestCreatableTopic,
  taken: Map<string, string>,
): Result<CreatedTopic, ApiError> {
  const nameError = checkName(context, topic.name, taken)
  if (nameError !== null) return failure(nameError)
  const configs = topicConfigs(topic)
  if (!configs.ok) return configs
  const assignment =
    topic.assignments.length > 0 ? manualAssignment(context, topic) : automaticAssignment(context, topic)
  if (!assignment.ok) return assignment
  taken.set(unifiedTopicName(topic.name), topic.name)
  return success(createdTopic(context, topic.name, configs.value, assignment.value))
}

function createdTopic(
  context: DecisionContext,
  name: string,
  configs: ReadonlyMap<string, string>,
  assignment: readonly Replicas[],
): CreatedTopic {
  const topicId = newTopicId(context)
  return {
    records: [
      { kind: 'topic', topicId, name },
      ...assignment.map((replicas, partition) => newPartition(context, topicId, partition, replicas)),
      ...[...configs].map(
        ([key, value]) =>
          ({ kind: 'config', resourceType: TOPIC, resourceName: name, name: key, value }) as const,
      ),
    ],
    result: {
      name,
      topicId,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      numPartitions: assignment.length,
      replicationFactor: assignment[0]!.length,
      configs: topicConfigValues(context, configs),
    },
  }
}

/**
 * Random, so that no id ever names two topics; a leading dash would look like an option to command line
 * tools.
 */
function newTopicId({ image, random }: DecisionContext): Uuid {
  for (;;) {
    const id = uuidFromBytes(Buffer.from(random.bytes(16)))
    if (!isReservedUuid(id) && !id.startsWith('-') && !image.topics.byId.has(id)) return id
  }
}

function checkName({ image }: DecisionContext, name: string, taken: Map<string, string>): ApiError | null {
  const problem = topicNameProblem(name)
  if (problem !== null) return apiError(ErrorCode.INVALID_TOPIC_EXCEPTION, problem)
  if (image.topics.byName.has(name))
    return apiError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
  const key = unifiedTopicName(name)
  const other = image.index.namesByCollisionKey.get(key) ?? taken.get(key)
  if (other === undefined) return null
  return apiError(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${name}' collides with existing topic: ${other}`)
}

function topicConfigs({ configs }: CreateTopicsRequestCreatableTopic): Result<Map<string, string>, ApiError> {
  const values = new Map<string, string>()
  const nulls = configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (nulls.length > 0)
    return failure(
      apiError(ErrorCode.INVALID_CONFIG, `Null value not supported for topic configs: ${nulls.join(',')}`),
    )
  for (const { name, value } of configs) {
    const problem = validateTopicConfig(name, value!)
    if (problem !== null) return failure(apiError(ErrorCode.INVALID_CONFIG, problem))
    values.set(name, value!)
  }
  return success(values)
}

function automaticAssignment(
  context: DecisionContext,
  { numPartitions, replicationFactor }: CreateTopicsRequestCreatableTopic,
): Result<readonly Replicas[], ApiError> {
  const { defaultReplicationFactor, numPartitions: defaultPartitions } = context.settings.config
  if (replicationFactor < DEFAULT || replicationFactor === 0) {
    const message = 'Replication factor must be larger than 0, or -1 to use the default value.'
    return failure(apiError(ErrorCode.INVALID_REPLICATION_FACTOR, message))
  }
  if (numPartitions < DEFAULT || numPartitions === 0) {
    const message = 'Number of partitions was set to an invalid non-positive value.'
    return failure(apiError(ErrorCode.INVALID_PARTITIONS, message))
  }
  const partitionCount = numPartitions === DEFAULT ? defaultPartitions : numPartitions
  if (partitionCount > PARTITIONS_PER_REQUEST_MAX) {
    return failure(
      apiError(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.'),
    )
  }
  return placed(context, {
    partitionCount,
    replicationFactor: replicationFactor === DEFAULT ? defaultReplicationFactor : replicationFactor,
  })
}

function manualAssignment(
  context: DecisionContext,
  { numPartitions, replicationFactor, assignments }: CreateTopicsRequestCreatableTopic,
): Result<readonly Replicas[], ApiError> {
  const notBoth = (what: string): Result<never, ApiError> => {
    const message = `A manual partition assignment was specified, but ${what} was not set to -1.`
    return failure(apiError(ErrorCode.INVALID_REQUEST, message))
  }
  if (replicationFactor !== DEFAULT) return notBoth('replication factor')
  if (numPartitions !== DEFAULT) return notBoth('numPartitions')
  const byPartition = new Map(assignments.map(({ partitionIndex, brokerIds }) => [partitionIndex, brokerIds]))
  const invalid = (message: string): Result<never, ApiError> =>
    failure(apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message))
  if (byPartition.size !== assignments.length)
    return invalid('Found multiple manual partition assignments for a partition.')
  const replicas = assignments.map((_, partition) => byPartition.get(partition))
  if (!replicas.every((one) => one !== undefined))
    return invalid('Partitions should be a consecutive 0-based integer sequence.')
  return assignedByHand(context, replicas, 0, replicas[0]!.length)
}
