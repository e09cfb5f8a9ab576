import { usageOf } from '../process-usage.ts'
import type { ComparedCluster } from './clusters/compared-cluster.ts'

const SAMPLE_EVERY_MS = 250

/** What the servers alone used while something was done. */
export interface ServerUsage {
  readonly cpuSeconds: number
  readonly writtenBytes: number
  readonly seconds: number
  /** Largest resident memory seen, as the mean over the nodes. */
  readonly rssMegabytesMax: number
}

/** Does something and says what the nodes that run used meanwhile. */
export async function withServerUsage<T>(cluster: ComparedCluster, work: () => Promise<T>): Promise<{ readonly result: T; readonly usage: ServerUsage }> {
  const startedMs = performance.now()
  const before = totals(cluster)
  let rssMegabytesMax = before.rssMegabytes
  const sampling = setInterval(() => {
    rssMegabytesMax = Math.max(rssMegabytesMax, rssIfAlive(cluster))
  }, SAMPLE_EVERY_MS)
  try {
    const result = await work()
    const after = totals(cluster)
    return {
      result,
      usage: {
        cpuSeconds: after.cpuSeconds - before.cpuSeconds,
        writtenBytes: after.writtenBytes - before.writtenBytes,
        seconds: (performance.now() - startedMs) / 1000,
        rssMegabytesMax: Math.max(rssMegabytesMax, after.rssMegabytes),
      },
    }
  } finally {
    clearInterval(sampling)
  }
}

/** Resident memory now, as the mean over the nodes that run. */
export function rssMegabytes(cluster: ComparedCluster): number {
  return totals(cluster).rssMegabytes
}

/** A process may end between two samples; whoever asks the cluster next gets told. */
function rssIfAlive(cluster: ComparedCluster): number {
  try {
    return totals(cluster).rssMegabytes
  } catch {
    return 0
  }
}

function totals(cluster: ComparedCluster): { cpuSeconds: number; writtenBytes: number; rssMegabytes: number } {
  const usages = cluster.nodeIds.filter((nodeId) => cluster.isRunning(nodeId)).map((nodeId) => usageOf(cluster.pid(nodeId)))
  const sum = (pick: (usage: (typeof usages)[number]) => number): number => usages.reduce((total, usage) => total + pick(usage), 0)
  return {
    cpuSeconds: sum((usage) => usage.cpuSeconds), writtenBytes: sum((usage) => usage.writtenBytes),
    rssMegabytes: sum((usage) => usage.rssMegabytes) / Math.max(1, usages.length),
  }
}
