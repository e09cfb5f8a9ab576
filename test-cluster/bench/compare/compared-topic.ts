import { firstWrites } from './load/first-writes.ts'
import type { Bench } from './measurement.ts'

export type Durability = 'page cache' | 'sync before ack'

/** What no number of records reaches: the system decides when to write. */
export const FLUSH_NEVER = '9223372036854775807'

/** A leader may not know yet that it leads: a record for each partition finds out, where they are few. Kafka's own tools try again. */
const WRITTEN_PARTITIONS_MAX = 100

export interface ComparedTopicOptions {
  readonly partitions: number
  readonly durability?: Durability
  readonly replicationFactor?: number
}

/** Creates a topic for one measurement, the same on both sides; resolves with its name when it can be written to. */
export async function comparedTopic(bench: Bench, name: string, options: ComparedTopicOptions): Promise<string> {
  const { partitions, durability = 'page cache', replicationFactor = 3 } = options
  await bench.client.createTopic(name, {
    partitions, replicationFactor,
    configs: {
      'flush.messages': durability === 'page cache' ? FLUSH_NEVER : '1',
      'min.insync.replicas': String(Math.min(2, replicationFactor)),
    },
  })
  if (partitions <= WRITTEN_PARTITIONS_MAX) await firstWrites(bench, name, partitions)
  return name
}

/** Properties that make both sides acknowledge from the page cache unless a topic says otherwise. */
export const pageCacheProperties: Readonly<Record<string, string>> = { 'log.flush.interval.messages': FLUSH_NEVER }
