import { comparedTopic } from '../compared-topic.ts'
import { pacedLoad } from '../load/paced-load.ts'
import { bothSides } from '../measurement.ts'
import type { Measurement } from '../measurement.ts'
import { endToEndLatency } from '../tools/end-to-end-latency.ts'
import { baseCase } from './produce-case.ts'

const group = 'End to end, acks=all'
const RECORDS = 3000
const WARMUP_SECONDS = 2
/** One for each node to lead. */
const PARTITIONS = 3

/** Kafka's own tool: one record after the other. It knows whole milliseconds only, but for the average. */
export const endToEnd: Measurement = {
  name: 'end-to-end', group, phase: 'warm', profile: 'quick', sides: bothSides,
  rows: {
    avg: { title: 'One record after the other, average', unit: 'ms', better: 'lower' },
    p99: { title: 'One record after the other, p99', unit: 'ms', better: 'lower', target: 1 },
  },
  async measure(bench) {
    const topic = await comparedTopic(bench, 'end-to-end', { partitions: 1 })
    const { avgMs, p50Ms, p99Ms, p999Ms } = await endToEndLatency({
      bootstrap: bench.cluster.bootstrap, topic, records: RECORDS, recordBytes: baseCase.recordBytes,
    })
    return { avg: avgMs, p50: p50Ms, p99: p99Ms, p999: p999Ms }
  },
}

function paced(recordsPerSecond: number): Measurement {
  const name = `end-to-end-${recordsPerSecond}`
  const title = `${recordsPerSecond.toLocaleString('en-US')} records/s`
  return {
    name, group, phase: 'warm', profile: 'quick', sides: bothSides,
    rows: {
      p50: { title: `${title}, p50`, unit: 'ms', better: 'lower' },
      p99: { title: `${title}, p99`, unit: 'ms', better: 'lower', target: 1, inPicture: `End to end p99 at ${title}` },
      p999: { title: `${title}, p99.9`, unit: 'ms', better: 'lower' },
    },
    async measure(bench) {
      const topic = await comparedTopic(bench, name, { partitions: PARTITIONS })
      const latencies = await pacedLoad({
        bootstrap: bench.cluster.bootstrap, topic, recordBytes: baseCase.recordBytes, recordsPerSecond,
        seconds: bench.sizes.seconds, warmupSeconds: WARMUP_SECONDS,
      })
      return { p50: latencies.at(0.5), p99: latencies.at(0.99), p999: latencies.at(0.999) }
    },
  }
}

/** A program on Node at a steady rate, open loop. */
export const endToEndPaced: readonly Measurement[] = [paced(1000), paced(10_000)]
