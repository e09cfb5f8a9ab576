import type { TopicPartition, Uuid } from '@kavka/protocol'
import { PartitionTable } from '../core/partition-table.ts'
import type { Partition } from '../partition/partition.ts'
import type { PartitionKey } from '../ports.ts'

/** The replicas of this broker, by topic name and by topic id. */
export class HostedPartitions {
  readonly #byName = new Map<string, Map<number, Partition>>()
  readonly #byId = new PartitionTable<Partition>()

  get size(): number {
    return this.#byId.size
  }

  find(topicPartition: TopicPartition): Partition | null {
    return this.#byName.get(topicPartition.topic)?.get(topicPartition.partition) ?? null
  }

  findById(key: PartitionKey): Partition | null {
    return this.#byId.get(key) ?? null
  }

  ofTopic(topicId: Uuid): Partition[] {
    return [...this.#byId.ofTopic(topicId)]
  }

  all(): Iterable<Partition> {
    return this.#byId.values()
  }

  add(partition: Partition): void {
    const { topic, partition: number } = partition.topicPartition
    let numbers = this.#byName.get(topic)
    if (numbers === undefined) this.#byName.set(topic, (numbers = new Map()))
    numbers.set(number, partition)
    this.#byId.set(partition, partition)
  }

  /** The name may belong to a topic created anew by now: then only the id goes. */
  remove(partition: Partition): void {
    this.#byId.delete(partition)
    const { topic, partition: number } = partition.topicPartition
    const numbers = this.#byName.get(topic)
    if (numbers?.get(number) !== partition) return
    numbers.delete(number)
    if (numbers.size === 0) this.#byName.delete(topic)
  }
}
