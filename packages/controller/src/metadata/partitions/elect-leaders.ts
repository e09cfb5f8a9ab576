/**
 * ElectLeaders (43) v0–2: hand leadership to the preferred replica, or (v1+) elect uncleanly where there is
 * no leader, whatever the configs say. No list means all partitions; then those that need no election are
 * left out of the answer.
 */
import { ErrorCode } from '@kavka/protocol'
import type { ElectLeadersRequest, ElectLeadersResponse, Encodable } from '@kavka/protocol'
import type { ApiError, Decision, DecisionContext, PartOutcome } from '../decision.ts'
import { apiError, decided, decidedInParts } from '../decision.ts'
import type { LocatedPartition } from '../partition-index.ts'
import { partitionsIn } from '../partition-index.ts'
import { decidePartition } from './election.ts'
import { partitionDecision } from './partition-changes.ts'

const PREFERRED = 0
const UNCLEAN = 1
type Kind = 'preferred' | 'unclean'
type Response = Encodable<ElectLeadersResponse>

interface Outcome extends PartOutcome {
  readonly topic: string
  readonly partition: number
}

export function decideElectLeaders(
  context: DecisionContext,
  request: ElectLeadersRequest,
): Decision<Response> {
  const { electionType, topicPartitions } = request
  if (electionType !== PREFERRED && electionType !== UNCLEAN) {
    return decided([], { errorCode: ErrorCode.INVALID_REQUEST, replicaElectionResults: [] })
  }
  const kind = electionType === PREFERRED ? 'preferred' : 'unclean'
  const outcomes =
    topicPartitions === null ? electAll(context, kind) : electNamed(context, kind, topicPartitions)
  return decidedInParts(
    outcomes.flatMap(({ records }) => records),
    responseOf(outcomes),
  )
}

function electAll(context: DecisionContext, kind: Kind): Outcome[] {
  const { image } = context
  const candidates = [
    ...partitionsIn(image, kind === 'preferred' ? image.index.imbalanced : image.index.leaderless),
  ]
  return candidates.map((located) => ({
    topic: located.topic.name,
    partition: located.registration.partition,
    ...electOne(context, kind, located),
  }))
}

function electNamed(
  context: DecisionContext,
  kind: Kind,
  named: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): Outcome[] {
  return named.flatMap(({ topic: name, partitions }) => {
    const topic = context.image.topics.byName.get(name)
    return [...new Set(partitions)].map((partition): Outcome => {
      const registration = topic?.partitions[partition]
      const outcome =
        registration === undefined
          ? failed(
              apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such partition as ${name}-${partition}`),
            )
          : electOne(context, kind, { topic: topic!, registration })
      return { topic: name, partition, ...outcome }
    })
  })
}

function electOne(context: DecisionContext, kind: Kind, located: LocatedPartition): PartOutcome {
  const { leader, replicas } = located.registration
  const needed = kind === 'preferred' ? leader !== replicas[0] : leader === null
  if (!needed)
    return failed(apiError(ErrorCode.ELECTION_NOT_NEEDED, 'Leader election not needed for topic partition.'))
  const record = decidePartition({ ...partitionDecision(context, located), election: kind })
  const elected = record !== null && typeof record.leader === 'number'
  if (elected && (kind === 'unclean' || record.leader === replicas[0]))
    return { records: [record], error: apiError(ErrorCode.NONE) }
  if (kind === 'unclean')
    return failed(apiError(ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE, 'No replica is alive.'))
  return failed(apiError(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, 'The preferred leader was not available.'))
}

function responseOf(outcomes: readonly Outcome[]): Response {
  const byTopic = new Map<string, Outcome[]>()
  for (const outcome of outcomes) byTopic.set(outcome.topic, [...(byTopic.get(outcome.topic) ?? []), outcome])
  const replicaElectionResults = [...byTopic].map(([topic, results]) => ({
    topic,
    partitionResult: results.map(({ partition: partitionId, error }) => ({ partitionId, ...error })),
  }))
  return { errorCode: ErrorCode.NONE, replicaElectionResults }
}

function failed(error: ApiError): PartOutcome {
  return { records: [], error }
}
