import { comparedTopic } from '../compared-topic.ts'
import { kafkajsConsume, kafkajsProduce } from '../load/kafkajs-load.ts'
import { bothSides } from '../measurement.ts'
import type { Measurement } from '../measurement.ts'
import { withServerUsage } from '../server-usage.ts'
import { baseCase } from './produce-case.ts'

const RECORDS_PER_SEND = 100

/** A client in pure JavaScript: a hundred records a request, over twelve partitions. */
export const nodeClient: Measurement = {
  name: 'node-client', group: 'kafkajs', phase: 'warm', profile: 'full', sides: bothSides,
  rows: {
    produceRate: { title: 'Produce, 1 KiB', unit: 'MB/s', better: 'higher', target: 1 },
    produceCpu: { title: 'Produce, 1 KiB', unit: 'CPU s/GB', better: 'lower' },
    consumeRate: { title: 'Consume, 1 KiB', unit: 'MB/s', better: 'higher', target: 1 },
    consumeCpu: { title: 'Consume, 1 KiB', unit: 'CPU s/GB', better: 'lower' },
  },
  async measure(bench) {
    const topic = await comparedTopic(bench, 'node-client', { partitions: baseCase.partitions })
    const records = Math.ceil((bench.sizes.megabytes * 1e6) / baseCase.recordBytes / RECORDS_PER_SEND) * RECORDS_PER_SEND
    const load = { bootstrap: bench.cluster.bootstrap, topic, records, recordBytes: baseCase.recordBytes }
    const megabytes = (records * baseCase.recordBytes) / 1e6
    const produced = await withServerUsage(bench.cluster, () => kafkajsProduce(load))
    const consumed = await withServerUsage(bench.cluster, () => kafkajsConsume(load, 'node-client'))
    return {
      produceRate: megabytes / produced.result, produceCpu: produced.usage.cpuSeconds / (megabytes / 1000),
      consumeRate: megabytes / consumed.result, consumeCpu: consumed.usage.cpuSeconds / (megabytes / 1000),
    }
  },
}
