import { usageOf } from '../process-usage.ts'
import type { ComparedCluster } from './clusters/compared-cluster.ts'
import { CpuTrack } from './cpu-track.ts'

const SAMPLE_EVERY_MS = 100

/** What the servers alone used while something was done. */
export interface ServerUsage {
  readonly cpuSeconds: number
  readonly writtenBytes: number
  readonly seconds: number
  /** Largest resident memory seen, as the mean over the nodes. */
  readonly rssMegabytesMax: number
  /** CPU time by the time of day (Date.now()). */
  readonly track: CpuTrack
}

/** Does something and says what the nodes that run used meanwhile. Throws with its log when one of them has ended. */
export async function withServerUsage<T>(cluster: ComparedCluster, work: () => Promise<T>): Promise<{ readonly result: T; readonly usage: ServerUsage }> {
  const startedMs = performance.now()
  const nodeIds = cluster.nodeIds.filter((nodeId) => cluster.isRunning(nodeId))
  const before = totals(cluster, nodeIds)
  let rssMegabytesMax = before.rssMegabytes
  const track = new CpuTrack()
  track.add(Date.now(), before.cpuSeconds)
  const sampling = setInterval(() => {
    const now = totalsIfAlive(cluster, nodeIds)
    if (now === null) return
    rssMegabytesMax = Math.max(rssMegabytesMax, now.rssMegabytes)
    track.add(Date.now(), now.cpuSeconds)
  }, SAMPLE_EVERY_MS)
  try {
    const result = await work()
    const after = totals(cluster, nodeIds)
    track.add(Date.now(), after.cpuSeconds)
    return {
      result,
      usage: {
        cpuSeconds: after.cpuSeconds - before.cpuSeconds,
        writtenBytes: after.writtenBytes - before.writtenBytes,
        seconds: (performance.now() - startedMs) / 1000,
        rssMegabytesMax: Math.max(rssMegabytesMax, after.rssMegabytes),
        track,
      },
    }
  } finally {
    clearInterval(sampling)
  }
}

/** Resident memory now, as the mean over the nodes that run. */
export function rssMegabytes(cluster: ComparedCluster): number {
  return totals(cluster, cluster.nodeIds.filter((nodeId) => cluster.isRunning(nodeId))).rssMegabytes
}

/** A process may end between two samples; whoever asks the cluster next gets told. */
function totalsIfAlive(cluster: ComparedCluster, nodeIds: readonly number[]): ReturnType<typeof totals> | null {
  try {
    return totals(cluster, nodeIds)
  } catch {
    return null
  }
}

function totals(cluster: ComparedCluster, nodeIds: readonly number[]): { cpuSeconds: number; writtenBytes: number; rssMegabytes: number } {
  const usages = nodeIds.map((nodeId) => usageOf(cluster.pid(nodeId)))
  const sum = (pick: (usage: (typeof usages)[number]) => number): number => usages.reduce((total, usage) => total + pick(usage), 0)
  return {
    cpuSeconds: sum((usage) => usage.cpuSeconds), writtenBytes: sum((usage) => usage.writtenBytes),
    rssMegabytes: sum((usage) => usage.rssMegabytes) / Math.max(1, usages.length),
  }
}
