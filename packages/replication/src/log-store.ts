import type { Result } from '@kavka/kernel'
import type { TopicPartition, Uuid } from '@kavka/protocol'
import type { LogConfig, PartitionLog } from '@kavka/storage'

/** What the replica manager needs of the disk; the log manager of storage is one. */
export interface LogStore {
  get(topicPartition: TopicPartition): PartitionLog | null
  logs(): Iterable<PartitionLog>
  /**
   * The log of that topic id, made if there is none; INCONSISTENT_TOPIC_ID when the directory belongs to another. `assigned`: the log
   * directory where the metadata says that it lies; KAFKA_STORAGE_ERROR when that is offline.
   */
  getOrCreate(
    topicPartition: TopicPartition,
    topicId: Uuid,
    config: LogConfig,
    assigned?: Uuid | null,
  ): Result<PartitionLog, { readonly errorCode: number; readonly message: string }>
  /** Id of the log directory that holds the log of the partition; null when there is none. */
  directoryIdOf(topicPartition: TopicPartition): Uuid | null
  delete(topicPartition: TopicPartition): void
  markStray(topicPartition: TopicPartition): void
  /** 0 when there is none. */
  checkpointedHighWatermark(topicPartition: TopicPartition): number
}
