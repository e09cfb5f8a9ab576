import { basename, dirname, join } from 'node:path'
import type { ChaosNode } from '../cluster/chaos-cluster.ts'
import type { Rot } from '../nemeses/bit-flips.ts'
import { compareReplicas, scanReplica } from './replica-scan.ts'

export interface DiskCheckOptions {
  readonly topic: string
  /** High watermarks. */
  readonly ends: readonly number[]
  /** Bits that were turned around on purpose. */
  readonly rot: readonly Rot[]
  replicasOf(key: string): readonly number[]
}

export interface DiskFindings {
  readonly problems: readonly string[]
  /** Bits that rotted on purpose and that nobody has read since; they were left out of the comparison. */
  readonly unread: number
}

/** K-DISK: all replicas of all partitions of a topic, byte by byte, once the nodes have stopped. */
export function checkDisks(nodes: readonly ChaosNode[], { topic, ends, rot, replicasOf }: DiskCheckOptions): DiskFindings {
  let unread = 0
  const problems = ends.flatMap((end, partition) => {
    const key = `${topic}-${partition}`
    const keepers = replicasOf(key)
    const replicas = nodes.filter(({ nodeId }) => keepers.includes(nodeId)).map((node) => {
      const ofFolder = rot.filter(({ nodeId, file }) => nodeId === node.nodeId && dirname(file) === key)
      return scanReplica(node.nodeId, join(node.dataDirectory!, key), Map.groupBy(ofFolder, ({ file }) => basename(file)))
    })
    for (const replica of replicas) unread += replica.unread
    const ofReplicas = replicas.flatMap(({ nodeId, problems: found }) => found.map((problem) => `node ${nodeId}, ${key}: ${problem}`))
    return [...ofReplicas, ...compareReplicas(key, replicas, end)]
  })
  return { problems, unread }
}
