/** What is committed, once and for all, as leaders declared it by their high watermarks; and what clients were told. */
import type { Uuid } from '@kavka/protocol'
import type { ShadowBatch } from '../../node/shadow-log.ts'

export interface AckedBatch {
  readonly base: number
  readonly last: number
  readonly crc: number
}

interface ProducerTruth {
  epoch: number
  lastSequence: number
  lastOffset: number
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
  /** Behind the last batch that was acknowledged, to its producer's first or a later asking. */
  ackedEnd = 0
  committedEnd = 0
  /** Largest end that a client was told by a leader. */
  exposedEnd = 0
  logStart = 0
  /** Some replica has deleted what lay below by retention, or has begun anew behind it. */
  retainedFrom = 0
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
  readonly #topics = new Map<Uuid, PartitionTruth[]>()
  readonly #all: PartitionTruth[] = []

  of(topicId: Uuid, topic: string, partition: number): PartitionTruth {
    let partitions = this.#topics.get(topicId)
    if (partitions === undefined) this.#topics.set(topicId, (partitions = []))
    return partitions[partition] ?? this.#begin(partitions, new PartitionTruth(topicId, topic, partition))
  }

  all(): Iterable<PartitionTruth> {
    return this.#all
  }

  #begin(partitions: PartitionTruth[], truth: PartitionTruth): PartitionTruth {
    partitions[truth.partition] = truth
    this.#all.push(truth)
    return truth
  }
}
