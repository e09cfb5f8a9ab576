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

/** Does something and says what the nodes that run used meanwhile. */
export async function withServerUsage<T>(cluster: ComparedCluster, work: () => Promise<T>): Promise<{ readonly result: T; readonly usage: ServerUsage }> {
  const startedMs = performance.now()
  const before = totals(cluster)
  let rssMegabytesMax = before.rssMegabytes
  const track = new CpuTrack()
  track.add(Date.now(), before.cpuSeconds)
  const sampling = setInterval(() => {
    const now = totalsIfAlive(cluster)
    if (now === null) return
    rssMegabytesMax = Math.max(rssMegabytesMax, now.rssMegabytes)
    track.add(Date.now(), now.cpuSeconds)
  }, SAMPLE_EVERY_MS)
  try {
    const result = await work()
    const after = totals(cluster)
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
  return totals(cluster).rssMegabytes
}

/** A process may end between two samples; whoever asks the cluster next gets told. */
function totalsIfAlive(cluster: ComparedCluster): ReturnType<typeof totals> | null {
  try {
    return totals(cluster)
  } catch {
    return null
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
