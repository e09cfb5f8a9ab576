import { comparedTopic } from '../compared-topic.ts'
import { bothSides } from '../measurement.ts'
import type { Measurement } from '../measurement.ts'
import { producerPerformance } from '../tools/producer-performance.ts'
import { baseCase } from './produce-case.ts'

const RECORDS_PER_SECOND = 5000

/** Latency of acknowledgments well below what the cluster can take, where it is no length of a queue. */
export const producePaced: Measurement = {
  name: 'produce-paced', group: 'Produce, page cache', phase: 'warm', profile: 'full', sides: bothSides,
  rows: {
    p50: { title: '1 KiB at 5,000 records/s, p50', unit: 'ms', better: 'lower' },
    p99: { title: '1 KiB at 5,000 records/s, p99', unit: 'ms', better: 'lower', target: 1 },
    p999: { title: '1 KiB at 5,000 records/s, p99.9', unit: 'ms', better: 'lower' },
  },
  async measure(bench) {
    const topic = await comparedTopic(bench, 'produce-paced', { partitions: baseCase.partitions })
    const records = RECORDS_PER_SECOND * bench.sizes.seconds
    const { p50Ms, p99Ms, p999Ms } = await producerPerformance({
      ...baseCase, bootstrap: bench.cluster.bootstrap, topic, records: records + RECORDS_PER_SECOND * 2, warmupRecords: RECORDS_PER_SECOND * 2,
      throughput: RECORDS_PER_SECOND,
    })
    return { p50: p50Ms, p99: p99Ms, p999: p999Ms }
  },
}
