import { comparedTopic } from '../compared-topic.ts'
import type { Bench, Sizes } from '../measurement.ts'
import { consumerPerformance } from '../tools/consumer-performance.ts'
import { producerPerformance } from '../tools/producer-performance.ts'
import { baseCase } from './produce-case.ts'

/** What the warm-up writes, and the consumers read. */
export const WARM_TOPIC = 'warm'

/** How many records are in it. */
export function warmRecords({ warmMegabytes }: Sizes): number {
  return Math.ceil((warmMegabytes * 1e6) / baseCase.recordBytes)
}

/** Compiles the code of both paths and touches the memory of the nodes, so that neither side is measured cold. */
export async function warmUp(bench: Bench): Promise<void> {
  const topic = await comparedTopic(bench, WARM_TOPIC, { partitions: baseCase.partitions })
  const { bootstrap } = bench.cluster
  const records = warmRecords(bench.sizes)
  await producerPerformance({ ...baseCase, bootstrap, topic, records, warmupRecords: 0, throughput: -1 })
  await consumerPerformance({ bootstrap, topic, records, group: 'warm-up' })
}
