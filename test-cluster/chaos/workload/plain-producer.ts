import { isDefinite } from '../history/definite-errors.ts'
import { BrokerLink, errorOf } from './broker-link.ts'
import { countError } from './client-process.ts'
import type { ClientProcess, WorkloadContext } from './client-process.ts'
import { pauseMs } from './patience.ts'
import { produceOnce } from './produce-once.ts'
import { batchOf, valueOf } from './values.ts'

export interface ProducerOptions {
  readonly writer: number
  readonly partition: number
  /** Average pause between two rounds. */
  readonly everyMs: number
}

/** Sends each batch once, without producer id: its refusals must be true refusals. */
export class PlainProducer implements ClientProcess {
  readonly #options: ProducerOptions
  readonly #context: WorkloadContext
  readonly #link: BrokerLink
  #stopped = false
  #nextIndex = 0

  constructor(options: ProducerOptions, context: WorkloadContext) {
    this.#options = options
    this.#context = context
    this.#link = new BrokerLink(context.view)
  }

  stop(): void {
    this.#stopped = true
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const { random } = this.#context
      if (await this.#connected()) await this.#send(1 + Math.floor(random() * 4))
      await pauseMs(this.#options.everyMs * (0.5 + random()))
    }
    this.#link.close()
  }

  async #connected(): Promise<boolean> {
    const { view } = this.#context
    const leader = view.partition(`${view.topic}-${this.#options.partition}`)?.leader ?? -1
    if (leader < 0) return false
    try {
      await this.#link.to(leader)
      return true
    } catch (error) {
      countError(this.#context, errorOf(error))
      return false
    }
  }

  async #send(count: number): Promise<void> {
    const { history, view } = this.#context
    const { writer, partition } = this.#options
    const values = Array.from({ length: count }, () => valueOf(writer, this.#nextIndex++))
    const operation = history.invoke({
      f: 'send', process: `plain ${writer}`, key: `${view.topic}-${partition}`, values, baseOffset: null, idempotent: false, attempts: 1,
    })
    const answer = await produceOnce(this.#link, view.topic, partition, batchOf(values, null))
    if ('baseOffset' in answer) return operation.ok({ baseOffset: answer.baseOffset })
    countError(this.#context, answer.error)
    this.#link.close()
    return isDefinite(answer.error) ? operation.fail(answer.error) : operation.info(answer.error)
  }
}
