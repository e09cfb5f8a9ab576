import { buildBatch, errorName, produceRequestCodec, produceResponseCodec } from '@kavka/protocol'
import type { ClusterClient } from '../client/cluster-client.ts'
import type { WireConnection } from '../client/wire-connection.ts'

/** A record that was acknowledged: where it must be found. */
export interface AcknowledgedBatch {
  readonly firstIndex: number
  readonly count: number
  readonly baseOffset: number
  readonly invokedMs: number
  readonly acknowledgedMs: number
  /** More than one: an earlier attempt may have been stored too, which is a duplicate unless the producer is idempotent. */
  readonly attempts: number
}

export interface PartitionWriterOptions {
  readonly topic: string
  readonly partition: number
  /** Starts every value; unique among the writers of a topic. */
  readonly name: string
  readonly recordsPerBatch: number
  readonly valueBytes: number
  /** Null: not idempotent. */
  readonly producer: { readonly producerId: number; readonly producerEpoch: number } | null
  readonly nowMs: () => number
}

/** Errors after which the same batch is sent again; anything else ends the writer. */
const RETRIABLE = new Set([
  'NOT_LEADER_OR_FOLLOWER', 'LEADER_NOT_AVAILABLE', 'REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'UNKNOWN_TOPIC_OR_PARTITION', 'KAFKA_STORAGE_ERROR', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH',
])

/** Writes one batch after the other to one partition with acks=all, and remembers every acknowledgment. */
export class PartitionWriter {
  readonly options: PartitionWriterOptions
  readonly acknowledged: AcknowledgedBatch[] = []
  /** Names of the errors met, with how often. */
  readonly errors = new Map<string, number>()
  #stopped = false
  #nextIndex = 0
  readonly #client: ClusterClient
  #connection: WireConnection | null = null

  constructor(client: ClusterClient, options: PartitionWriterOptions) {
    this.#client = client
    this.options = options
  }

  stop(): void {
    this.#stopped = true
  }

  /** Runs until stopped, or until it has written `batchesMax`; the batch in flight is brought to its end. */
  async run(batchesMax = Infinity): Promise<void> {
    while (!this.#stopped && this.acknowledged.length < batchesMax) await this.#writeBatch()
  }

  async #writeBatch(): Promise<void> {
    const { recordsPerBatch, nowMs } = this.options
    const firstIndex = this.#nextIndex
    const records = this.#batch(firstIndex)
    const invokedMs = nowMs()
    for (let attempts = 1; ; attempts++) {
      const baseOffset = await this.#attempt(records)
      if (baseOffset === null) {
        await pause()
        continue
      }
      this.acknowledged.push({ firstIndex, count: recordsPerBatch, baseOffset, invokedMs, acknowledgedMs: nowMs(), attempts })
      this.#nextIndex += recordsPerBatch
      return
    }
  }

  #batch(firstIndex: number): Buffer {
    const { name, partition, recordsPerBatch, valueBytes, producer } = this.options
    const records = Array.from({ length: recordsPerBatch }, (_, index) => ({
      timestamp: Date.now(),
      key: null,
      value: Buffer.from(`${name}/${partition}/${firstIndex + index}/`.padEnd(valueBytes, '.')),
    }))
    return buildBatch(records, producer === null ? {} : { ...producer, baseSequence: firstIndex % 2 ** 31 })
  }

  /** The base offset, or null when the same batch must be sent again. */
  async #attempt(records: Buffer): Promise<number | null> {
    const { topic, partition } = this.options
    try {
      this.#connection ??= (await this.#client.leader(topic, partition))?.connection ?? null
      if (this.#connection === null) return this.#failed('no leader')
      const { responses } = await this.#connection.request(produceRequestCodec, produceResponseCodec, 9, {
        acks: -1, timeoutMs: 10_000, topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
      })
      const answer = responses[0]!.partitionResponses[0]!
      if (answer.errorCode === 0) return answer.baseOffset
      const error = errorName(answer.errorCode)
      if (!RETRIABLE.has(error)) throw new Error(`${topic}-${partition}: ${error} ${answer.errorMessage ?? ''}`)
      return this.#failed(error)
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ConnectionLostError') throw error
      return this.#failed('connection lost')
    }
  }

  #failed(error: string): null {
    this.#connection = null
    this.errors.set(error, (this.errors.get(error) ?? 0) + 1)
    return null
  }
}

/** A client that hammers a cluster in trouble would measure itself. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 10)
  })
}
