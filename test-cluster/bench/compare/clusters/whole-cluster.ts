import { ClusterClient } from '../../../client/cluster-client.ts'
import { eventually } from '../../../process/eventually.ts'
import { addressOf } from './compared-cluster.ts'
import type { ComparedCluster } from './compared-cluster.ts'

/** Resolves when every node that runs knows every node that runs; throws at once when one of them has ended. */
export async function wholeCluster(cluster: ComparedCluster, withinMs = 120_000): Promise<void> {
  const running = cluster.nodeIds.filter((nodeId) => cluster.isRunning(nodeId))
  for (const nodeId of running) {
    const client = new ClusterClient(addressOf(cluster, nodeId))
    try {
      await eventually(async () => {
        cluster.pid(nodeId)
        const { brokers } = await client.metadata([])
        return running.every((expected) => brokers.some((broker) => broker.nodeId === expected))
      }, { what: `node ${nodeId} knows the whole cluster`, withinMs, fatal: () => !cluster.isRunning(nodeId) })
    } finally {
      client.close()
    }
  }
}

/** Resolves when every partition of the topic has all its replicas in sync, as the node that is asked first sees it. */
export async function allInSync(client: ClusterClient, topics: readonly string[], withinMs: number): Promise<void> {
  await eventually(async () => {
    const metadata = await client.metadata(topics)
    return metadata.topics.length === topics.length && metadata.topics.every(({ errorCode, partitions }) => (
      errorCode === 0 && partitions.length > 0 && partitions.every(isWhole)
    ))
  }, { what: `${topics.join(', ')}: every replica is in sync`, withinMs, everyMs: 50 })
}

/** True when it is led and every replica is in sync. */
export function isWhole({ leaderId, isrNodes, replicaNodes }: SeenPartition): boolean {
  return leaderId >= 0 && isrNodes.length === replicaNodes.length
}

/** One partition as a node sees it. */
export interface SeenPartition {
  readonly leaderId: number
  readonly isrNodes: readonly number[]
  readonly replicaNodes: readonly number[]
}
