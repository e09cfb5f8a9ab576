import { metadataRequestCodec, metadataResponseCodec } from '@kavka/protocol'
import type { MetadataResponse } from '@kavka/protocol'
import { WireConnection } from '../../client/wire-connection.ts'
import type { PartitionView } from '../history/operation.ts'
import type { HistoryRecorder } from '../history/recorder.ts'
import { pauseMs, withinMs } from './patience.ts'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

const ANSWER_MS_MAX = 1000
const WATCH_EVERY_MS = 50

/**
 * What all brokers together say about the cluster: asks each of them again and again, records what changed, and believes the highest
 * leader epoch, as Kafka's clients do.
 */
export class ClusterView {
  readonly topic: string
  readonly #history: HistoryRecorder
  readonly #bootstrap: readonly BrokerAddress[]
  readonly #addresses = new Map<number, BrokerAddress>()
  readonly #partitions = new Map<string, PartitionView>()
  readonly #replicas = new Map<string, readonly number[]>()
  readonly #watched = new Set<string>()
  readonly #loops: Promise<void>[] = []
  #controller = { leader: -1, epoch: -1 }
  #stopped = false

  constructor(options: { readonly bootstrap: string; readonly topic: string }, history: HistoryRecorder) {
    this.topic = options.topic
    this.#history = history
    this.#bootstrap = options.bootstrap.split(',').map(addressOf)
  }

  start(): void {
    for (const address of this.#bootstrap) this.#watch(address)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops)
  }

  /** The node that leads the metadata quorum, as far as anybody said. */
  get controller(): number {
    return this.#controller.leader
  }

  learnController(leader: number, epoch: number): void {
    if (epoch >= this.#controller.epoch) this.#controller = { leader, epoch }
  }

  partition(key: string): PartitionView | null {
    return this.#partitions.get(key) ?? null
  }

  /** Nodes that keep a partition. */
  replicas(key: string): readonly number[] {
    return this.#replicas.get(key) ?? []
  }

  partitions(): readonly PartitionView[] {
    return [...this.#partitions.values()]
  }

  address(nodeId: number): BrokerAddress | null {
    return this.#addresses.get(nodeId) ?? null
  }

  nodeIds(): readonly number[] {
    return [...this.#addresses.keys()].sort((a, b) => a - b)
  }

  #watch(address: BrokerAddress): void {
    const name = `${address.host}:${address.port}`
    if (this.#watched.has(name)) return
    this.#watched.add(name)
    this.#loops.push(this.#watchLoop(address, name))
  }

  async #watchLoop(address: BrokerAddress, name: string): Promise<void> {
    let connection: WireConnection | null = null
    let lastSeen = ''
    while (!this.#stopped) {
      const operation = this.#history.draft({ f: 'metadata', process: `watch ${name}`, broker: -1, partitions: [] })
      try {
        connection ??= await WireConnection.open(address.host, address.port, ANSWER_MS_MAX)
        const answer: MetadataResponse = await withinMs(ANSWER_MS_MAX, connection.request(metadataRequestCodec, metadataResponseCodec, 12, {
          topics: [{ name: this.topic }], allowAutoTopicCreation: false,
        }))
        const seen = this.#learn(answer, address)
        const text = JSON.stringify(seen)
        if (text !== lastSeen && seen.partitions.length > 0) operation.ok(seen)
        lastSeen = text
      } catch {
        connection?.close()
        connection = null
      }
      await pauseMs(WATCH_EVERY_MS)
    }
    connection?.close()
  }

  #learn({ brokers, topics }: MetadataResponse, asked: BrokerAddress): { broker: number; partitions: PartitionView[] } {
    for (const { nodeId, host, port } of brokers) {
      this.#addresses.set(nodeId, { host, port })
      this.#watch({ host, port })
    }
    const broker = [...this.#addresses].find(([, { host, port }]) => host === asked.host && port === asked.port)?.[0] ?? -1
    for (const topic of topics) for (const one of topic.partitions) this.#replicas.set(`${topic.name}-${one.partitionIndex}`, one.replicaNodes)
    const partitions = topics.flatMap((topic) => topic.partitions.map((one): PartitionView => ({
      key: `${topic.name}-${one.partitionIndex}`, leader: one.leaderId, leaderEpoch: one.leaderEpoch, isr: [...one.isrNodes].sort((a, b) => a - b),
    })))
    for (const partition of partitions) {
      const known = this.#partitions.get(partition.key)
      if (known === undefined || known.leaderEpoch <= partition.leaderEpoch) this.#partitions.set(partition.key, partition)
    }
    return { broker, partitions: partitions.sort((a, b) => a.key.localeCompare(b.key)) }
  }
}

function addressOf(text: string): BrokerAddress {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) }
}
