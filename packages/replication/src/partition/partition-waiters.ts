/** Everyone who waits for something to happen to one partition: producers, deletions, consumers' fetches, followers' positions. */
import { ErrorCode } from '@kavka/protocol'
import type { CurrentLeader } from '../api.ts'
import { OffsetWaiters } from '../core/offset-waiters.ts'
import type { OffsetWaiter } from '../core/offset-waiters.ts'

/** A produce, or a deletion, that waits for an offset of this partition. */
export interface PartitionWaiter extends OffsetWaiter {
  finish(errorCode: number, currentLeader: CurrentLeader | null): void
}

/** A parked consumer fetch that has this partition among its own. */
export interface FetchWatch {
  /** More may be read, or nothing can be read any more. */
  partitionChanged(): void
}

/** A follower's position on a replication stream of this leader. */
export interface FollowerPositionListener {
  dataArrived(): void
  /** High watermark or log start moved: worth telling, but not by itself at once. */
  newsArrived(): void
}

export class PartitionWaiters {
  /** By the offset that this replica's own disk has to hold: acks=1. */
  readonly durable = new OffsetWaiters<PartitionWaiter>()
  /** By high watermark: acks=all. */
  readonly committed = new OffsetWaiters<PartitionWaiter>()
  /** By low watermark: DeleteRecords. */
  readonly deleted = new OffsetWaiters<PartitionWaiter>()
  readonly fetches = new Set<FetchWatch>()
  readonly positions = new Set<FollowerPositionListener>()

  madeDurable(durableEnd: number): void {
    this.durable.reached(durableEnd, (waiter) => waiter.finish(ErrorCode.NONE, null))
  }

  /** `errorCode`: what producers are told, who may have lost their replicas meanwhile. */
  highWatermarkMoved(highWatermark: number, errorCode: number): void {
    this.committed.reached(highWatermark, (waiter) => waiter.finish(errorCode, null))
    this.tellNews()
    this.wakeFetches()
  }

  lowWatermarkMoved(lowWatermark: number): void {
    this.deleted.reached(lowWatermark, (waiter) => waiter.finish(ErrorCode.NONE, null))
  }

  refuseCommitted(errorCode: number): void {
    this.committed.drain((waiter) => waiter.finish(errorCode, null))
  }

  /** Nobody can be satisfied any more. */
  answerAll(errorCode: number, leader: CurrentLeader | null): void {
    for (const waiters of [this.durable, this.committed, this.deleted]) waiters.drain((waiter) => waiter.finish(errorCode, leader))
    this.wakeFetches()
  }

  tellData(): void {
    for (const position of this.positions) position.dataArrived()
  }

  tellNews(): void {
    for (const position of this.positions) position.newsArrived()
  }

  wakeFetches(): void {
    for (const watch of this.fetches) watch.partitionChanged()
  }
}
