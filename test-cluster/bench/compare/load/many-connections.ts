import { setTimeout as sleep } from 'node:timers/promises'
import { buildBatch, errorName, produceRequestCodec, produceResponseCodec } from '@kavka/protocol'
import type { ClusterClient } from '../../../client/cluster-client.ts'
import { WireConnection } from '../../../client/wire-connection.ts'
import { Latencies } from '../../latencies.ts'

export interface RequestLoad {
  readonly requestsPerSecond: number
  readonly seconds: number
}

const OPENING_AT_ONCE = 50
const TICK_MS = 1
const VALUE_BYTES = 100

interface Lane {
  readonly connection: WireConnection
  readonly partition: number
}

/** Clients of a topic, each with one connection to the leader of a partition; they take turns. */
export class ManyConnections {
  readonly #connections: readonly Lane[]
  readonly #topic: string
  #failure: unknown = null

  private constructor(topic: string, connections: readonly Lane[]) {
    this.#topic = topic
    this.#connections = connections
  }

  static async open(client: ClusterClient, topic: string, count: number): Promise<ManyConnections> {
    const { topics, brokers } = await client.metadata([topic])
    const partitions = topics[0]!.partitions
    const connections: Lane[] = []
    while (connections.length < count) {
      const opening = Array.from({ length: Math.min(OPENING_AT_ONCE, count - connections.length) }, async (_, index) => {
        const { partitionIndex, leaderId } = partitions[(connections.length + index) % partitions.length]!
        const { host, port } = brokers.find(({ nodeId }) => nodeId === leaderId)!
        return { connection: await WireConnection.open(host, port), partition: partitionIndex }
      })
      connections.push(...await Promise.all(opening))
    }
    return new ManyConnections(topic, connections)
  }

  /** Sends small records with acks=1 at a steady rate, the connections one after the other, without waiting for answers. */
  async run({ requestsPerSecond, seconds }: RequestLoad): Promise<Latencies> {
    const latencies = new Latencies()
    const total = requestsPerSecond * seconds
    const startedMs = performance.now()
    const sent: Promise<void>[] = []
    for (let index = 0; index < total; ) {
      const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1000) * requestsPerSecond) + 1)
      for (; index < due; index++) sent.push(this.#send(index, latencies).catch((error: unknown) => {
        this.#failure ??= error
      }))
      if (this.#failure !== null) throw this.#failure
      await sleep(TICK_MS)
    }
    await Promise.all(sent)
    if (this.#failure !== null) throw this.#failure
    return latencies
  }

  async #send(index: number, latencies: Latencies): Promise<void> {
    const { connection, partition } = this.#connections[index % this.#connections.length]!
    const records = buildBatch([{ timestamp: Date.now(), key: null, value: Buffer.alloc(VALUE_BYTES, 'kavka ') }])
    const sentMs = performance.now()
    const { responses } = await connection.request(produceRequestCodec, produceResponseCodec, 9, {
      acks: 1, timeoutMs: 30_000, topicData: [{ name: this.#topic, partitionData: [{ index: partition, records }] }],
    })
    latencies.add(performance.now() - sentMs)
    const code = responses[0]!.partitionResponses[0]!.errorCode
    if (code !== 0) throw new Error(`produce: ${errorName(code)}`)
  }

  close(): void {
    for (const { connection } of this.#connections) connection.close()
  }
}
