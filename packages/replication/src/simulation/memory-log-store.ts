/** The log directory of one simulated broker; its remains survive the broker. */
import { UNASSIGNED_DIRECTORY } from '@kavka/controller'
import { failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import { ErrorCode, topicPartitionName } from '@kavka/protocol'
import type { TopicPartition, Uuid } from '@kavka/protocol'
import type { LogConfig } from '@kavka/storage'
import type { LogStore } from '../log-store.ts'
import { MemoryPartitionLog } from './memory-partition-log.ts'
import type { ModelBatch } from './model-batch.ts'
import type { LogObserver, LogRemains, MemoryLogDependencies, MemoryLogOptions } from './memory-partition-log.ts'

export type Remains = Map<string, LogRemains>

export class MemoryLogStore implements LogStore {
  readonly #options: MemoryLogOptions
  readonly #dependencies: MemoryLogDependencies
  readonly #remains: Remains
  readonly #observer: LogObserver | null
  readonly #logs = new Map<string, MemoryPartitionLog>()
  readonly #checkpoints = new Map<string, number>()
  readonly strays: string[] = []

  constructor(
    options: MemoryLogOptions,
    dependencies: MemoryLogDependencies,
    remains: Remains = new Map(),
    observer: LogObserver | null = null,
  ) {
    this.#options = options
    this.#dependencies = dependencies
    this.#remains = remains
    this.#observer = observer
    for (const [name, { highWatermarkCheckpoint }] of remains) this.#checkpoints.set(name, highWatermarkCheckpoint)
  }

  get(topicPartition: TopicPartition): MemoryPartitionLog | null {
    return this.#logs.get(topicPartitionName(topicPartition)) ?? null
  }

  logs(): Iterable<MemoryPartitionLog> {
    return this.#logs.values()
  }

  getOrCreate(
    topicPartition: TopicPartition,
    topicId: Uuid,
    config: LogConfig,
  ): Result<MemoryPartitionLog, { readonly errorCode: number; readonly message: string }> {
    const name = topicPartitionName(topicPartition)
    const existing = this.#logs.get(name) ?? this.#remains.get(name)
    if (existing !== undefined && existing.topicId !== topicId) {
      return failure({ errorCode: ErrorCode.INCONSISTENT_TOPIC_ID, message: 'the directory is of another topic' })
    }
    if (existing instanceof MemoryPartitionLog) return success(existing)
    const log = new MemoryPartitionLog(
      { topicPartition, topicId, config },
      this.#options,
      this.#dependencies,
      existing ?? null,
    )
    log.observer = this.#observer
    this.#logs.set(name, log)
    return success(log)
  }

  directoryIdOf(topicPartition: TopicPartition): Uuid | null {
    return this.get(topicPartition) === null ? null : UNASSIGNED_DIRECTORY
  }

  delete(topicPartition: TopicPartition): void {
    this.#logs.delete(topicPartitionName(topicPartition))
    this.#remains.delete(topicPartitionName(topicPartition))
  }

  markStray(topicPartition: TopicPartition): void {
    this.strays.push(topicPartitionName(topicPartition))
    this.delete(topicPartition)
  }

  checkpointedHighWatermark(topicPartition: TopicPartition): number {
    return this.#checkpoints.get(topicPartitionName(topicPartition)) ?? 0
  }

  /** What a power cut now would certainly leave of it. */
  durableBatches(topicPartition: TopicPartition): readonly ModelBatch[] {
    const log = this.get(topicPartition)
    if (log === null) return this.#remains.get(topicPartitionName(topicPartition))?.batches ?? []
    return log.batches.filter(({ lastOffset }) => lastOffset < log.durableEndOffset)
  }

  /** Of these, what did not rot. */
  soundBatches(topicPartition: TopicPartition): readonly ModelBatch[] {
    const { rotten } = this.get(topicPartition) ?? this.#remains.get(topicPartitionName(topicPartition)) ?? { rotten: new Set() }
    return this.durableBatches(topicPartition).filter((batch) => !rotten.has(batch))
  }

  /** As every few seconds. */
  checkpoint(): void {
    for (const [name, log] of this.#logs) this.#checkpoints.set(name, log.highWatermark)
  }

  crash(): Remains {
    const remains: Remains = new Map(this.#remains)
    for (const [name, log] of this.#logs) remains.set(name, log.crashed(this.#checkpoints.get(name) ?? 0))
    return remains
  }

  close(): Remains {
    const remains: Remains = new Map(this.#remains)
    for (const [name, log] of this.#logs) remains.set(name, log.closed())
    return remains
  }
}
