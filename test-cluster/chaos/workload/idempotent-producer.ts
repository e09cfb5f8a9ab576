import type { Invocation } from '../history/recorder.ts'
import { BrokerLink, errorOf } from './broker-link.ts'
import { countError } from './client-process.ts'
import type { ClientProcess, WorkloadContext } from './client-process.ts'
import { pauseMs } from './patience.ts'
import type { ProducerOptions } from './plain-producer.ts'
import { produceOnce } from './produce-once.ts'
import { batchOf, valueOf } from './values.ts'

interface Batch {
  readonly operation: Invocation
  readonly records: Buffer
  attempts: number
}

/** What Kafka allows and remembers for a producer id. */
const IN_FLIGHT_MAX = 5
const GIVE_UP_MS = 60_000
const RETRY_MS = 10

/**
 * Sends up to five batches without waiting, and after a failure all that have no answer once more, in their order, until each is
 * acknowledged: whatever happens each must be stored once, in order.
 */
export class IdempotentProducer implements ClientProcess {
  readonly #options: ProducerOptions
  readonly #producer: { readonly producerId: number; readonly producerEpoch: number }
  readonly #context: WorkloadContext
  readonly #link: BrokerLink
  #window: Batch[] = []
  #stoppedMs = Infinity
  #nextIndex = 0

  constructor(options: ProducerOptions, producer: { readonly producerId: number; readonly producerEpoch: number }, context: WorkloadContext) {
    this.#options = options
    this.#producer = producer
    this.#context = context
    this.#link = new BrokerLink(context.view)
  }

  stop(): void {
    this.#stoppedMs = Math.min(this.#stoppedMs, this.#context.nowMs())
  }

  async run(): Promise<void> {
    const { nowMs, random } = this.#context
    while (this.#window.length > 0 || this.#stoppedMs === Infinity) {
      if (nowMs() > this.#stoppedMs + GIVE_UP_MS) break
      if (this.#stoppedMs === Infinity) this.#fill(1 + Math.floor(random() * IN_FLIGHT_MAX))
      const allAcknowledged = await this.#round()
      await pauseMs(allAcknowledged ? this.#options.everyMs * (0.5 + random()) : RETRY_MS)
    }
    for (const { operation } of this.#window) operation.info('given up')
    this.#link.close()
  }

  #fill(length: number): void {
    const { history, random, view } = this.#context
    const { writer, partition } = this.#options
    while (this.#window.length < length) {
      const baseSequence = this.#nextIndex
      const values = Array.from({ length: 1 + Math.floor(random() * 4) }, () => valueOf(writer, this.#nextIndex++))
      const operation = history.invoke({
        f: 'send', process: `idempotent ${writer}`, key: `${view.topic}-${partition}`, values, baseOffset: null, idempotent: true, attempts: 0,
      })
      this.#window.push({ operation, records: batchOf(values, { ...this.#producer, baseSequence }), attempts: 0 })
    }
  }

  async #round(): Promise<boolean> {
    const { view } = this.#context
    const { partition } = this.#options
    const leader = view.partition(`${view.topic}-${partition}`)?.leader ?? -1
    if (leader < 0) return false
    try {
      await this.#link.to(leader)
    } catch (error) {
      countError(this.#context, errorOf(error))
      return false
    }
    const kept = await Promise.all(this.#window.map((batch) => this.#attempt(batch)))
    this.#window = kept.filter((batch) => batch !== null)
    if (this.#window.length > 0) this.#link.close()
    return this.#window.length === 0
  }

  /** Null when the batch is done, the batch when it has to be sent again. */
  async #attempt(batch: Batch): Promise<Batch | null> {
    batch.attempts += 1
    const answer = await produceOnce(this.#link, this.#context.view.topic, this.#options.partition, batch.records)
    if ('baseOffset' in answer) {
      batch.operation.ok({ baseOffset: answer.baseOffset < 0 ? null : answer.baseOffset, attempts: batch.attempts })
      return null
    }
    countError(this.#context, answer.error)
    if (answer.error !== 'DUPLICATE_SEQUENCE_NUMBER') return batch
    // It is there; the broker no longer knows where.
    batch.operation.ok({ attempts: batch.attempts })
    return null
  }
}
