/**
 * A warm cluster that waits for its turn stands still: three idle brokers of Kafka take a quarter of a core, which the other side would
 * pay, and stopping them would throw away what their JVMs have compiled.
 */
import { electLeadersRequestCodec, electLeadersResponseCodec } from '@kavka/protocol'
import { allInSync, wholeCluster } from './clusters/whole-cluster.ts'
import type { ComparedCluster } from './clusters/compared-cluster.ts'
import type { Bench } from './measurement.ts'
import { settled } from './settled.ts'

const THAW_MS_MAX = 120_000
const PREFERRED = 0

/** Stops every process where it is. */
export function freeze(cluster: ComparedCluster): void {
  signalAll(cluster, 'SIGSTOP')
}

/** Lets them go on; resolves when nothing of the time that they missed is to be seen any more: sessions, in-sync sets, leaders, and work. */
export async function thaw({ cluster, client, warmTopic }: Bench): Promise<void> {
  signalAll(cluster, 'SIGCONT')
  await wholeCluster(cluster, THAW_MS_MAX)
  await allInSync(client, [warmTopic], THAW_MS_MAX)
  const connection = await client.anyConnection()
  await connection.request(electLeadersRequestCodec, electLeadersResponseCodec, 2, { electionType: PREFERRED, topicPartitions: null, timeoutMs: 30_000 })
  await settled(cluster)
}

/** Lets them go on, to be ended. */
export function unfreeze(cluster: ComparedCluster): void {
  signalAll(cluster, 'SIGCONT')
}

function signalAll(cluster: ComparedCluster, signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const nodeId of cluster.nodeIds) {
    if (cluster.isRunning(nodeId)) process.kill(cluster.pid(nodeId), signal)
  }
}
