import { errorName, listOffsetsRequestCodec, listOffsetsResponseCodec } from '@kavka/protocol'
import { BrokerLink, errorOf } from './broker-link.ts'
import { countError } from './client-process.ts'
import type { ClientProcess, WorkloadContext } from './client-process.ts'
import { pauseMs } from './patience.ts'

const LATEST = -1
const EVERY_MS = 100

/** Asks leaders again and again where their partitions end. */
export class EndWatcher implements ClientProcess {
  readonly #name: string
  readonly #partitions: number
  readonly #context: WorkloadContext
  readonly #link: BrokerLink
  #stopped = false

  constructor(options: { readonly name: string; readonly partitions: number }, context: WorkloadContext) {
    this.#name = options.name
    this.#partitions = options.partitions
    this.#context = context
    this.#link = new BrokerLink(context.view)
  }

  stop(): void {
    this.#stopped = true
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const partition = Math.floor(this.#context.random() * this.#partitions)
      try {
        await this.#ask(partition)
      } catch (error) {
        countError(this.#context, errorOf(error))
      }
      await pauseMs(EVERY_MS * (0.5 + this.#context.random()))
    }
    this.#link.close()
  }

  async #ask(partition: number): Promise<void> {
    const { view, history } = this.#context
    const known = view.partition(`${view.topic}-${partition}`)
    if (known === null || known.leader < 0) return
    await this.#link.to(known.leader)
    const operation = history.draft({ f: 'latest', process: this.#name, key: known.key, offset: -1, leaderEpoch: known.leaderEpoch })
    const { topics } = await this.#link.request(listOffsetsRequestCodec, listOffsetsResponseCodec, 7, {
      replicaId: -1, isolationLevel: 0,
      topics: [{ name: view.topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: known.leaderEpoch, timestamp: LATEST }] }],
    })
    const answer = topics[0]!.partitions[0]!
    if (answer.errorCode === 0) operation.ok({ offset: answer.offset })
    else countError(this.#context, `list offsets ${errorName(answer.errorCode)}`)
  }
}
