import { describeQuorumRequestCodec, describeQuorumResponseCodec } from '@kavka/protocol'
import { BrokerLink, errorOf } from './broker-link.ts'
import { countError } from './client-process.ts'
import type { ClientProcess, WorkloadContext } from './client-process.ts'
import { pauseMs } from './patience.ts'

const EVERY_MS = 150
/** Each in its turn: an answer that one of them cannot carry is a bug. */
const VERSIONS = 3
const METADATA_TOPIC = '__cluster_metadata'

/** Asks one broker after the other who leads the metadata quorum. */
export class QuorumWatcher implements ClientProcess {
  readonly #context: WorkloadContext
  readonly #link: BrokerLink
  #stopped = false
  #last = ''
  #turn = 0

  constructor(context: WorkloadContext) {
    this.#context = context
    this.#link = new BrokerLink(context.view)
  }

  stop(): void {
    this.#stopped = true
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#ask()
      } catch (error) {
        countError(this.#context, errorOf(error))
      }
      await pauseMs(EVERY_MS)
    }
    this.#link.close()
  }

  async #ask(): Promise<void> {
    const { view, history } = this.#context
    const nodes = view.nodeIds()
    if (nodes.length === 0) return
    await this.#link.to(nodes[this.#turn++ % nodes.length]!)
    const operation = history.draft({ f: 'quorum', process: 'quorum', leader: -1, epoch: -1 })
    const { topics } = await this.#link.request(describeQuorumRequestCodec, describeQuorumResponseCodec, this.#turn % VERSIONS, {
      topics: [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] }],
    })
    const answer = topics[0]?.partitions[0]
    if (answer === undefined || answer.errorCode !== 0 || answer.leaderId < 0) return
    view.learnController(answer.leaderId, answer.leaderEpoch)
    const seen = { leader: answer.leaderId, epoch: answer.leaderEpoch }
    if (JSON.stringify(seen) !== this.#last) operation.ok(seen)
    this.#last = JSON.stringify(seen)
  }
}
