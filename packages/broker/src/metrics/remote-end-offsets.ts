/**
 * High watermarks of partitions led elsewhere, for the lag of groups coordinated here: asked of the leaders with ListOffsets,
 * once for all partitions of a leader, at most every few seconds and only when someone scrapes.
 */
import type { Clock } from '@kavka/kernel'
import type { MetadataImage } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import type { NodeId, TopicPartition } from '@kavka/protocol'
import { addressOf } from '../handlers/cluster-view.ts'
import type { LeaderOffsetsClient } from './leader-offsets-client.ts'

const REFRESH_INTERVAL_MS = 5_000
/** Partitions remembered; beyond it their lag is not reported. */
const PARTITIONS_MAX = 100_000

export interface RemoteEndOffsetsDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly client: LeaderOffsetsClient
  image(): MetadataImage
}

export class RemoteEndOffsets {
  readonly #listener: string
  readonly #nodeId: NodeId
  readonly #deps: RemoteEndOffsetsDeps
  #offsets = new Map<string, number>()
  #refreshedMs = -Infinity

  constructor(options: { readonly nodeId: NodeId; readonly interBrokerListener: string }, deps: RemoteEndOffsetsDeps) {
    this.#nodeId = options.nodeId
    this.#listener = options.interBrokerListener
    this.#deps = deps
  }

  /** As of the last refresh; null when its leader has not answered. */
  get({ topic, partition }: TopicPartition): number | null {
    return this.#offsets.get(`${topic}-${partition}`) ?? null
  }

  /** Asks the leaders of those of `wanted` that are led elsewhere, unless it was done a moment ago. Never rejects. */
  async refresh(wanted: Iterable<TopicPartition>): Promise<void> {
    const now = this.#deps.clock.monotonicMs()
    if (now - this.#refreshedMs < REFRESH_INTERVAL_MS) return
    this.#refreshedMs = now
    const fresh = new Map<string, number>()
    const byLeader = this.#byLeader(wanted)
    await Promise.all(Array.from(byLeader, ([leader, partitions]) => this.#ask(leader, [...partitions.values()], fresh)))
    this.#offsets = fresh
  }

  #byLeader(wanted: Iterable<TopicPartition>): Map<NodeId, Map<string, TopicPartition>> {
    const byLeader = new Map<NodeId, Map<string, TopicPartition>>()
    let count = 0
    for (const one of wanted) {
      const leader = this.#deps.image().topics.byName.get(one.topic)?.partitions[one.partition]?.leader ?? null
      if (leader === null || leader === this.#nodeId || count >= PARTITIONS_MAX) continue
      const partitions = byLeader.get(leader) ?? new Map<string, TopicPartition>()
      partitions.set(`${one.topic}-${one.partition}`, one)
      byLeader.set(leader, partitions)
      count++
    }
    return byLeader
  }

  async #ask(leader: NodeId, partitions: readonly TopicPartition[], fresh: Map<string, number>): Promise<void> {
    const address = addressOf(this.#deps.image(), leader, this.#listener)
    if (address === null) return
    const answers = await this.#deps.client.latestOffsets(address, partitions)
    for (const { topic, partition, errorCode, offset } of answers) {
      if (errorCode === ErrorCode.NONE && offset >= 0) fresh.set(`${topic}-${partition}`, offset)
    }
  }
}
