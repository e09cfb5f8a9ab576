import { bothSides } from '../measurement.ts'
import type { Bench, Figures, Measurement, Profile, Row } from '../measurement.ts'
import { comparedTopic } from '../compared-topic.ts'
import { withServerUsage } from '../server-usage.ts'
import { producerPerformance } from '../tools/producer-performance.ts'
import type { ProducerFigures } from '../tools/producer-performance.ts'

/** What differs between the produce measurements. */
export interface ProduceCase {
  readonly recordBytes: 100 | 1024 | 10_240
  readonly batchBytes: 16_384 | 131_072
  readonly acks: 'all' | '1'
  readonly partitions: number
  readonly producers: 1 | 4
  readonly compression: 'none' | 'lz4' | 'zstd'
  /** `default`: as each side does it when nothing is said. */
  readonly durability: 'page cache' | 'sync before ack' | 'default'
}

export const baseCase: ProduceCase = {
  recordBytes: 1024, batchBytes: 16_384, acks: 'all', partitions: 12, producers: 1, compression: 'none', durability: 'page cache',
}

/** Sent before the part that counts, as a share of it: the producer is a fresh process each time. */
const WARMUP_SHARE = 0.25
/** Syncing is slow; the row that has a goal moves as much as all others, since a third of it is over before the producer's code is compiled. */
const SYNC_SHARE = 1 / 3

/** See SYNC_SHARE. */
const SYNC_WITH_GOAL = 'produce-sync'

/** `produce` followed by what differs from the base case: `produce-100B-batch128K-acks1-p60-x4-zstd`. */
export function produceName(one: ProduceCase): string {
  const parts = [
    one.durability === 'page cache' ? '' : one.durability === 'default' ? 'defaults' : 'sync',
    one.recordBytes === 1024 ? '' : one.recordBytes === 100 ? '100B' : '10K',
    one.batchBytes === 16_384 ? '' : 'batch128K',
    one.acks === 'all' ? '' : 'acks1',
    one.partitions === baseCase.partitions ? '' : `p${one.partitions}`,
    one.producers === 1 ? '' : 'x4',
    one.compression === 'none' ? '' : one.compression,
  ]
  return ['produce', ...parts.filter((part) => part !== '')].join('-')
}

/** What the case is, in the words of the table. */
export function produceTitle(one: ProduceCase): string {
  const record = one.recordBytes < 1024 ? `${one.recordBytes} B` : `${one.recordBytes / 1024} KiB`
  return [
    `${record} in ${one.batchBytes / 1024} KiB`, ...(one.acks === 'all' ? [] : ['acks=1']),
    ...(one.partitions === baseCase.partitions ? [] : [`${one.partitions} ${one.partitions === 1 ? 'partition' : 'partitions'}`]),
    ...(one.producers === 1 ? [] : [`${one.producers} producers`]), ...(one.compression === 'none' ? [] : [one.compression]),
  ].join(', ')
}

/** One produce measurement: ProducerPerformance as fast as the cluster takes it. */
export function produceMeasurement(one: ProduceCase, profile: Profile, rows: Measurement['rows'], group: string): Measurement {
  const name = produceName(one)
  return { name, group, phase: 'warm', profile, sides: bothSides, rows, measure: (bench) => measure(bench, name, one) }
}

/** The three rows of most cases. */
export function produceRows(one: ProduceCase, targets: { readonly rate?: number; readonly cpu?: number } = {}): Readonly<Record<string, Row>> {
  const title = produceTitle(one)
  return {
    rate: { title, unit: 'MB/s', better: 'higher', ...(targets.rate === undefined ? {} : { target: targets.rate }) },
    p99: { title: `${title}, p99`, unit: 'ms', better: 'lower' },
    cpu: { title, unit: 'CPU s/GB', better: 'lower', ...(targets.cpu === undefined ? {} : { target: targets.cpu }) },
  }
}

async function measure(bench: Bench, name: string, one: ProduceCase): Promise<Figures> {
  const topic = await comparedTopic(bench, name, { partitions: one.partitions, durability: effectiveDurability(bench, one) })
  const share = one.durability === 'page cache' || name === SYNC_WITH_GOAL ? 1 : SYNC_SHARE
  const megabytes = bench.sizes.megabytes * share
  const records = Math.ceil((megabytes * 1e6) / one.recordBytes / one.producers)
  const warmupRecords = Math.ceil(records * WARMUP_SHARE)
  const { result, usage } = await withServerUsage(bench.cluster, () => Promise.all(Array.from({ length: one.producers }, () => producerPerformance({
    ...one, bootstrap: bench.cluster.bootstrap, topic, records: records + warmupRecords, warmupRecords, throughput: -1,
  }))))
  const bytes = (records + warmupRecords) * one.recordBytes * one.producers
  return {
    rate: result.reduce((sum, { megabytesPerSecond }) => sum + megabytesPerSecond, 0),
    p50: worst(result, 'p50Ms'), p99: worst(result, 'p99Ms'), p999: worst(result, 'p999Ms'),
    cpu: usage.cpuSeconds / (bytes / 1e9),
    written: usage.writtenBytes / bytes,
    rss: usage.rssMegabytesMax,
  }
}

/** Kavka syncs before it acknowledges unless told otherwise; Kafka never does. */
function effectiveDurability({ side }: Bench, { durability }: ProduceCase): 'page cache' | 'sync before ack' {
  if (durability !== 'default') return durability
  return side === 'kavka' ? 'sync before ack' : 'page cache'
}

function worst(runs: readonly ProducerFigures[], figure: 'p50Ms' | 'p99Ms' | 'p999Ms'): number {
  return Math.max(...runs.map((run) => run[figure]))
}
