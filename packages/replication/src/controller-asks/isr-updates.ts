/** Carries ISR proposals to the controller: one AlterPartition request at a time, with all that is asked for meanwhile. */
import type { Logger } from '@kavka/kernel'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type {
  AlterPartitionRequest,
  AlterPartitionRequestPartitionData,
  AlterPartitionResponse,
  AlterPartitionResponsePartitionData,
  NodeId,
  Uuid,
} from '@kavka/protocol'
import { ControllerAsks } from './controller-asks.ts'
import type { AskedThings, ControllerAsksDependencies, ControllerAsksOptions } from './controller-asks.ts'
import { PartitionTable } from '../core/partition-table.ts'
import type { IsrProposal, ProposalAnswer } from '../core/leader-state.ts'
import type { Partition } from '../partition/partition.ts'
import type { ReplicationCounters } from '../replication-counters.ts'

export interface IsrUpdatesDependencies extends ControllerAsksDependencies {
  readonly logger: Logger
  readonly counters: ReplicationCounters
  readonly brokerEpoch: () => number
}

interface Ask {
  readonly partition: Partition
  readonly proposal: IsrProposal
}

const ALTER_PARTITION_VERSION = 3
/** A refused joiner is not proposed again at each of its acknowledgments: the metadata needs a moment to say why. */
const REVIEW_AFTER_REFUSAL_MS = 100

export class IsrUpdates {
  readonly #localId: NodeId
  readonly #dependencies: IsrUpdatesDependencies
  readonly #asks: ControllerAsks<Ask, AlterPartitionResponse>
  /** The newest proposal of each partition; an older one is superseded by then. */
  readonly #waiting = new PartitionTable<Ask>()
  #stopped = false

  constructor(options: ControllerAsksOptions, dependencies: IsrUpdatesDependencies) {
    this.#localId = options.localId
    this.#dependencies = dependencies
    const asked: AskedThings<Ask, AlterPartitionResponse> = {
      apiKey: ApiKey.AlterPartition,
      apiVersion: ALTER_PARTITION_VERSION,
      isWaiting: () => this.#waiting.size > 0,
      take: () => this.#take(),
      bodyFor: (asks) => this.#requestFor(asks),
      answered: (asks, response) => this.#answered(asks, response),
      unanswered: (asks) => this.#putBack(asks),
    }
    this.#asks = new ControllerAsks(options, asked, dependencies)
  }

  propose(partition: Partition, proposal: IsrProposal): void {
    this.#waiting.set(partition, { partition, proposal })
    this.#asks.request()
  }

  stop(): void {
    this.#stopped = true
    this.#asks.stop()
  }

  #take(): readonly Ask[] {
    const asks = [...this.#waiting.values()].filter(isOpen)
    this.#waiting.clear()
    return asks
  }

  #requestFor(asks: readonly Ask[]): AlterPartitionRequest {
    const topics = new Map<Uuid, AlterPartitionRequestPartitionData[]>()
    for (const { partition, proposal } of asks) {
      const entry = {
        partitionIndex: partition.partition,
        leaderEpoch: proposal.leaderEpoch,
        newIsr: [],
        newIsrWithEpochs: proposal.isr.map(({ brokerId, brokerEpoch }) => ({ brokerId, brokerEpoch })),
        leaderRecoveryState: 0,
        partitionEpoch: proposal.partitionEpoch,
      }
      const entries = topics.get(partition.topicId)
      if (entries === undefined) topics.set(partition.topicId, [entry])
      else entries.push(entry)
    }
    return {
      brokerId: this.#localId,
      brokerEpoch: this.#dependencies.brokerEpoch(),
      topics: Array.from(topics, ([topicId, partitions]) => ({ topicId, partitions })),
    }
  }

  #answered(asks: readonly Ask[], response: AlterPartitionResponse): 'done' | 'again' {
    if (response.errorCode !== ErrorCode.NONE) {
      this.#dependencies.logger.warn({ errorCode: response.errorCode }, 'the controller refused ISR changes')
      this.#putBack(asks)
      return 'again'
    }
    const answers = new PartitionTable<AlterPartitionResponsePartitionData>()
    for (const { topicId, partitions } of response.topics) {
      for (const answer of partitions) answers.set({ topicId, partition: answer.partitionIndex }, answer)
    }
    const retries = asks.filter((ask) => this.#settled(ask, answers.get(ask.partition)) === 'retry')
    this.#wait(retries)
    return retries.length === 0 ? 'done' : 'again'
  }

  /** Not known to have happened; if it did, the next answer is INVALID_UPDATE_VERSION and the metadata settles it. */
  #putBack(asks: readonly Ask[]): void {
    for (const ask of asks) if (isOpen(ask)) this.#dependencies.counters.failedIsrUpdates++
    this.#wait(asks)
  }

  #wait(asks: readonly Ask[]): void {
    for (const ask of asks) {
      if (isOpen(ask) && this.#waiting.get(ask.partition) === undefined) this.#waiting.set(ask.partition, ask)
    }
  }

  #settled(ask: Ask, answer: AlterPartitionResponsePartitionData | undefined): 'done' | 'retry' {
    const { partition, proposal } = ask
    if (answer === undefined) return 'retry'
    const { counters, logger, scheduler } = this.#dependencies
    const result = partition.proposalAnswered(proposal, asAnswer(answer))
    if (answer.errorCode !== ErrorCode.NONE) {
      counters.failedIsrUpdates++
      logger.info({ partition: partition.name, errorCode: answer.errorCode }, 'ISR change refused')
    }
    switch (result) {
      case 'committed':
        if (proposal.kind === 'expand') counters.isrExpands++
        else counters.isrShrinks++
        logger.info({ partition: partition.name, isr: answer.isr }, `ISR ${proposal.kind} committed`)
        return 'done'
      case 'reverted':
        scheduler.after(REVIEW_AFTER_REFUSAL_MS, () => {
          if (!this.#stopped) partition.reviewIsr()
        })
        return 'done'
      case 'settled':
        return 'done'
      case 'retry':
        return 'retry'
    }
  }
}

function isOpen({ partition, proposal }: Ask): boolean {
  return partition.isOpenProposal(proposal)
}

function asAnswer(answer: AlterPartitionResponsePartitionData): ProposalAnswer {
  if (answer.errorCode !== ErrorCode.NONE) return { kind: 'refused', errorCode: answer.errorCode }
  return {
    kind: 'accepted',
    leaderEpoch: answer.leaderEpoch,
    partitionEpoch: answer.partitionEpoch,
    isr: answer.isr as NodeId[],
  }
}
