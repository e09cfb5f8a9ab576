/**
 * AlterPartition (56) v2–3: a leader proposes a new in-sync set. v3 names the epoch of each member, so that a
 * broker that has registered anew since it caught up is not taken for the one that did (KIP-903). Checks come
 * in Kafka's order: the leader acts on the code.
 */
import { ErrorCode } from '@kavka/protocol'
import type {
  AlterPartitionRequest,
  AlterPartitionRequestPartitionData,
  AlterPartitionResponse,
  AlterPartitionResponsePartitionData,
  Encodable,
  NodeId,
} from '@kavka/protocol'
import type { Decision, DecisionContext } from '../decision.ts'
import { decided, decidedInParts } from '../decision.ts'
import type { PartitionRegistration, TopicImage } from '../image.ts'
import type { LocatedPartition } from '../partition-index.ts'
import type { MetadataRecord } from '../records.ts'
import { changedPartition } from '../topics/topics-delta.ts'
import { decidePartition } from './election.ts'
import { canServe, partitionDecision } from './partition-changes.ts'

type PartitionResult = Encodable<AlterPartitionResponsePartitionData>

const VERSION_WITH_EPOCHS = 3
const RECOVERING = 1
const EPOCH_UNKNOWN = -1

interface ProposedMember {
  readonly brokerId: NodeId
  readonly brokerEpoch: number
}

interface Proposal {
  readonly leaderId: NodeId
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly members: readonly ProposedMember[]
  readonly leaderRecovery: 'recovered' | 'recovering'
}

export function decideAlterPartition(
  context: DecisionContext,
  request: AlterPartitionRequest,
  version: number,
): Decision<Encodable<AlterPartitionResponse>> {
  const sender = context.image.brokers.get(request.brokerId as NodeId)
  if (sender?.epoch !== request.brokerEpoch) return decided([], { errorCode: ErrorCode.STALE_BROKER_EPOCH })
  const records: MetadataRecord[] = []
  const topics = request.topics.map(({ topicId, partitions }) => {
    const topic = context.image.topics.byId.get(topicId)
    const altered = new Set<number>()
    return { topicId, partitions: partitions.map((data) => alterOne(topic, data, altered)) }
  })
  return decidedInParts(records, { errorCode: ErrorCode.NONE, topics })

  function alterOne(
    topic: TopicImage | undefined,
    data: AlterPartitionRequestPartitionData,
    altered: Set<number>,
  ): PartitionResult {
    const { partitionIndex } = data
    const proposal = proposalOf(request.brokerId as NodeId, data, version)
    const registration = topic?.partitions[partitionIndex]
    const refusal = topic === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : check(context, registration, proposal)
    if (refusal !== ErrorCode.NONE) return { partitionIndex, errorCode: refusal }
    // The second proposal for a partition in one request was made without knowing the first.
    if (altered.has(partitionIndex)) return { partitionIndex, errorCode: ErrorCode.INVALID_UPDATE_VERSION }
    altered.add(partitionIndex)
    return accept({ topic: topic!, registration: registration! }, proposal)
  }

  function accept(located: LocatedPartition, proposal: Proposal): PartitionResult {
    const { registration } = located
    const record = decidePartition({
      ...partitionDecision(context, located),
      isr: proposal.members.map(({ brokerId }) => brokerId),
      leaderRecovery: proposal.leaderRecovery,
    })
    if (record === null) return resultOf(registration)
    records.push(record)
    const after = changedPartition(registration, record)
    if (after.leader === registration.leader) return resultOf(after)
    // It completed a reassignment that the leader is no part of (KIP-455): the one answer with an error that changes something.
    return { partitionIndex: registration.partition, errorCode: ErrorCode.NEW_LEADER_ELECTED }
  }
}

function proposalOf(leaderId: NodeId, data: AlterPartitionRequestPartitionData, version: number): Proposal {
  const members =
    version >= VERSION_WITH_EPOCHS
      ? data.newIsrWithEpochs.map(({ brokerId, brokerEpoch }) => ({
          brokerId: brokerId as NodeId,
          brokerEpoch,
        }))
      : data.newIsr.map((brokerId) => ({ brokerId: brokerId as NodeId, brokerEpoch: EPOCH_UNKNOWN }))
  return {
    leaderId,
    members,
    leaderEpoch: data.leaderEpoch,
    partitionEpoch: data.partitionEpoch,
    leaderRecovery: data.leaderRecoveryState === RECOVERING ? 'recovering' : 'recovered',
  }
}

function check(
  context: DecisionContext,
  partition: PartitionRegistration | undefined,
  proposal: Proposal,
): number {
  if (partition === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const { leaderEpoch, partitionEpoch } = partition
  // The leader has seen more than this controller: a deposed one that does not know it yet.
  if (proposal.leaderEpoch > leaderEpoch || proposal.partitionEpoch > partitionEpoch)
    return ErrorCode.NOT_CONTROLLER
  if (proposal.leaderEpoch < leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
  if (proposal.leaderId !== partition.leader) return ErrorCode.INVALID_REQUEST
  if (proposal.partitionEpoch < partitionEpoch) return ErrorCode.INVALID_UPDATE_VERSION
  if (!isWellFormed(partition, proposal)) return ErrorCode.INVALID_REQUEST
  return proposal.members.every((member) => isEligible(context, partition, member))
    ? ErrorCode.NONE
    : ErrorCode.INELIGIBLE_REPLICA
}

function isWellFormed(
  { replicas, leader, leaderRecovery }: PartitionRegistration,
  proposal: Proposal,
): boolean {
  const ids = proposal.members.map(({ brokerId }) => brokerId)
  if (ids.length === 0 || new Set(ids).size !== ids.length) return false
  if (!ids.every((id) => replicas.includes(id)) || !ids.includes(leader!)) return false
  if (proposal.leaderRecovery === 'recovered') return true
  return leaderRecovery === 'recovering' && ids.length === 1
}

/**
 * A replica whose directory is lost or offline is refused too: its broker has told that the log is damaged, and what the leader
 * heard of it was heard before it was emptied.
 */
function isEligible(
  { image }: DecisionContext,
  partition: PartitionRegistration,
  { brokerId, brokerEpoch }: ProposedMember,
): boolean {
  if (!canServe(image, partition, brokerId)) return false
  return brokerEpoch === EPOCH_UNKNOWN || image.brokers.get(brokerId)!.epoch === brokerEpoch
}

function resultOf(partition: PartitionRegistration): PartitionResult {
  return {
    partitionIndex: partition.partition,
    errorCode: ErrorCode.NONE,
    leaderId: partition.leader ?? -1,
    leaderEpoch: partition.leaderEpoch,
    isr: partition.isr,
    leaderRecoveryState: partition.leaderRecovery === 'recovering' ? RECOVERING : 0,
    partitionEpoch: partition.partitionEpoch,
  }
}
