import {
  createTopicsRequestCodec, createTopicsResponseCodec, deleteTopicsRequestCodec, deleteTopicsResponseCodec, errorName,
  fetchRequestCodec, fetchResponseCodec, initProducerIdRequestCodec, initProducerIdResponseCodec, listOffsetsRequestCodec,
  listOffsetsResponseCodec, metadataRequestCodec, metadataResponseCodec,
} from '@kavka/protocol'
import type { MetadataResponse, MetadataResponseMetadataResponsePartition } from '@kavka/protocol'
import { eventually } from '../process/eventually.ts'
import { ConnectionLostError, WireConnection } from './wire-connection.ts'

interface Address {
  readonly host: string
  readonly port: number
}

/**
 * A client over our own codecs for tests that must see every answer: no hidden retries, no batching of its own.
 * Metadata is asked from any address that answers.
 */
export class ClusterClient {
  readonly #bootstrap: readonly Address[]
  readonly #connections = new Map<string, Promise<WireConnection>>()

  constructor(bootstrap: string) {
    this.#bootstrap = bootstrap.split(',').map((text) => {
      const at = text.lastIndexOf(':')
      return { host: text.slice(0, at), port: Number(text.slice(at + 1)) }
    })
  }

  async connection({ host, port }: Address): Promise<WireConnection> {
    const key = `${host}:${port}`
    const known = this.#connections.get(key)
    if (known !== undefined) {
      const connection = await known.catch(() => null)
      if (connection?.isOpen === true) return connection
      if (this.#connections.get(key) === known) this.#connections.delete(key)
      else return this.connection({ host, port })
    }
    const opening = WireConnection.open(host, port)
    opening.catch(() => {})
    this.#connections.set(key, opening)
    return opening
  }

  /** Metadata from the first bootstrap address that answers. */
  async metadata(topics: readonly string[] | null): Promise<MetadataResponse> {
    let last: unknown = null
    for (const address of this.#bootstrap) {
      try {
        const connection = await this.connection(address)
        return await connection.request(metadataRequestCodec, metadataResponseCodec, 12, {
          topics: topics === null ? null : topics.map((name) => ({ name })),
          allowAutoTopicCreation: false,
        })
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  /** Partitions of a topic; throws while it is unknown. */
  async partitions(topic: string): Promise<readonly MetadataResponseMetadataResponsePartition[]> {
    const { topics } = await this.metadata([topic])
    if (topics[0]?.errorCode !== 0) throw new Error(`${topic}: ${errorName(topics[0]?.errorCode ?? -1)}`)
    return topics[0].partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)
  }

  /** A connection to the leader of a partition, or null while it has none. */
  async leader(topic: string, partition: number): Promise<{ connection: WireConnection; nodeId: number } | null> {
    const { topics, brokers } = await this.metadata([topic])
    const leaderId = topics[0]?.partitions.find((one) => one.partitionIndex === partition)?.leaderId ?? -1
    const broker = brokers.find((one) => one.nodeId === leaderId)
    return broker === undefined ? null : { connection: await this.connection(broker), nodeId: leaderId }
  }

  /** Creates a topic and waits until every partition has a leader. */
  async createTopic(
    name: string,
    options: {
      readonly partitions: number
      readonly replicationFactor: number
      readonly configs?: Readonly<Record<string, string>>
      readonly withinMs?: number
    },
  ): Promise<void> {
    const { withinMs = 30_000 } = options
    const configs = Object.entries(options.configs ?? {}).map(([key, value]) => ({ name: key, value }))
    await eventually(async () => {
      const connection = await this.anyConnection()
      const { topics } = await connection.request(createTopicsRequestCodec, createTopicsResponseCodec, 7, {
        topics: [{ name, numPartitions: options.partitions, replicationFactor: options.replicationFactor, configs }],
        timeoutMs: 10_000,
      })
      const code = topics[0]!.errorCode
      if (code !== 0 && errorName(code) !== 'TOPIC_ALREADY_EXISTS') throw new Error(`${errorName(code)}: ${topics[0]!.errorMessage}`)
      return true
    }, { what: `topic ${name} is created`, withinMs })
    await eventually(async () => (await this.partitions(name)).every((one) => one.leaderId >= 0), { what: `${name} is led`, withinMs })
  }

  /** Deletes topics; one that is not there is fine. */
  async deleteTopics(names: readonly string[]): Promise<void> {
    await eventually(async () => {
      const connection = await this.anyConnection()
      const { responses } = await connection.request(deleteTopicsRequestCodec, deleteTopicsResponseCodec, 5, { topicNames: [...names], timeoutMs: 30_000 })
      return responses.every(({ errorCode }) => errorCode === 0 || errorName(errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION')
    }, { what: `${names.join(', ')} are deleted` })
  }

  async anyConnection(): Promise<WireConnection> {
    for (const address of this.#bootstrap) {
      const connection = await this.connection(address).catch(() => null)
      if (connection !== null) return connection
    }
    throw new ConnectionLostError('no broker can be reached')
  }

  /** A fresh producer id with epoch 0. */
  async producerId(): Promise<{ readonly producerId: number; readonly producerEpoch: number }> {
    return eventually(async () => {
      const connection = await this.anyConnection()
      const answer = await connection.request(initProducerIdRequestCodec, initProducerIdResponseCodec, 4, {
        transactionalId: null, transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1,
      })
      return answer.errorCode === 0 ? answer : null
    }, { what: 'a producer id is given' })
  }

  /** Latest (-1), earliest (-2) or by-time offset of a partition from its leader. */
  async listOffset(topic: string, partition: number, timestamp: number): Promise<number> {
    return eventually(async () => {
      const leader = await this.leader(topic, partition)
      if (leader === null) return null
      const { topics } = await leader.connection.request(listOffsetsRequestCodec, listOffsetsResponseCodec, 7, {
        replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }] }],
      })
      const answer = topics[0]!.partitions[0]!
      return answer.errorCode === 0 ? { offset: answer.offset } : null
    }, { what: `offset ${timestamp} of ${topic}-${partition}` }).then(({ offset }) => offset)
  }

  /** One fetch from the leader: raw record bytes and the high watermark, or the error's name. */
  async fetch(topic: string, partition: number, fetchOffset: number, waitMsMax = 0): Promise<{ records: Buffer; highWatermark: number } | { error: string }> {
    const leader = await this.leader(topic, partition)
    if (leader === null) return { error: 'LEADER_NOT_AVAILABLE' }
    const { responses } = await leader.connection.request(fetchRequestCodec, fetchResponseCodec, 12, {
      replicaId: -1, maxWaitMs: waitMsMax, minBytes: 1, maxBytes: 16 * 2 ** 20, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
      topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 8 * 2 ** 20 }] }],
    })
    const answer = responses[0]!.partitions[0]!
    if (answer.errorCode !== 0) return { error: errorName(answer.errorCode) }
    return { records: asBuffer(answer.records), highWatermark: answer.highWatermark }
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.then((one) => one.close(), () => {})
    this.#connections.clear()
  }
}

function asBuffer(records: Buffer | readonly Buffer[] | null): Buffer {
  if (records === null) return Buffer.alloc(0)
  return Buffer.isBuffer(records) ? records : Buffer.concat(records)
}
