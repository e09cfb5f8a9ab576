import { setTimeout as sleep } from 'node:timers/promises'
import type { ComparedCluster } from '../clusters/compared-cluster.ts'
import type { Measurement } from '../measurement.ts'
import { rssMegabytes, withServerUsage } from '../server-usage.ts'

const SETTLE_MS = 2000

/** Nodes that have just started and have nothing to do. */
export const idle: Measurement = {
  name: 'idle', group: 'Memory and idling', phase: 'fresh', profile: 'quick', sides: ['kafka', 'kafka-quick-start', 'kavka'],
  rows: {
    rss: { title: 'Memory of an idle node', unit: 'MB', better: 'lower', target: 0.25, inPicture: 'Memory of an idle node' },
    cpu: { title: 'CPU of an idle node', unit: '% of a core', better: 'lower' },
  },
  measure: ({ cluster, sizes }) => idleUse(cluster, sizes.idleSeconds),
}

/** Memory and CPU of a node, as the mean over those that run, while nobody asks anything of them. */
export async function idleUse(cluster: ComparedCluster, seconds: number): Promise<{ readonly rss: number; readonly cpu: number }> {
  await sleep(SETTLE_MS)
  const { usage } = await withServerUsage(cluster, () => sleep(seconds * 1000))
  const running = cluster.nodeIds.filter((nodeId) => cluster.isRunning(nodeId)).length
  return { rss: rssMegabytes(cluster), cpu: (usage.cpuSeconds / usage.seconds / running) * 100 }
}
