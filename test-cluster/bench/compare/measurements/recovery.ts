import { setTimeout as sleep } from 'node:timers/promises'
import { usageOf } from '../../process-usage.ts'
import { comparedTopic } from '../compared-topic.ts'
import { firstWrites } from '../load/first-writes.ts'
import { bothSides } from '../measurement.ts'
import type { Measurement } from '../measurement.ts'
import { forgetFiles, segmentsOf } from '../page-cache.ts'
import { producerPerformance } from '../tools/producer-performance.ts'
import { baseCase } from './produce-case.ts'

const PARTITIONS = 12
const SETTLE_MS = 1000

/** A node that was killed reads what it cannot trust, from the disk, before it takes writes again. */
export const recovery: Measurement = {
  name: 'recovery', group: 'Starting and failing', phase: 'own', profile: 'full', sides: bothSides, nodes: 1,
  rows: {
    seconds: { title: 'Recovery of one full node after kill -9, until every partition is written to', unit: 's', better: 'lower', target: 1 },
    cpu: { title: 'Recovery, CPU time', unit: 's', better: 'lower' },
    rss: { title: 'Recovery, memory after it', unit: 'MB', better: 'lower' },
  },
  async measure(bench) {
    const topic = await comparedTopic(bench, 'recovery', { partitions: PARTITIONS, replicationFactor: 1 })
    const { cluster, sizes } = bench
    await producerPerformance({
      ...baseCase, bootstrap: cluster.bootstrap, topic, records: Math.ceil((sizes.recoveryMegabytes * 1e6) / 10_240), recordBytes: 10_240,
      batchBytes: 131_072, acks: '1', warmupRecords: 0, throughput: -1,
    })
    await sleep(SETTLE_MS)
    const nodeId = cluster.nodeIds[0]!
    await cluster.end(nodeId, 'SIGKILL')
    await forgetFiles(segmentsOf(cluster.dataDirectory(nodeId), topic))
    const startedMs = performance.now()
    cluster.launch(nodeId)
    await firstWrites(bench, topic, PARTITIONS)
    const { cpuSeconds, rssMegabytes } = usageOf(cluster.pid(nodeId))
    return { seconds: (performance.now() - startedMs) / 1000, cpu: cpuSeconds, rss: rssMegabytes }
  },
}
