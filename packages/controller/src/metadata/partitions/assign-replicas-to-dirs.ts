/**
 * AssignReplicasToDirs (73) v0: a broker tells which of its log directories holds a replica (KIP-858). A directory that is offline
 * takes the replica out of the in-sync set, as in Kafka.
 *
 * The LOST id means more here than in Kafka: the broker found the replica's log damaged. The replica leaves the in-sync and the
 * eligible set, and somebody else leads, but only if somebody else can: a damaged log serves what is sound in it, and none would serve
 * nothing. Then the answer is ELIGIBLE_LEADERS_NOT_AVAILABLE, nothing changes, and the broker asks again. (Kafka leaves the partition
 * without a leader.)
 *
 * Races that were thought through:
 * - Two replicas find damage at the same time. Decisions come one after the other, each on the outcome of the one before: the second
 *   leaves only if a third is there that nobody complained about. Whoever complained is in neither set until it has been emptied,
 *   filled again and taken back by AlterPartition, so leadership is never handed to and fro between two damaged replicas, and the
 *   last replica that is not known to be damaged stays, whatever it finds later.
 * - An AlterPartition is under way. Decided before: its in-sync set is the one that this decision starts from. Decided after: it was
 *   made in an older leader epoch and is fenced, since every LOST starts a new one, under the same leader too.
 * - That new epoch is also what makes emptying safe. The leader judges followers by what they acknowledged in its epoch, and the
 *   damaged replica announces itself in this one only after it is empty. Without it the leader could believe an acknowledgment from
 *   before, and have the empty replica back in sync as soon as it is assigned to its directory again.
 */
import { ErrorCode } from '@kavka/protocol'
import type { AssignReplicasToDirsRequest, AssignReplicasToDirsResponse, Encodable, NodeId, Uuid } from '@kavka/protocol'
import type { Decision, DecisionContext } from '../decision.ts'
import { decided, decidedInParts } from '../decision.ts'
import { directoryOf, hasOnlineDirectory, LOST_DIRECTORY } from '../directories.ts'
import type { BrokerRegistration, PartitionRegistration } from '../image.ts'
import type { LocatedPartition } from '../partition-index.ts'
import type { MetadataRecord, PartitionChangeRecord } from '../records.ts'
import { partitionChange } from '../records.ts'
import { changedPartition } from '../topics/topics-delta.ts'
import type { PartitionDecision } from './election.ts'
import { decidePartition } from './election.ts'
import { canServe, partitionDecision } from './partition-changes.ts'

export function decideAssignReplicasToDirs(
  context: DecisionContext,
  request: AssignReplicasToDirsRequest,
): Decision<Encodable<AssignReplicasToDirsResponse>> {
  const broker = context.image.brokers.get(request.brokerId as NodeId)
  if (broker?.epoch !== request.brokerEpoch) return decided([], { errorCode: ErrorCode.STALE_BROKER_EPOCH })
  const records: MetadataRecord[] = []
  /** Partitions as this request leaves them: one may come twice, under two directories. */
  const assigned = new Map<PartitionRegistration, PartitionRegistration>()
  const directories = request.directories.map(({ id, topics }) => ({
    id,
    topics: topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partitionIndex }) => {
        return { partitionIndex, errorCode: assignOne(topicId, partitionIndex, id) }
      }),
    })),
  }))
  return decidedInParts(records, { errorCode: ErrorCode.NONE, directories })

  function assignOne(topicId: Uuid, partition: number, directory: Uuid): number {
    const topic = context.image.topics.byId.get(topicId)
    if (topic === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
    const original = topic.partitions[partition]
    if (original === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (!original.replicas.includes(broker!.id)) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    const registration = assigned.get(original) ?? original
    const change = assignmentOf(context, { topic, registration }, broker!, directory)
    if (change === 'nobody-else') return ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE
    if (change === null) return ErrorCode.NONE
    records.push(change)
    assigned.set(original, changedPartition(registration, change))
    return ErrorCode.NONE
  }
}

function assignmentOf(
  context: DecisionContext,
  located: LocatedPartition,
  broker: BrokerRegistration,
  directory: Uuid,
): PartitionChangeRecord | null | 'nobody-else' {
  const { registration } = located
  const { replicas, directories } = registration
  const decision = {
    ...partitionDecision(context, located),
    directories: directories.with(replicas.indexOf(broker.id), directory),
  }
  if (directory === LOST_DIRECTORY) return giveUp(context, decision, broker.id)
  const isr = registration.isr.filter((id) => id !== broker.id)
  if (!hasOnlineDirectory(broker, directory)) return decidePartition({ ...decision, isr })
  // What it had lay in a directory that is gone: here it begins with nothing.
  const isNew = !hasOnlineDirectory(broker, directoryOf(registration, broker.id))
  return decidePartition(isNew && registration.elr.includes(broker.id) ? distrusting(decision, broker.id) : decision)
}

/** The replica's log is damaged. */
function giveUp(
  context: DecisionContext,
  decision: PartitionDecision,
  replica: NodeId,
): PartitionChangeRecord | 'nobody-else' {
  const { topicId, partition } = decision
  const { isr, elr, leader } = partition
  const change = decidePartition({
    ...distrusting(decision, replica),
    isr: isr.filter((id) => id !== replica),
    election: 'online',
  })
  const after = change === null ? partition : changedPartition(partition, change)
  const isTrusted = isr.includes(replica) || elr.includes(replica)
  const isCleanLeader = after.leader !== null && (isr.includes(after.leader) || elr.includes(after.leader))
  if (isTrusted && !(isCleanLeader && canServe(context.image, partition, after.leader))) return 'nobody-else'
  // The same leader again: a new epoch.
  const reelected = change?.leader === undefined || change.leader === 'unchanged' ? (leader ?? 'unchanged') : change.leader
  return { ...(change ?? partitionChange(topicId, partition.partition, {})), leader: reelected }
}

function distrusting<D extends PartitionDecision>(decision: D, replica: NodeId): D {
  return { ...decision, elr: decision.elr && { ...decision.elr, distrusted: replica } }
}
