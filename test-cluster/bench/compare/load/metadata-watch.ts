import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterClient } from '../../../client/cluster-client.ts'
import { addressOf } from '../clusters/compared-cluster.ts'
import type { ComparedCluster } from '../clusters/compared-cluster.ts'
import type { SeenPartition } from '../clusters/whole-cluster.ts'

const WAIT_MS_MAX = 300_000

/** Asks single nodes what they know of a topic. */
export class MetadataWatch {
  readonly #clients: ReadonlyMap<number, ClusterClient>

  constructor(cluster: ComparedCluster, nodeIds: readonly number[] = cluster.nodeIds) {
    this.#clients = new Map(nodeIds.map((nodeId) => [nodeId, new ClusterClient(addressOf(cluster, nodeId))]))
  }

  /** Resolves when each node says of so many partitions what is asked, asking each again `everyMs` after it answered. */
  async until(topic: string, partitions: number, holds: (partition: SeenPartition) => boolean, everyMs: number): Promise<void> {
    await Promise.all([...this.#clients].map(([nodeId, client]) => untilOne(client, nodeId, topic, partitions, holds, everyMs)))
  }

  close(): void {
    for (const client of this.#clients.values()) client.close()
  }
}

async function untilOne(
  client: ClusterClient, nodeId: number, topic: string, partitions: number, holds: (partition: SeenPartition) => boolean, everyMs: number,
): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS_MAX
  while (true) {
    const seen = await client.partitions(topic).catch(() => [])
    const count = seen.filter(holds).length
    if (count === partitions) return
    if (performance.now() > deadlineMs) throw new Error(`node ${nodeId}: ${count} of ${partitions} partitions of ${topic} within ${WAIT_MS_MAX} ms`)
    await sleep(everyMs)
  }
}
