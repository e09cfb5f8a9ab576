import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../process/eventually.ts'
import type { ComparedCluster } from './clusters/compared-cluster.ts'
import { withServerUsage } from './server-usage.ts'

const WINDOW_MS = 1000
const WINDOWS_MAX = 90
const CALM_WINDOWS = 4
/** Less than this of a core in a window, over all nodes, is rest on any machine. */
const REST_SHARE = 0.01

/**
 * Resolves when the servers have stopped working on what they were given: when several windows in a row were no busier than the quietest
 * so far and a fifth. A cluster that never comes to rest counts as settled after a minute and a half.
 */
export async function settled(cluster: ComparedCluster): Promise<void> {
  let quietest = Infinity
  let calm = 0
  for (let window = 0; window < WINDOWS_MAX && calm < CALM_WINDOWS; window++) {
    const { usage } = await withServerUsage(cluster, () => sleep(WINDOW_MS))
    const share = usage.cpuSeconds / usage.seconds
    calm = share <= Math.max(REST_SHARE, quietest * 1.2) ? calm + 1 : 0
    quietest = Math.min(quietest, share)
  }
}

/** Resolves when every node has a folder for every partition: metadata says that they exist before they do. */
export async function onEveryDisk(cluster: ComparedCluster, topic: string, partitions: number, withinMs: number): Promise<void> {
  const expected = cluster.nodeIds.flatMap((nodeId) => (
    Array.from({ length: partitions }, (_, partition) => join(cluster.dataDirectory(nodeId), `${topic}-${partition}`))
  ))
  let found = 0
  await eventually(() => {
    while (found < expected.length && existsSync(expected[found]!)) found += 1
    return found === expected.length
  }, { what: `every node has ${partitions} partitions of ${topic}`, withinMs })
}
