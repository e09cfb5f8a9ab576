import { seededRandom } from '@kavka/kernel'
import { eventually } from '../process/eventually.ts'
import { ProcessCluster } from '../process/process-cluster.ts'
import type { Verdict } from './verdict.ts'
import { WriteLoad } from './write-load.ts'

export interface KillReport {
  readonly verdict: Verdict
  /** Longest gap in acknowledged writes of any partition, for each kill. */
  readonly gapsMs: readonly number[]
}

const PARTITIONS = 6

/** `kill -9` of a random node (the controller's leader included) and its restart, `kills` times under load. */
export async function killBrokers(options: { readonly kills: number; readonly seed: number; readonly log?: (line: string) => void }): Promise<KillReport> {
  const { kills, seed, log = () => {} } = options
  const random = seededRandom(seed)
  const cluster = await ProcessCluster.start()
  try {
    const load = await WriteLoad.start({ bootstrap: cluster.bootstrap, topic: 'payments', partitions: PARTITIONS })
    const gapsMs: number[] = []
    for (let kill = 1; kill <= kills; kill++) {
      await settled(load)
      const victim = cluster.nodes[random.below(cluster.nodes.length)]!
      const killedMs = performance.now()
      await victim.signal('SIGKILL')
      await eventually(() => {
        load.assertAlive()
        return load.allWroteSince(killedMs)
      }, { what: `writes go on after the kill of node ${victim.nodeId}`, withinMs: 60_000, fatal: () => false })
      gapsMs.push(load.longestGapMs(killedMs, performance.now()))
      victim.launch()
      await victim.serving()
      log(`kill ${kill}/${kills}: node ${victim.nodeId}, longest gap ${gapsMs.at(-1)!.toFixed(0)} ms, ${load.acknowledgedCount()} batches acknowledged`)
    }
    await settled(load)
    await load.stop()
    const verdict = await load.verify()
    load.close()
    return { verdict, gapsMs }
  } catch (error) {
    throw new Error(`${String(error)}\n${cluster.nodes.map((node) => `--- node ${node.nodeId}\n${node.log().slice(-3000)}`).join('\n')}`, { cause: error })
  } finally {
    await cluster.dispose()
  }
}

/** Until every replica is in sync again: the next kill must not take the second of two copies. */
async function settled(load: WriteLoad): Promise<void> {
  await eventually(async () => {
    load.assertAlive()
    const partitions = await load.client.partitions('payments')
    return partitions.every((one) => one.isrNodes.length === 3)
  }, { what: 'every partition has three in-sync replicas', withinMs: 60_000, everyMs: 50 })
}

/** `p50 …, p90 …, max …` */
export function distribution(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(0)
  return `min ${at(0)}, p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(1)} ms`
}
