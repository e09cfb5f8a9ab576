/** Reads every partition from its start, over and over. */
import { ErrorCode, verifyBatchCrc } from '@kavka/protocol'
import type { TopicPartition, Uuid } from '@kavka/protocol'
import type { Cluster } from '../cluster.ts'
import type { SimulatedNode } from '../node/simulated-node.ts'
import { shadowBatchesOf } from '../node/shadow-log.ts'
import type { ShadowBatch } from '../node/shadow-log.ts'
import { Client } from './client.ts'

const FETCH_TIMEOUT_MS = 2_000

/** Where somebody has read. */
export interface ReadAt {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly fetchOffset: number
}

/** S1, P7 and S9 of what a node has given a reader; the batches in it. */
export function judgeRead(cluster: Cluster, node: SimulatedNode, { topicPartition, topicId, fetchOffset }: ReadAt, records: Buffer): readonly ShadowBatch[] {
  const batches = shadowBatchesOf(records)
  let position = 0
  for (const _ of batches) {
    cluster.world.judge('S1 ReadBack', verifyBatchCrc(records, position), { node: node.id, at: position })
    position += 12 + records.readInt32BE(position + 8)
  }
  cluster.replication.consumed(topicPartition, topicId, batches, node.id)
  cluster.answers.readFrom(node.id, fetchOffset, batches[0])
  return batches
}

export class Consumer {
  readonly client: Client
  readonly #paceMs: number
  /** By topic id and partition. */
  readonly #positions = new Map<string, number>()

  constructor(name: string, address: number, cluster: Cluster) {
    this.client = new Client(name, address, cluster)
    this.#paceMs = [30, 150][this.client.random.below(2)]!
    void this.#loop()
  }

  async #loop(): Promise<void> {
    const { client } = this
    for (;;) {
      await client.pause(this.#paceMs * (0.5 + client.random.unit()))
      if (client.partitions.size === 0 || client.random.unit() < 0.1) await client.refresh()
      const names = [...client.partitions.keys()]
      if (names.length === 0) continue
      const name = names[client.random.below(names.length)]!
      const at = name.lastIndexOf('-')
      const topicPartition = { topic: name.slice(0, at), partition: Number(name.slice(at + 1)) }
      await this.#fetch(topicPartition)
    }
  }

  async #fetch(topicPartition: TopicPartition): Promise<void> {
    const { client } = this
    const info = await client.infoOf(topicPartition)
    if (info === null || info.leader === null) return client.stale(topicPartition)
    const { topicId, leader, leaderEpoch } = info
    const key = `${topicId}/${topicPartition.partition}`
    const fetchOffset = this.#positions.get(key) ?? 0
    await client.call(leader, FETCH_TIMEOUT_MS, async (node) => {
      const [result] = await node.replicas!.fetch({
        isolation: 'read_uncommitted', followerReads: 'refused', rack: '', clientId: client.name, bytesMin: 1, bytesMax: 100_000, waitMsMax: 300,
        partitions: [{ topicPartition, topicId, fetchOffset, bytesMax: 3_000, currentLeaderEpoch: leaderEpoch, lastFetchedEpoch: -1 }],
      })
      if (!node.process.isAlive) return
      if (result!.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) this.#positions.set(key, result!.logStartOffset < 0 ? 0 : result!.logStartOffset)
      if (result!.errorCode !== ErrorCode.NONE) return client.stale(topicPartition)
      const last = judgeRead(client.cluster, node, { topicPartition, topicId, fetchOffset }, Buffer.concat(result!.records)).at(-1)
      if (last !== undefined) this.#positions.set(key, this.#next(last.last + 1))
    })
  }

  /** From the start again now and then, or from anywhere: what was read once must be read again. */
  #next(position: number): number {
    const { random } = this.client
    const die = random.unit()
    if (die < 0.02) return 0
    return die < 0.1 ? random.below(position) : position
  }
}
