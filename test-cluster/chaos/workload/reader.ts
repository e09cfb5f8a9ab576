import type { PartitionView } from '../history/operation.ts'
import { BrokerLink, errorOf } from './broker-link.ts'
import { countError } from './client-process.ts'
import type { ClientProcess, WorkloadContext } from './client-process.ts'
import { fetchOnce } from './fetch-once.ts'
import { pauseMs } from './patience.ts'

export interface ReaderOptions {
  readonly name: string
  readonly partition: number
  /** `tail` goes forward from the first offset; `anywhere` looks at places written before, one after the other. */
  readonly moves: 'tail' | 'anywhere'
  readonly final?: boolean
}

const WAIT_MS_MAX = 200
const ANYWHERE_EVERY_MS = 150
const RETRY_MS = 20

/** A consumer with an assigned partition that remembers all it saw. */
export class Reader implements ClientProcess {
  readonly #options: ReaderOptions
  readonly #context: WorkloadContext
  readonly #link: BrokerLink
  #position = 0
  #moved: 'continued' | 'seek' = 'seek'
  #end = 0
  #stopped = false

  constructor(options: ReaderOptions, context: WorkloadContext) {
    this.#options = options
    this.#context = context
    this.#link = new BrokerLink(context.view)
  }

  /** Where it reads next. */
  get position(): number {
    return this.#position
  }

  stop(): void {
    this.#stopped = true
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      if (this.#options.moves === 'anywhere') await this.#seekAnywhere()
      if (!(await this.poll())) await pauseMs(RETRY_MS)
    }
    this.#link.close()
  }

  /** Reads from where it is up to `end`; false when it was not there in time. */
  async readTo(end: number, deadlineMs: number): Promise<boolean> {
    while (this.#position < end) {
      if (this.#context.nowMs() > deadlineMs) return false
      if (!(await this.poll())) await pauseMs(RETRY_MS)
    }
    this.#link.close()
    return true
  }

  /** One fetch; false when there was no answer to learn from. */
  async poll(): Promise<boolean> {
    const { view } = this.#context
    const partition = view.partition(`${view.topic}-${this.#options.partition}`)
    if (partition === null || partition.leader < 0) return false
    try {
      await this.#link.to(partition.leader)
      return await this.#fetch(partition)
    } catch (error) {
      countError(this.#context, errorOf(error))
      return false
    }
  }

  async #seekAnywhere(): Promise<void> {
    const { random } = this.#context
    this.#position = Math.floor(random() * this.#end)
    this.#moved = 'seek'
    await pauseMs(ANYWHERE_EVERY_MS * (0.5 + random()))
  }

  async #fetch({ key, leaderEpoch }: PartitionView): Promise<boolean> {
    const { history, view } = this.#context
    const { name, partition, moves, final = false } = this.#options
    const operation = history.draft({
      f: 'poll', process: name, key, from: this.#position, offsets: [], values: [], highWatermark: -1, leaderEpoch, position: this.#moved, final,
    })
    const answer = await fetchOnce(
      this.#link,
      { topic: view.topic, partition, offset: this.#position, leaderEpoch },
      { waitMsMax: WAIT_MS_MAX, bytesMax: moves === 'anywhere' ? 4096 : 2 ** 20 },
    )
    if ('error' in answer) {
      countError(this.#context, `fetch ${answer.error}`)
      return false
    }
    const { offsets, values, highWatermark, next, corrupt } = answer
    if (corrupt !== null) countError(this.#context, corrupt)
    operation.ok({ offsets, values, highWatermark })
    this.#end = Math.max(this.#end, highWatermark)
    this.#position = next ?? this.#position
    if (offsets.length > 0) this.#moved = 'continued'
    return corrupt === null
  }
}
