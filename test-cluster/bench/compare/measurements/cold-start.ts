import { usageOf } from '../../process-usage.ts'
import { wholeCluster } from '../clusters/whole-cluster.ts'
import { firstWrites } from '../load/first-writes.ts'
import type { Measurement } from '../measurement.ts'

const START_MS_MAX = 120_000

/** From starting three fresh nodes to a record that all of them have acknowledged. */
export const coldStart: Measurement = {
  name: 'cold-start', group: 'Starting and failing', phase: 'start', profile: 'quick', sides: ['kafka', 'kafka-quick-start', 'kavka'],
  rows: {
    seconds: { title: 'Cold start of three nodes to the first acknowledged record', unit: 's', better: 'lower', target: 1 / 8, inPicture: 'Cold start of three nodes' },
    cpu: { title: 'Cold start, CPU time of the three nodes', unit: 's', better: 'lower' },
  },
  async measure(bench) {
    const { cluster, client } = bench
    const startedMs = performance.now()
    for (const nodeId of cluster.nodeIds) cluster.launch(nodeId)
    await client.createTopic('first', { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': '2' }, withinMs: START_MS_MAX })
    await firstWrites(bench, 'first', 1)
    const seconds = (performance.now() - startedMs) / 1000
    const cpu = cluster.nodeIds.reduce((sum, nodeId) => sum + usageOf(cluster.pid(nodeId)).cpuSeconds, 0)
    await wholeCluster(cluster)
    return { seconds, cpu }
  },
}
