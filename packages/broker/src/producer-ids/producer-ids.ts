import { failure, success } from '@kavka/kernel'
import type { Logger, Result, Scheduler } from '@kavka/kernel'
import { nodeRequest } from '@kavka/controller'
import type { ControllerChannel } from '@kavka/controller'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { AllocateProducerIdsRequest, AllocateProducerIdsResponse, BrokerEpoch, NodeId } from '@kavka/protocol'

/** Ids of idempotent producers, unique in the cluster for ever. */
export interface ProducerIds {
  /** The error is COORDINATOR_LOAD_IN_PROGRESS while no block can be had: clients come back. */
  next(): Promise<Result<number, number>>
}

export interface ProducerIdManagerOptions {
  readonly nodeId: NodeId
}

export interface ProducerIdManagerDependencies {
  readonly channel: ControllerChannel
  readonly scheduler: Scheduler
  readonly logger: Logger
  /** Of the current registration; the controller refuses an older one. */
  brokerEpoch(): BrokerEpoch
}

/** The next block is asked for when this much of the current one is used, so that nobody waits for it. */
const PREFETCH_AT = 0.9
const REQUEST_TIMEOUT_MS = 30_000
const RETRY_PAUSE_MS = 50
/** How long a producer is kept waiting when the blocks have run out. */
const WAIT_MS_MAX = 1_000
/** Producers that wait for a block at a time. */
const WAITING_MAX = 10_000

/**
 * Gives out ids from a block of 1000 that the controller reserved for this broker (AllocateProducerIds,
 * KIP-730). A block that a crash cuts short is lost; no id is given twice.
 */
export class ProducerIdManager implements ProducerIds {
  readonly #options: ProducerIdManagerOptions
  readonly #dependencies: ProducerIdManagerDependencies
  #current: IdBlock = { next: 0, end: 0, size: 0 }
  #prefetched: IdBlock | null = null
  #fetching = false
  readonly #waiting = new Set<() => void>()

  constructor(options: ProducerIdManagerOptions, dependencies: ProducerIdManagerDependencies) {
    this.#options = options
    this.#dependencies = dependencies
  }

  async next(): Promise<Result<number, number>> {
    const id = this.#take()
    if (id !== null) return success(id)
    if (this.#waiting.size >= WAITING_MAX) return failure(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    await this.#blockOrTimeout()
    const late = this.#take()
    return late === null ? failure(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) : success(late)
  }

  #take(): number | null {
    if (this.#current.next === this.#current.end && this.#prefetched !== null) {
      this.#current = this.#prefetched
      this.#prefetched = null
    }
    const { next, end, size } = this.#current
    if (this.#prefetched === null && end - next <= size * (1 - PREFETCH_AT)) this.#startFetch()
    if (next === end) return null
    this.#current.next++
    return next
  }

  #blockOrTimeout(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#dependencies.scheduler.after(WAIT_MS_MAX, done)
      const waiting = this.#waiting
      function done(): void {
        timer.cancel()
        waiting.delete(done)
        resolve()
      }
      waiting.add(done)
    })
  }

  #startFetch(): void {
    if (this.#fetching) return
    this.#fetching = true
    void this.#fetch().then((block) => {
      this.#fetching = false
      if (block === null) {
        // Somebody waits: try again. Otherwise the next producer will.
        this.#dependencies.scheduler.after(RETRY_PAUSE_MS, () => {
          if (this.#waiting.size > 0) this.#startFetch()
        })
        return
      }
      this.#prefetched = block
      for (const wake of this.#waiting) wake()
    })
  }

  async #fetch(): Promise<IdBlock | null> {
    const { channel, logger } = this.#dependencies
    const { nodeId } = this.#options
    const body: AllocateProducerIdsRequest = { brokerId: nodeId, brokerEpoch: this.#dependencies.brokerEpoch() }
    const request = nodeRequest(nodeId, { apiKey: ApiKey.AllocateProducerIds, apiVersion: 0, body })
    const reply = await channel.request(request, REQUEST_TIMEOUT_MS)
    if (reply.kind !== 'answered') {
      logger.warn({ reply: reply.kind }, 'no block of producer ids: the controller could not be asked')
      return null
    }
    const { errorCode, producerIdStart, producerIdLen } = reply.body as AllocateProducerIdsResponse
    if (errorCode !== ErrorCode.NONE || producerIdLen <= 0) {
      logger.warn({ errorCode, producerIdLen }, 'no block of producer ids: the controller refused')
      return null
    }
    return { next: producerIdStart, end: producerIdStart + producerIdLen, size: producerIdLen }
  }
}

interface IdBlock {
  next: number
  readonly end: number
  readonly size: number
}
