/** What is committed, once and for all, as leaders declared it by their high watermarks; and what clients were told. */
import type { Uuid } from '@kavka/protocol'
import type { ShadowBatch } from '../node/shadow-log.ts'

export interface AckedBatch {
  readonly base: number
  readonly last: number
  readonly crc: number
}

interface ProducerTruth {
  epoch: number
  lastSequence: number
}

/** Of one partition of one topic id. */
export class PartitionTruth {
  readonly topicId: Uuid
  readonly topic: string
  readonly partition: number
  readonly committed: ShadowBatch[] = []
  readonly byBase = new Map<number, ShadowBatch>()
  readonly producers = new Map<number, ProducerTruth>()
  readonly acked: AckedBatch[] = []
  committedEnd = 0
  /** Largest end that a client was told by a leader. */
  exposedEnd = 0
  logStart = 0
  /** Smallest `min.insync.replicas` it ever had, capped by its replicas. */
  minIsr = Infinity
  isDeleted = false

  constructor(topicId: Uuid, topic: string, partition: number) {
    this.topicId = topicId
    this.topic = topic
    this.partition = partition
  }

  commit(batch: ShadowBatch): void {
    this.committed.push(batch)
    this.byBase.set(batch.base, batch)
    this.committedEnd = batch.last + 1
  }
}

export class Truth {
  readonly #partitions = new Map<string, PartitionTruth>()

  of(topicId: Uuid, topic: string, partition: number): PartitionTruth {
    const key = `${topicId}/${partition}`
    let truth = this.#partitions.get(key)
    if (truth === undefined) this.#partitions.set(key, (truth = new PartitionTruth(topicId, topic, partition)))
    return truth
  }

  all(): Iterable<PartitionTruth> {
    return this.#partitions.values()
  }
}
