import { baseCase } from '../measurements/produce-case.ts'
import { parseProducerPerformance, producerArguments } from './producer-performance.ts'

const WITHOUT_WARMUP = [
  '139905 records sent, 27981.0 records/sec (27.33 MB/sec), 849.7 ms avg latency, 1206.0 ms max latency.',
  '300000 records sent, 58982.605190 records/sec (57.60 MB/sec), 419.34 ms avg latency, 840.00 ms max latency, 410 ms 50th, 761 ms 95th, 813 ms 99th, 838 ms 99.9th.',
  '',
].join('\n')

const WITH_WARMUP = [
  'Warmup first 1000 records. Steady state results will print after the complete test summary.',
  '3200 records sent, 640.0 records/sec (0.63 MB/sec), 900.1 ms avg latency, 1000.0 ms max latency. In steady state.',
  '5000 records sent, 794.533609 records/sec (0.78 MB/sec), 3340.73 ms avg latency, 4983.00 ms max latency, 3723 ms 50th, 4703 ms 95th, 4878 ms 99th, 4976 ms 99.9th.',
  '4000 steady state records sent, 1757.469244 records/sec (1.72 MB/sec), 3101.05 ms avg latency, 4002.00 ms max latency, 3011 ms 50th, 3900 ms 95th, 3950 ms 99th, 3999 ms 99.9th.',
].join('\n')

test('the summary counts, not the lines of progress; mebibytes become megabytes', () => {
  const figures = parseProducerPerformance(WITHOUT_WARMUP)!
  expect(figures).toMatchObject({ records: 300_000, avgMs: 419.34, maxMs: 840, p50Ms: 410, p95Ms: 761, p99Ms: 813, p999Ms: 838 })
  expect(figures.megabytesPerSecond).toBeCloseTo(60.398, 3)
})

test('after a warm-up the steady state counts', () => {
  expect(parseProducerPerformance(WITH_WARMUP)).toMatchObject({ records: 4000, p99Ms: 3950 })
})

test('a run that did not end has no figures', () => {
  expect(parseProducerPerformance('3200 records sent, 640.0 records/sec (0.63 MB/sec), 900.1 ms avg latency, 1000.0 ms max latency.\n')).toBeNull()
  expect(parseProducerPerformance('')).toBeNull()
})

test('the case becomes arguments of the tool', () => {
  const run = { ...baseCase, bootstrap: 'a:1', topic: 't', records: 10, warmupRecords: 0, throughput: -1 }
  expect(producerArguments(run).join(' ')).toBe(
    '--topic t --num-records 10 --record-size 1024 --throughput -1 --bootstrap-server a:1 '
    + '--command-property acks=all batch.size=16384 compression.type=none request.timeout.ms=120000 delivery.timeout.ms=600000',
  )
  expect(producerArguments({ ...run, warmupRecords: 3 })).toEqual(expect.arrayContaining(['--warmup-records', '3']))
})
