import { readdirSync } from 'node:fs'
import { eventually } from '../../process/eventually.ts'
import { firstWrites } from './load/first-writes.ts'
import type { Bench } from './measurement.ts'

export type Durability = 'page cache' | 'sync before ack'

/** What no number of records reaches: the system decides when to write. */
export const FLUSH_NEVER = '9223372036854775807'

/** A leader may not know yet that it leads: a record for each partition finds out, where they are few. Kafka's own tools try again. */
const WRITTEN_PARTITIONS_MAX = 100
const REMOVAL_MS_MAX = 120_000

export interface ComparedTopicOptions {
  readonly partitions: number
  readonly durability?: Durability
  readonly replicationFactor?: number
}

/** Creates a topic for one measurement, the same on both sides; resolves with its name when it can be written to. */
export async function comparedTopic(bench: Bench, name: string, options: ComparedTopicOptions): Promise<string> {
  const { partitions, durability = 'page cache', replicationFactor = 3 } = options
  const topic = `${name}-${bench.round}`
  bench.topics.push(topic)
  await bench.client.createTopic(topic, {
    partitions, replicationFactor,
    configs: {
      'flush.messages': durability === 'page cache' ? FLUSH_NEVER : '1',
      'min.insync.replicas': String(Math.min(2, replicationFactor)),
    },
  })
  if (partitions <= WRITTEN_PARTITIONS_MAX) await firstWrites(bench, topic, partitions)
  return topic
}

/** Deletes the topics of the measurement that has ended; resolves when their files are gone, which the next one must not pay. */
export async function removeTopics({ cluster, client, topics }: Bench): Promise<void> {
  const names = topics.splice(0)
  if (names.length === 0) return
  await client.deleteTopics(names)
  const running = cluster.nodeIds.filter((nodeId) => cluster.isRunning(nodeId))
  await eventually(() => running.every((nodeId) => !readdirSync(cluster.dataDirectory(nodeId)).some((entry) => isOf(entry, names))), {
    what: `the files of ${names.join(', ')} are gone`, withinMs: REMOVAL_MS_MAX, everyMs: 200,
  })
}

/** True for `topic-0` and for what waits to be deleted, `topic-0.<id>-delete`. */
function isOf(entry: string, topics: readonly string[]): boolean {
  return topics.some((topic) => entry.startsWith(`${topic}-`) && /^\d+(\.|$)/.test(entry.slice(topic.length + 1)))
}

/**
 * Properties of the nodes of both sides: they acknowledge from the page cache unless a topic says otherwise, and what is deleted goes
 * at once instead of in the middle of a later measurement.
 */
export const comparedProperties: Readonly<Record<string, string>> = {
  'log.flush.interval.messages': FLUSH_NEVER, 'log.segment.delete.delay.ms': '500',
}
