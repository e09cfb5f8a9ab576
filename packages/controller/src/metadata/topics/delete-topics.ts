/**
 * DeleteTopics (20) v1–6: by name (v1–5), by name or id (v6+). The topic's partitions and configs go with it.
 */
import { ErrorCode, ZERO_UUID } from '@kavka/protocol'
import type {
  DeleteTopicsRequest,
  DeleteTopicsResponse,
  DeleteTopicsResponseDeletableTopicResult,
  Encodable,
  Uuid,
} from '@kavka/protocol'
import type { ApiError, Decision, DecisionContext } from '../decision.ts'
import { apiError, decided, repeatedAmong } from '../decision.ts'
import type { TopicImage } from '../image.ts'

const VERSION_WITH_STATES = 6
const VERSION_WITH_DISABLED_ERROR = 3

interface Wanted {
  readonly name: string | null
  readonly topicId: Uuid
}

export function decideDeleteTopics(
  context: DecisionContext,
  request: DeleteTopicsRequest,
  version: number,
): Decision<Encodable<DeleteTopicsResponse>> {
  const wanted =
    version >= VERSION_WITH_STATES
      ? request.topics
      : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
  if (!context.settings.config.deleteTopicEnable) return disabled(wanted, version)
  const found = wanted.map((one) => find(context, one))
  const repeated = repeatedAmong(found.filter((topic) => isTopic(topic)).map(({ id }) => id))
  const doomed = new Set<Uuid>()
  const responses = wanted.map((one, i): Encodable<DeleteTopicsResponseDeletableTopicResult> => {
    const topic = found[i]!
    if (!isTopic(topic)) return { ...one, ...topic }
    if (repeated.has(topic.id))
      return { ...one, ...apiError(ErrorCode.INVALID_REQUEST, 'The same topic was supplied more than once.') }
    doomed.add(topic.id)
    return { name: topic.name, topicId: topic.id, ...apiError(ErrorCode.NONE) }
  })
  return decided(
    [...doomed].map((topicId) => ({ kind: 'remove-topic', topicId })),
    { responses },
  )
}

function disabled(wanted: readonly Wanted[], version: number): Decision<Encodable<DeleteTopicsResponse>> {
  const known = version >= VERSION_WITH_DISABLED_ERROR
  const error = apiError(
    known ? ErrorCode.TOPIC_DELETION_DISABLED : ErrorCode.INVALID_REQUEST,
    'Topic deletion is disabled.',
  )
  return decided([], { responses: wanted.map((one) => ({ ...one, ...error })) })
}

function find({ image }: DecisionContext, { name, topicId }: Wanted): TopicImage | ApiError {
  if (name !== null && topicId !== ZERO_UUID) {
    return apiError(ErrorCode.INVALID_REQUEST, 'You may not specify both topic name and topic id.')
  }
  if (name === null && topicId === ZERO_UUID) {
    return apiError(ErrorCode.INVALID_REQUEST, 'Neither topic name nor id were specified.')
  }
  if (name === null)
    return (
      image.topics.byId.get(topicId) ??
      apiError(ErrorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.')
    )
  const missing = apiError(
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    'This server does not host this topic-partition.',
  )
  return image.topics.byName.get(name) ?? missing
}

function isTopic(found: TopicImage | ApiError): found is TopicImage {
  return 'partitions' in found
}
