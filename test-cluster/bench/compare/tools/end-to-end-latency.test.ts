import { parseEndToEndLatency } from './end-to-end-latency.ts'

test('average and percentiles are read from among the progress', () => {
  const stdout = '0\t25.1\n1000\t1.9\nAvg latency: 1.7031 ms\nPercentiles: 50th = 1, 99th = 8, 99.9th = 23\n'
  expect(parseEndToEndLatency(stdout)).toEqual({ avgMs: 1.7031, p50Ms: 1, p99Ms: 8, p999Ms: 23 })
})

test('a run that did not end has no figures', () => {
  expect(parseEndToEndLatency('0\t25.1\n')).toBeNull()
  expect(parseEndToEndLatency('Avg latency: 1.7031 ms\n')).toBeNull()
})
