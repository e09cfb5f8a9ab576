/** The fetchers of this broker, one for each leader broker that it follows something from. */
import type { NodeId } from '@kavka/protocol'
import { FollowerFetcher } from './follower-fetcher.ts'
import type { FollowerFetcherDependencies, FollowerFetcherOptions } from './follower-fetcher.ts'
import type { Partition } from '../partition/partition.ts'

export class FollowerFetchers {
  readonly #options: Omit<FollowerFetcherOptions, 'leaderId'>
  readonly #dependencies: FollowerFetcherDependencies
  readonly #fetchers = new Map<NodeId, FollowerFetcher>()
  readonly #followed = new Map<Partition, FollowerFetcher>()

  constructor(options: Omit<FollowerFetcherOptions, 'leaderId'>, dependencies: FollowerFetcherDependencies) {
    this.#options = options
    this.#dependencies = dependencies
  }

  get troubledPartitions(): number {
    let count = 0
    for (const fetcher of this.#fetchers.values()) count += fetcher.troubledPartitions
    return count
  }

  follow(partition: Partition, leaderId: NodeId): void {
    const fetcher = this.#fetcherOf(leaderId)
    if (this.#followed.get(partition) !== fetcher) this.unfollow(partition)
    this.#followed.set(partition, fetcher)
    fetcher.follow(partition)
  }

  unfollow(partition: Partition): void {
    this.#followed.get(partition)?.unfollow(partition)
    this.#followed.delete(partition)
  }

  acknowledge(partition: Partition): void {
    this.#followed.get(partition)?.acknowledge(partition)
  }

  /** `reconnect`: it registered anew or moved; `retry`: something else about it changed. */
  leaderChanged(leaderId: NodeId, change: 'reconnect' | 'retry'): void {
    const fetcher = this.#fetchers.get(leaderId)
    if (change === 'reconnect') fetcher?.reconnect()
    else fetcher?.retryNow()
  }

  /** This broker registered anew: streams opened under the old broker epoch no longer count. */
  reconnectAll(): void {
    for (const fetcher of this.#fetchers.values()) fetcher.reconnect()
  }

  stop(): void {
    for (const fetcher of this.#fetchers.values()) fetcher.stop()
    this.#fetchers.clear()
    this.#followed.clear()
  }

  #fetcherOf(leaderId: NodeId): FollowerFetcher {
    const known = this.#fetchers.get(leaderId)
    if (known !== undefined) return known
    const fetcher = new FollowerFetcher({ ...this.#options, leaderId }, this.#dependencies)
    this.#fetchers.set(leaderId, fetcher)
    return fetcher
  }
}
