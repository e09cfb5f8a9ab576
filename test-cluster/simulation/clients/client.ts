/** What clients have in common: an address, a view of the metadata that may be old, and calls that may never be answered. */
import type { Random } from '@kavka/kernel'
import type { NodeId, TopicPartition, Uuid } from '@kavka/protocol'
import type { Cluster } from '../cluster.ts'
import type { SimulatedNode } from '../node/simulated-node.ts'
import { SimulatedProcess } from '../world/process.ts'

export interface PartitionInfo {
  readonly topicId: Uuid
  readonly leader: NodeId | null
  readonly leaderEpoch: number
}

const METADATA_TIMEOUT_MS = 1_000

export class Client {
  readonly address: number
  readonly name: string
  readonly cluster: Cluster
  readonly process: SimulatedProcess
  readonly random: Random
  /** By `topic-partition`. */
  readonly partitions = new Map<string, PartitionInfo>()
  topics: readonly string[] = []

  constructor(name: string, address: number, cluster: Cluster) {
    this.name = name
    this.address = address
    this.cluster = cluster
    this.process = new SimulatedProcess(name, cluster.world)
    this.random = cluster.world.random(name)
    cluster.network.bind(address, this.process)
  }

  /** Null when it cannot be known what happened. */
  call<T>(to: NodeId, timeoutMs: number, serve: (node: SimulatedNode) => Promise<T>): Promise<T | null> {
    return this.cluster.network.call(this.address, to, timeoutMs, async () => {
      const node = this.cluster.node(to)
      // The listener answers once the node is up; before that a client would wait.
      if (node === null || !node.isListening) return await new Promise<never>(() => {})
      return await serve(node)
    })
  }

  anyNode(): NodeId {
    const { nodeIds } = this.cluster
    return nodeIds[this.random.below(nodeIds.length)]!
  }

  async refresh(): Promise<void> {
    const topics = await this.call(this.anyNode(), METADATA_TIMEOUT_MS, async (node) => node.loader.publishedImage.topics)
    if (topics === null) return
    this.partitions.clear()
    this.topics = [...topics.byName.keys()]
    for (const topic of topics.byName.values()) {
      for (const { partition, leader, leaderEpoch } of topic.partitions) {
        this.partitions.set(`${topic.name}-${partition}`, { topicId: topic.id, leader, leaderEpoch })
      }
    }
  }

  async infoOf({ topic, partition }: TopicPartition): Promise<PartitionInfo | null> {
    if (!this.partitions.has(`${topic}-${partition}`)) await this.refresh()
    return this.partitions.get(`${topic}-${partition}`) ?? null
  }

  stale({ topic, partition }: TopicPartition): void {
    this.partitions.delete(`${topic}-${partition}`)
  }

  /** Between two requests of a client that would wait for `intenseMs` in an intense run. */
  pause(intenseMs: number): Promise<void> {
    return this.process.sleep(this.inTempoMs(intenseMs))
  }

  /** As long as this takes in an intense run. */
  inTempoMs(intenseMs: number): number {
    return intenseMs * this.cluster.swarm.tempo.paceFactor
  }

  get random01(): number {
    return this.random.unit()
  }

  get isOver(): boolean {
    return !this.process.isAlive
  }
}
