import { join } from 'node:path'
import type { ChaosNode } from '../cluster/chaos-cluster.ts'
import { compareReplicas, scanReplica } from './replica-scan.ts'

/**
 * K-DISK: all replicas of all partitions of a topic, byte by byte, once the nodes have stopped. `ends` are the high watermarks.
 */
export function checkDisks(
  nodes: readonly ChaosNode[],
  { topic, ends, replicasOf }: { readonly topic: string; readonly ends: readonly number[]; replicasOf(key: string): readonly number[] },
): string[] {
  return ends.flatMap((end, partition) => {
    const key = `${topic}-${partition}`
    const keepers = replicasOf(key)
    const replicas = nodes.filter(({ nodeId }) => keepers.includes(nodeId)).map((node) => scanReplica(node.nodeId, join(node.dataDirectory!, key)))
    const ofReplicas = replicas.flatMap(({ nodeId, problems }) => problems.map((problem) => `node ${nodeId}, ${key}: ${problem}`))
    return [...ofReplicas, ...compareReplicas(key, replicas, end)]
  })
}
