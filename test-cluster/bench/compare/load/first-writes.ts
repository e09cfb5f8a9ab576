import { eventually } from '../../../process/eventually.ts'
import { PartitionWriter } from '../../../scenarios/partition-writer.ts'
import type { Bench } from '../measurement.ts'

const WRITE_MS_MAX = 1_200_000

/** Resolves when each of the first partitions of a topic has acknowledged a record; throws when a node has ended meanwhile. */
export async function firstWrites({ client, cluster }: Bench, topic: string, partitions: number): Promise<void> {
  const writers = Array.from({ length: partitions }, (_, partition) => new PartitionWriter(client, {
    topic, partition, name: 'first', recordsPerBatch: 1, valueBytes: 100, producer: null, nowMs: () => performance.now(),
  }))
  const running = Promise.all(writers.map((writer) => writer.run(1)))
  running.catch(() => {})
  const isDead = (): boolean => cluster.nodeIds.some((nodeId) => !cluster.isRunning(nodeId))
  try {
    await eventually(() => {
      for (const nodeId of cluster.nodeIds) cluster.pid(nodeId)
      return writers.every(({ acknowledged }) => acknowledged.length > 0)
    }, { what: `${topic} is written to`, withinMs: WRITE_MS_MAX, everyMs: 1, fatal: isDead })
  } finally {
    for (const writer of writers) writer.stop()
  }
  await running
}
