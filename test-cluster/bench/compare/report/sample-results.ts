/** Results as a comparison leaves them, small enough to be read: for the tests of the report. */
import type { Figures } from '../measurement.ts'
import type { Side } from '../clusters/compared-cluster.ts'
import type { ResultLine } from '../results-file.ts'

const AT = '2026-11-21T10:00:00.000Z'

function measured(round: number, side: Side, measurement: string, figures: Figures): ResultLine {
  return { kind: 'measured', at: AT, round, side, measurement, figures, seconds: 1, load: 0.25 * round }
}

export const sampleResults: readonly ResultLine[] = [
  {
    kind: 'run', at: AT, commit: 'abc1234',
    machine: { cores: 2, processor: 'A processor', memoryGigabytes: 24, kernel: 'linux 6.1', node: '24.0.0', java: '17.0.1' },
    sizes: { megabytes: 300, warmMegabytes: 1000, seconds: 10, idleSeconds: 5, recoveryMegabytes: 10_000 },
  },
  measured(1, 'kafka', 'produce', { rate: 40, p99: 800, cpu: 30, written: 3.01, rss: 1100 }),
  measured(1, 'kavka', 'produce', { rate: 72, p99: 400, cpu: 15, written: 3.02, rss: 290 }),
  measured(2, 'kafka', 'produce', { rate: 36, p99: 900, cpu: 34, written: 3.01, rss: 1120 }),
  measured(2, 'kavka', 'produce', { rate: 54, p99: 500, cpu: 17, written: 3.01, rss: 300 }),
  measured(3, 'kafka', 'produce', { rate: 38, p99: 850, cpu: 32, written: 3, rss: 1080 }),
  measured(3, 'kavka', 'produce', { rate: 57, p99: 450, cpu: 16, written: 3.01, rss: 280 }),
  measured(1, 'kafka', 'consume', { rate: 400, cpu: 1.5 }),
  measured(1, 'kavka', 'consume', { rate: 300, cpu: 2.4 }),
  measured(1, 'kafka', 'cold-start', { seconds: 8, cpu: 14 }),
  measured(1, 'kafka-quick-start', 'cold-start', { seconds: 2.5, cpu: 5 }),
  measured(1, 'kavka', 'cold-start', { seconds: 0.7, cpu: 0.6 }),
  measured(1, 'kavka', 'growth-5000', { create: 4, idleCpu: 1.5, rss: 180, perPartition: 12, propagation: 9, failover: 1.6, rejoin: 3 }),
  { kind: 'failed', at: AT, round: 1, side: 'kafka', measurement: 'growth-5000', error: 'Error: too slow' },
  { kind: 'failed', at: AT, round: 1, side: 'kavka', measurement: 'produce', error: 'Error: measured later' },
]
