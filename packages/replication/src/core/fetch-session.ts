import { ErrorCode } from '@kavka/protocol'
import type { Uuid } from '@kavka/protocol'

/** Request epochs with a meaning of their own (KIP-227). */
export const FULL_FETCH_EPOCH = 0
export const FINAL_FETCH_EPOCH = -1
export const NO_SESSION_ID = 0
const EPOCH_MAX = 2 ** 31 - 1

/** Epochs count requests of a session and wrap past the largest int32 to 1. */
export function nextSessionEpoch(epoch: number): number {
  if (epoch < 0) return FINAL_FETCH_EPOCH
  return epoch === EPOCH_MAX ? 1 : epoch + 1
}

/** From version 13 on requests name topics by id; a session keeps to one way (KIP-516). */
export type SessionNaming = 'topic-id' | 'topic-name'

/** One partition as a Fetch request names it: `topic` is '' with ids, `topicId` the zero id with names. */
export interface SessionFetchPartition {
  readonly topic: string
  readonly topicId: Uuid
  readonly partition: number
  readonly fetchOffset: number
  readonly bytesMax: number
  readonly currentLeaderEpoch: number
  readonly lastFetchedEpoch: number
  readonly logStartOffset: number
}

export type SessionPartitionName = Pick<SessionFetchPartition, 'topic' | 'topicId' | 'partition'>

/** What decides whether an incremental response mentions a partition; `FetchPartitionResult` is one. */
export interface SessionPartitionResult {
  readonly errorCode: number
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly recordsSizeBytes: number
  readonly preferredReadReplica: number | null
  readonly divergingEpoch: object | null
}

interface CachedPartition {
  request: SessionFetchPartition
  /** As of the last response that mentioned it; -1 makes the next one mention it. */
  highWatermark: number
  logStartOffset: number
}

/** The partitions of one client on one connection, remembered so that requests and responses carry changes alone. */
export class FetchSession {
  readonly id: number
  readonly naming: SessionNaming
  /** Followers' sessions are not evicted for the sake of consumers. */
  readonly isPrivileged: boolean
  readonly createdMs: number
  lastUsedMs: number
  /** The epoch that the next request must carry. */
  epoch: number
  /** In the order in which they are read: those that returned data move to the end. */
  readonly #partitions = new Map<string, CachedPartition>()

  constructor(options: { id: number; naming: SessionNaming; isPrivileged: boolean; nowMs: number }) {
    this.id = options.id
    this.naming = options.naming
    this.isPrivileged = options.isPrivileged
    this.createdMs = options.nowMs
    this.lastUsedMs = options.nowMs
    this.epoch = nextSessionEpoch(FULL_FETCH_EPOCH)
  }

  get size(): number {
    return this.#partitions.size
  }

  /** Adds or changes, then forgets, in the order of Kafka: a partition named in both is gone. */
  update(changed: readonly SessionFetchPartition[], forgotten: readonly SessionPartitionName[]): void {
    for (const partition of changed) {
      const cached = this.#partitions.get(this.#key(partition))
      if (cached !== undefined) cached.request = partition
      else this.#add(partition)
    }
    for (const partition of forgotten) this.#partitions.delete(this.#key(partition))
  }

  partitions(): SessionFetchPartition[] {
    return Array.from(this.#partitions.values(), (cached) => cached.request)
  }

  /** Is there anything in `result` that the client does not know? Remembers what it is told. */
  tell(partition: SessionFetchPartition, result: SessionPartitionResult): boolean {
    const key = this.#key(partition)
    const cached = this.#partitions.get(key)
    if (cached === undefined) return true
    const isNews = hasNews(cached, result)
    cached.highWatermark = result.errorCode === ErrorCode.NONE ? result.highWatermark : -1
    cached.logStartOffset = result.logStartOffset
    if (result.recordsSizeBytes > 0) {
      this.#partitions.delete(key)
      this.#partitions.set(key, cached)
    }
    return isNews
  }

  #add(partition: SessionFetchPartition): void {
    this.#partitions.set(this.#key(partition), { request: partition, highWatermark: -1, logStartOffset: -1 })
  }

  #key(partition: SessionPartitionName): string {
    return `${this.naming === 'topic-id' ? partition.topicId : partition.topic}/${partition.partition}`
  }
}

function hasNews(cached: CachedPartition, result: SessionPartitionResult): boolean {
  return (
    result.recordsSizeBytes > 0 ||
    result.errorCode !== ErrorCode.NONE ||
    result.highWatermark !== cached.highWatermark ||
    result.logStartOffset !== cached.logStartOffset ||
    result.preferredReadReplica !== null ||
    result.divergingEpoch !== null
  )
}
