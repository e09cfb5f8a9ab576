import { comparedTopic, removeTopics } from '../compared-topic.ts'
import type { Bench, Sizes } from '../measurement.ts'
import { withServerUsage } from '../server-usage.ts'
import { consumerPerformance } from '../tools/consumer-performance.ts'
import { producerPerformance } from '../tools/producer-performance.ts'
import { baseCase } from './produce-case.ts'

/** A JVM that is still not at rest after so many steps is measured as it is. */
const STEPS_MAX = 10
/** Steps in a row without a new best before a cluster counts as warm. */
const CALM_STEPS = 2
/** A step that is cheaper by less than this is no new best. */
const WORTHWHILE = 0.95

/** How many records the consumers read. */
export function warmRecords({ warmMegabytes }: Sizes): number {
  return Math.ceil((warmMegabytes * 1e6) / baseCase.recordBytes)
}

/**
 * Compiles the code of both paths and touches the memory of the nodes: writes and reads step by step until that gets no cheaper, so that
 * neither side is measured cold. Resolves with the topic that the consumers read, and the CPU seconds per GB of each step.
 */
export async function warmUp(bench: Bench): Promise<{ readonly topic: string; readonly costs: readonly number[] }> {
  const topic = await comparedTopic(bench, 'warm', { partitions: baseCase.partitions })
  bench.topics.splice(bench.topics.indexOf(topic), 1)
  const costs = [await step(bench, topic, topic, 0)]
  while (costs.length < STEPS_MAX && !isAtRest(costs)) {
    const more = await comparedTopic(bench, `warm-more-${costs.length}`, { partitions: baseCase.partitions })
    costs.push(await step(bench, more, topic, costs.length))
    // Left alone, they would drive what the consumers are to read out of the page cache.
    await removeTopics(bench)
  }
  return { topic, costs }
}

/** True when the last steps brought nothing. */
export function isAtRest(costs: readonly number[]): boolean {
  const best = costs.reduce<{ readonly cost: number; readonly at: number }>(
    (known, cost, at) => (cost < known.cost * WORTHWHILE ? { cost, at } : known), { cost: Infinity, at: -1 },
  )
  return costs.length - 1 - best.at >= CALM_STEPS
}

async function step({ cluster, sizes, round }: Bench, written: string, read: string, index: number): Promise<number> {
  const { bootstrap } = cluster
  const records = warmRecords(sizes)
  const { usage } = await withServerUsage(cluster, () => (
    producerPerformance({ ...baseCase, bootstrap, topic: written, records, warmupRecords: 0, throughput: -1 })
  ))
  await consumerPerformance({ bootstrap, topic: read, records, group: `warm-up-${round}-${index}` })
  return usage.cpuSeconds / (sizes.warmMegabytes / 1000)
}
