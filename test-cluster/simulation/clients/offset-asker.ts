/** Asks leaders where partitions end, where epochs end and where times are: at once after a leader is gone, as those do who have lost theirs. */
import { ErrorCode } from '@kavka/protocol'
import type { TopicPartition } from '@kavka/protocol'
import type { Cluster } from '../cluster.ts'
import type { AnsweringReplica } from '../invariants/replication/leader-answer-checks.ts'
import type { SimulatedNode } from '../node/simulated-node.ts'
import { Client } from './client.ts'
import type { PartitionInfo } from './client.ts'

const TIMEOUT_MS = 1_000
const LATEST = -1
const AGE_MS_MAX = 20_000

/** Works until the run ends. */
export function startOffsetAsker(name: string, address: number, cluster: Cluster): void {
  void new OffsetAsker(name, address, cluster).loop()
}

class OffsetAsker {
  readonly client: Client
  readonly #paceMs: number

  constructor(name: string, address: number, cluster: Cluster) {
    this.client = new Client(name, address, cluster)
    this.#paceMs = [40, 200][this.client.random.below(2)]!
  }

  async loop(): Promise<void> {
    const { client } = this
    let again: string | null = null
    for (;;) {
      await client.pause(again === null ? this.#paceMs * (0.5 + client.random.unit()) : 5 + 20 * client.random.unit())
      if (client.partitions.size === 0 || again !== null) await client.refresh()
      const names = [...client.partitions.keys()]
      const name: string | undefined = again ?? names[client.random.below(Math.max(1, names.length))]
      const info: PartitionInfo | undefined = name === undefined ? undefined : client.partitions.get(name)
      if (name === undefined || info === undefined) again = null
      else again = (await this.#ask(name, info)) ? null : name
    }
  }

  /** False when there was no leader to answer. */
  async #ask(name: string, info: PartitionInfo): Promise<boolean> {
    if (info.leader === null) return false
    const at = name.lastIndexOf('-')
    const topicPartition = { topic: name.slice(0, at), partition: Number(name.slice(at + 1)) }
    const die = this.client.random.unit()
    const answered = await this.client.call(info.leader, TIMEOUT_MS, async (node) => {
      if (die < 0.6) return await this.#askEnd(node, topicPartition, info)
      if (die < 0.75) return this.#askEpochEnd(node, topicPartition, info)
      if (die < 0.85) return await this.#askWithWrongEpoch(node, topicPartition, info)
      return await this.#askTime(node, topicPartition, info)
    })
    return answered ?? false
  }

  async #askEnd(node: SimulatedNode, topicPartition: TopicPartition, { leaderEpoch }: PartitionInfo): Promise<boolean> {
    const { world, replication } = this.client.cluster
    const answer = await node.replicas!.listOffset({ topicPartition, timestamp: LATEST, currentLeaderEpoch: leaderEpoch, isolation: 'read_uncommitted' })
    if (answer.errorCode === ErrorCode.OFFSET_NOT_AVAILABLE) world.probes.hit('offset not available')
    if (answer.errorCode !== ErrorCode.NONE || !node.process.isAlive) return false
    const topicId = node.replicas!.partition(topicPartition)?.topicId
    if (topicId !== undefined) replication.endExposed(node.id, topicPartition, topicId, answer.offset)
    return true
  }

  #askEpochEnd(node: SimulatedNode, topicPartition: TopicPartition, { leaderEpoch }: PartitionInfo): boolean {
    const replica = answering(node, topicPartition)
    if (replica === null) return false
    const { random, cluster } = this.client
    const asked = random.unit() < 0.5 ? leaderEpoch : replica.batches[random.below(Math.max(1, replica.batches.length))]?.epoch ?? leaderEpoch
    const answer = node.replicas!.offsetForLeaderEpoch({ topicPartition, leaderEpoch: asked, currentLeaderEpoch: leaderEpoch })
    cluster.answers.epochEnd(replica, asked, answer)
    return answer.errorCode === ErrorCode.NONE
  }

  async #askWithWrongEpoch(node: SimulatedNode, topicPartition: TopicPartition, { topicId }: PartitionInfo): Promise<boolean> {
    const replica = answering(node, topicPartition)
    if (replica === null) return false
    const { random, cluster, name } = this.client
    const currentLeaderEpoch = Math.max(0, replica.leaderEpoch + (random.unit() < 0.5 ? -1 : 1))
    if (currentLeaderEpoch === replica.leaderEpoch) return true
    if (random.unit() < 0.5) {
      const answer = await node.replicas!.listOffset({ topicPartition, timestamp: LATEST, currentLeaderEpoch, isolation: 'read_uncommitted' })
      cluster.answers.fencing(replica, currentLeaderEpoch, answer.errorCode)
      return true
    }
    const [result] = await node.replicas!.fetch({
      isolation: 'read_uncommitted', followerReads: 'refused', rack: '', clientId: name, bytesMin: 1, bytesMax: 1_000, waitMsMax: 0,
      partitions: [{ topicPartition, topicId, fetchOffset: replica.logStartOffset, bytesMax: 1_000, currentLeaderEpoch, lastFetchedEpoch: -1 }],
    })
    const isOther = result!.errorCode === ErrorCode.INCONSISTENT_TOPIC_ID || result!.errorCode === ErrorCode.UNKNOWN_TOPIC_ID
    if (!isOther) cluster.answers.fencing(replica, currentLeaderEpoch, result!.errorCode)
    return true
  }

  async #askTime(node: SimulatedNode, topicPartition: TopicPartition, { leaderEpoch }: PartitionInfo): Promise<boolean> {
    const asked = answering(node, topicPartition)
    const visibleEnd = node.replicas!.partition(topicPartition)?.highWatermark ?? 0
    if (asked === null || this.client.cluster.replication.disks.hasRotten(node.id)) return false
    // The log goes on while its files are read.
    const before = { ...asked, batches: [...asked.batches] }
    const { random, cluster, process } = this.client
    const timestamp = Math.floor(process.wallMs() - AGE_MS_MAX * random.unit())
    const answer = await node.replicas!.listOffset({ topicPartition, timestamp, currentLeaderEpoch: leaderEpoch, isolation: 'read_uncommitted' })
    const after = node.process.isAlive ? answering(node, topicPartition) : null
    if (after === null || after.leaderEpoch !== before.leaderEpoch) return false
    cluster.answers.timestampFound(before, after, timestamp, visibleEnd, answer)
    return true
  }
}

/** Null unless it leads. */
function answering(node: SimulatedNode, topicPartition: TopicPartition): AnsweringReplica | null {
  const view = node.replicas?.partition(topicPartition) ?? null
  const replica = node.logs?.replica(topicPartition) ?? null
  if (view === null || replica === null || view.role !== 'leader') return null
  const { log, shadow } = replica
  return {
    node: node.id, partition: `${topicPartition.topic}-${topicPartition.partition}`, leaderEpoch: view.leaderEpoch,
    logStartOffset: log.logStartOffset, logEndOffset: log.logEndOffset, batches: shadow.batches,
  }
}
