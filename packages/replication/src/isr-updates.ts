/** Carries ISR proposals to the controller: one AlterPartition request at a time, with all that is asked for meanwhile. */
import type { Logger, Random, Scheduler } from '@kavka/kernel'
import type { ControllerChannel } from '@kavka/controller'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type {
  AlterPartitionRequest,
  AlterPartitionRequestPartitionData,
  AlterPartitionResponse,
  AlterPartitionResponsePartitionData,
  NodeId,
  Uuid,
} from '@kavka/protocol'
import { PartitionTable } from './core/partition-table.ts'
import { RetryBackoff } from './core/retry-backoff.ts'
import type { IsrProposal, ProposalAnswer } from './core/leader-state.ts'
import { OnceATurn } from './once-a-turn.ts'
import type { Partition } from './partition.ts'
import type { ReplicationCounters } from './replication-counters.ts'

export interface IsrUpdatesOptions {
  readonly localId: NodeId
  readonly requestTimeoutMs: number
}

export interface IsrUpdatesDependencies {
  readonly controller: ControllerChannel
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  readonly counters: ReplicationCounters
  readonly brokerEpoch: () => number
}

interface Ask {
  readonly partition: Partition
  readonly proposal: IsrProposal
}

const ALTER_PARTITION_VERSION = 3
const RETRY_MS = { delayMsMin: 25, delayMsMax: 1000 }
/** A refused joiner is not proposed again at each of its acknowledgments: the metadata needs a moment to say why. */
const REVIEW_AFTER_REFUSAL_MS = 100

export class IsrUpdates {
  readonly #options: IsrUpdatesOptions
  readonly #dependencies: IsrUpdatesDependencies
  readonly #backoff: RetryBackoff
  readonly #flush: OnceATurn
  /** The newest proposal of each partition; an older one is superseded by then. */
  readonly #waiting = new PartitionTable<Ask>()
  #inFlight = false
  #stopped = false

  constructor(options: IsrUpdatesOptions, dependencies: IsrUpdatesDependencies) {
    this.#options = options
    this.#dependencies = dependencies
    this.#backoff = new RetryBackoff(RETRY_MS, dependencies)
    this.#flush = new OnceATurn(() => this.#send(), dependencies)
  }

  propose(partition: Partition, proposal: IsrProposal): void {
    this.#waiting.set(partition, { partition, proposal })
    if (!this.#inFlight) this.#flush.request()
  }

  stop(): void {
    this.#stopped = true
    this.#flush.stop()
  }

  #send(): void {
    const asks = [...this.#waiting.values()].filter(isOpen)
    this.#waiting.clear()
    if (asks.length === 0 || this.#inFlight || this.#stopped) return
    this.#inFlight = true
    const request = {
      apiKey: ApiKey.AlterPartition,
      apiVersion: ALTER_PARTITION_VERSION,
      body: this.#requestFor(asks),
      principal: 'User:ANONYMOUS',
      clientId: '',
      clientHost: '',
      listener: '',
    }
    void this.#dependencies.controller.request(request, this.#options.requestTimeoutMs).then(
      (reply) => {
        if (reply.kind === 'answered') this.#answered(asks, reply.body as AlterPartitionResponse)
        else this.#retry(asks)
      },
      () => this.#retry(asks),
    )
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
      brokerId: this.#options.localId,
      brokerEpoch: this.#dependencies.brokerEpoch(),
      topics: Array.from(topics, ([topicId, partitions]) => ({ topicId, partitions })),
    }
  }

  #answered(asks: readonly Ask[], response: AlterPartitionResponse): void {
    if (this.#stopped) return
    if (response.errorCode !== ErrorCode.NONE) {
      this.#dependencies.logger.warn({ errorCode: response.errorCode }, 'the controller refused ISR changes')
      this.#retry(asks)
      return
    }
    const answers = new PartitionTable<AlterPartitionResponsePartitionData>()
    for (const { topicId, partitions } of response.topics) {
      for (const answer of partitions) answers.set({ topicId, partition: answer.partitionIndex }, answer)
    }
    this.#settle(asks.filter((ask) => this.#settled(ask, answers.get(ask.partition)) === 'retry'))
  }

  /** Not known to have happened; if it did, the next answer is INVALID_UPDATE_VERSION and the metadata settles it. */
  #retry(asks: readonly Ask[]): void {
    for (const ask of asks) if (isOpen(ask)) this.#dependencies.counters.failedIsrUpdates++
    this.#settle(asks)
  }

  #settle(retries: readonly Ask[]): void {
    for (const ask of retries) {
      if (isOpen(ask) && this.#waiting.get(ask.partition) === undefined) this.#waiting.set(ask.partition, ask)
    }
    if (retries.length === 0) {
      this.#backoff.reset()
      this.#proceed()
    } else {
      this.#dependencies.scheduler.after(this.#backoff.nextDelayMs(), () => this.#proceed())
    }
  }

  #proceed(): void {
    this.#inFlight = false
    if (this.#waiting.size > 0) this.#flush.request()
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
