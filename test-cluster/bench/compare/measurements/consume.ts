import { forgetFiles, rememberFiles, segmentsOf } from '../page-cache.ts'
import { bothSides } from '../measurement.ts'
import type { Bench, Figures, Measurement } from '../measurement.ts'
import { withServerUsage } from '../server-usage.ts'
import { consumerPerformance } from '../tools/consumer-performance.ts'
import { baseCase } from './produce-case.ts'
import { warmRecords } from './warm-up.ts'

const group = 'Consume'
const GROUPS = 5

/** One consumer reads what is in the page cache. */
export const consume: Measurement = {
  name: 'consume', group, phase: 'warm', profile: 'quick', sides: bothSides,
  rows: {
    rate: { title: 'From the page cache', unit: 'MB/s', better: 'higher', target: 1, inPicture: 'Consume, throughput' },
    cpu: { title: 'From the page cache', unit: 'CPU s/GB', better: 'lower', target: 1, inPicture: 'Consume, CPU time of the servers' },
  },
  async measure(bench) {
    await rememberFiles(warmSegments(bench))
    return read(bench, ['consume'])
  },
}

/** One consumer reads what is on the disk only. */
export const consumeCold: Measurement = {
  name: 'consume-cold', group, phase: 'warm', profile: 'full', sides: bothSides,
  rows: {
    rate: { title: 'Cold, from the disk', unit: 'MB/s', better: 'higher', target: 1 },
    cpu: { title: 'Cold, from the disk', unit: 'CPU s/GB', better: 'lower', target: 1 },
  },
  async measure(bench) {
    await forgetFiles(warmSegments(bench))
    return read(bench, ['consume-cold'])
  },
}

/** Five consumers of five groups read the same at once. */
export const consumeFanOut: Measurement = {
  name: 'consume-fan-out', group, phase: 'warm', profile: 'full', sides: bothSides,
  rows: {
    rate: { title: 'Five groups at once, all together', unit: 'MB/s', better: 'higher', target: 1 },
    cpu: { title: 'Five groups at once', unit: 'CPU s/GB', better: 'lower', target: 1 },
  },
  async measure(bench) {
    await rememberFiles(warmSegments(bench))
    return read(bench, Array.from({ length: GROUPS }, (_, index) => `fan-out-${index + 1}`))
  },
}

/** Of every replica: what the consumers read, wherever its leader is. */
function warmSegments({ cluster, warmTopic }: Bench): string[] {
  return cluster.nodeIds.flatMap((nodeId) => segmentsOf(cluster.dataDirectory(nodeId), warmTopic))
}

async function read({ cluster, sizes, round, warmTopic }: Bench, groups: readonly string[]): Promise<Figures> {
  const records = warmRecords(sizes)
  const { result, usage } = await withServerUsage(cluster, () => Promise.all(groups.map((name) => (
    consumerPerformance({ bootstrap: cluster.bootstrap, topic: warmTopic, records, group: `${name}-${round}` })
  ))))
  return {
    rate: result.reduce((sum, { megabytesPerSecond }) => sum + megabytesPerSecond, 0),
    // Starting the tool and joining take as long as reading; what idles meanwhile is not what reading costs.
    cpu: usage.track.between(Math.min(...result.map((run) => run.fetchedFromMs)), Math.max(...result.map((run) => run.fetchedToMs)))
      / ((records * baseCase.recordBytes * groups.length) / 1e9),
  }
}
