/** What a change of brokers does to partitions: the loops over `decidePartition`. */
import type { NodeId, Uuid } from '@kavka/protocol'
import { allowsUncleanElection, minInsyncReplicas } from '../configs/effective.ts'
import type { DecisionContext } from '../decision.ts'
import { ELIGIBLE_LEADER_REPLICAS } from '../features/supported-features.ts'
import { directoryOf, hasOnlineDirectory } from '../directories.ts'
import type { MetadataImage, PartitionRegistration, TopicImage } from '../image.ts'
import type { LocatedPartition } from '../partition-index.ts'
import type { MetadataRecord, PartitionChangeRecord } from '../records.ts'
import type { ElectionKind, PartitionDecision } from './election.ts'
import { decidePartition } from './election.ts'

/** What happens to one broker in this decision, before the image says so. */
export interface BrokerTurn {
  readonly brokerId: NodeId
  /**
   * `stopped-uncleanly`: it may have lost records that it acknowledged, and is no eligible leader any more.
   */
  readonly turn: 'leaves' | 'stopped-uncleanly' | 'returns'
}

export function elrEnabled(image: MetadataImage): boolean {
  return (image.features.get(ELIGIBLE_LEADER_REPLICAS) ?? 0) >= 1
}

/** Unfenced and not shutting down: may lead and be in sync. */
export function isActive(image: MetadataImage, brokerId: NodeId): boolean {
  const broker = image.brokers.get(brokerId)
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown
}

/** Its broker is active and can use the directory that the replica lies in: may lead and be in sync. */
export function canServe(image: MetadataImage, partition: PartitionRegistration, brokerId: NodeId): boolean {
  return isActive(image, brokerId) && hasOnlineDirectory(image.brokers.get(brokerId)!, directoryOf(partition, brokerId))
}

/** The decision that every occasion starts from; the election is `unclean` where the topic allows it. */
export function partitionDecision(context: DecisionContext, located: LocatedPartition): PartitionDecision {
  return new PartitionDecisions(context).of(located)
}

/** The same for many partitions: what they share, one topic after the other, is looked up once. */
class PartitionDecisions {
  readonly #context: DecisionContext
  readonly #isActive: (replica: NodeId) => boolean
  readonly #isOnline: (replica: NodeId, directory: Uuid) => boolean
  readonly #elrEnabled: boolean
  #policy: Pick<PartitionDecision, 'topicId' | 'election' | 'elr'> | null = null

  constructor(context: DecisionContext) {
    this.#context = context
    const { image } = context
    this.#isActive = (replica) => isActive(image, replica)
    this.#isOnline = (replica, directory) => {
      const broker = image.brokers.get(replica)
      return broker !== undefined && hasOnlineDirectory(broker, directory)
    }
    this.#elrEnabled = elrEnabled(context.image)
  }

  of({ topic, registration }: LocatedPartition): PartitionDecision {
    if (this.#policy?.topicId !== topic.id) this.#policy = this.#policyOf(topic)
    const { topicId, election, elr } = this.#policy
    return { topicId, partition: registration, election, isActive: this.#isActive, isOnline: this.#isOnline, elr }
  }

  #policyOf(topic: TopicImage): Pick<PartitionDecision, 'topicId' | 'election' | 'elr'> {
    const { image, settings } = this.#context
    return {
      topicId: topic.id,
      election: allowsUncleanElection(image, settings, topic.name) ? 'unclean' : 'online',
      elr: this.#elrEnabled
        ? { minIsr: minInsyncReplicas(image, settings, topic.name), distrusted: null }
        : null,
    }
  }
}

/** Changes of the partitions given, which the broker's turn concerns. */
export function changesForBroker(
  context: DecisionContext,
  partitions: Iterable<LocatedPartition>,
  turn: BrokerTurn,
): PartitionChangeRecord[] {
  const records: PartitionChangeRecord[] = []
  const decisions = new PartitionDecisions(context)
  for (const located of partitions) {
    const change = decidePartition(withTurn(decisions.of(located), turn))
    if (change !== null) records.push(change)
  }
  return records
}

/** Elects again with another kind of election; nothing else about the partition changes by itself. */
export function electionRecords(
  context: DecisionContext,
  partitions: Iterable<LocatedPartition>,
  election: ElectionKind,
): PartitionChangeRecord[] {
  const records: PartitionChangeRecord[] = []
  const decisions = new PartitionDecisions(context)
  for (const located of partitions) {
    const change = decidePartition({ ...decisions.of(located), election })
    if (change !== null) records.push(change)
  }
  return records
}

function withTurn(decision: PartitionDecision, { brokerId, turn }: BrokerTurn): PartitionDecision {
  if (turn === 'returns') return { ...decision, isActive: (id) => id === brokerId || decision.isActive(id) }
  return {
    ...decision,
    isActive: (id) => id !== brokerId && decision.isActive(id),
    isr: decision.partition.isr.filter((id) => id !== brokerId),
    elr: decision.elr && {
      ...decision.elr,
      distrusted: turn === 'stopped-uncleanly' ? brokerId : null,
    },
  }
}

/** Unclean elections among records: what the metric of that name counts. */
export function countUncleanElections(records: readonly MetadataRecord[]): number {
  return records.filter((record) => {
    return (
      record.kind === 'partition-change' &&
      record.leaderRecovery === 'recovering' &&
      record.leader !== 'unchanged'
    )
  }).length
}
