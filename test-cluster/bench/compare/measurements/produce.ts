import type { Measurement } from '../measurement.ts'
import { baseCase, produceMeasurement, produceRows } from './produce-case.ts'
import type { ProduceCase } from './produce-case.ts'

const PRODUCE = 'Produce, page cache'
const SYNC = 'Produce, sync before ack'

const base: Measurement = produceMeasurement(baseCase, 'quick', {
  rate: { title: '1 KiB in 16 KiB', unit: 'MB/s', better: 'higher', target: 1.5, inPicture: 'Produce, throughput' },
  p99: { title: '1 KiB in 16 KiB, p99', unit: 'ms', better: 'lower' },
  cpu: { title: '1 KiB in 16 KiB', unit: 'CPU s/GB', better: 'lower', target: 0.5, inPicture: 'Produce, CPU time of the servers' },
  written: { title: '1 KiB in 16 KiB, written to disks', unit: 'bytes/byte', better: 'lower' },
  rss: { title: 'Memory of a node while it is loaded', unit: 'MB', better: 'lower', target: 0.25, inPicture: 'Memory of a loaded node' },
}, PRODUCE)

/** What varies one thing at a time, and the pairs that matter. */
const varied: readonly Partial<ProduceCase>[] = [
  { recordBytes: 100 }, { recordBytes: 10_240 }, { batchBytes: 131_072 }, { recordBytes: 100, batchBytes: 131_072 },
  { recordBytes: 10_240, batchBytes: 131_072 }, { acks: '1' }, { acks: '1', batchBytes: 131_072 }, { partitions: 1 }, { partitions: 60 },
  { producers: 4 }, { compression: 'lz4' }, { compression: 'zstd' }, { batchBytes: 131_072, compression: 'zstd' },
]

const sync: Measurement = produceMeasurement({ ...baseCase, durability: 'sync before ack' }, 'quick', {
  rate: { title: '1 KiB in 16 KiB', unit: 'MB/s', better: 'higher', target: 5, inPicture: 'Produce, synced before acknowledged' },
  p99: { title: '1 KiB in 16 KiB, p99', unit: 'ms', better: 'lower' },
  cpu: { title: '1 KiB in 16 KiB', unit: 'CPU s/GB', better: 'lower' },
  written: { title: '1 KiB in 16 KiB, written to disks', unit: 'bytes/byte', better: 'lower' },
}, SYNC)

const syncVaried: readonly Partial<ProduceCase>[] = [
  { batchBytes: 131_072 }, { partitions: 1 }, { partitions: 100 }, { partitions: 1000 }, { producers: 4 },
]

const defaults: ProduceCase = { ...baseCase, durability: 'default' }

/** Throughput, latency and cost of producing; first the core, then what varies, then every combination. */
export const produceMeasurements: readonly Measurement[] = withoutRepeats([
  base,
  ...varied.map((change) => produceMeasurement({ ...baseCase, ...change }, 'full', produceRows({ ...baseCase, ...change }, { rate: 1 }), PRODUCE)),
  sync,
  ...syncVaried.map((change) => {
    const one: ProduceCase = { ...baseCase, durability: 'sync before ack', ...change }
    return produceMeasurement(one, 'full', produceRows(one), SYNC)
  }),
  produceMeasurement(defaults, 'full', {
    rate: { title: '1 KiB in 16 KiB, each with its own defaults (Kavka syncs, Kafka does not)', unit: 'MB/s', better: 'higher' },
    cpu: { title: '1 KiB in 16 KiB, each with its own defaults', unit: 'CPU s/GB', better: 'lower' },
  }, SYNC),
  ...everyCase().map((one) => produceMeasurement(one, 'matrix', produceRows(one), `Produce, ${one.durability}, every combination`)),
])

function everyCase(): ProduceCase[] {
  return (['page cache', 'sync before ack'] as const).flatMap((durability) => ([100, 1024, 10_240] as const).flatMap((recordBytes) => (
    ([16_384, 131_072] as const).flatMap((batchBytes) => (['all', '1'] as const).flatMap((acks) => [1, 12, 60].flatMap((partitions) => (
      ([1, 4] as const).flatMap((producers) => (['none', 'lz4', 'zstd'] as const).map((compression) => (
        { durability, recordBytes, batchBytes, acks, partitions, producers, compression }
      )))
    ))))
  )))
}

/** The combinations hold what stands before them already. */
function withoutRepeats(measurements: readonly Measurement[]): Measurement[] {
  return measurements.filter(({ name }, index) => measurements.findIndex((one) => one.name === name) === index)
}
