import { comparedTopic } from '../compared-topic.ts'
import { tailLoad } from '../load/tail-load.ts'
import { bothSides } from '../measurement.ts'
import type { Measurement } from '../measurement.ts'
import { withServerUsage } from '../server-usage.ts'
import { baseCase } from './produce-case.ts'

/** Readers keep up with writers that write as fast as they can; the load is a program on Node. */
export const consumeCaughtUp: Measurement = {
  name: 'consume-caught-up', group: 'Consume', phase: 'warm', profile: 'full', sides: bothSides,
  rows: {
    rate: { title: 'Caught up: read while it is written', unit: 'MB/s', better: 'higher', target: 1 },
    cpu: { title: 'Caught up: writing and reading together', unit: 'CPU s/GB', better: 'lower', target: 1 },
  },
  async measure(bench) {
    const topic = await comparedTopic(bench, 'consume-caught-up', { partitions: baseCase.partitions })
    const { result: { bytes, seconds }, usage } = await withServerUsage(bench.cluster, () => (
      tailLoad({ ...baseCase, bootstrap: bench.cluster.bootstrap, topic, seconds: bench.sizes.seconds })
    ))
    return { rate: bytes / 1e6 / seconds, cpu: usage.cpuSeconds / (bytes / 1e9) }
  },
}
