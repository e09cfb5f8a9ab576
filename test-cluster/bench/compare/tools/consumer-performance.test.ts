import { parseConsumerPerformance } from './consumer-performance.ts'

const HEADER = 'start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n'

test('the rate is that of fetching, in megabytes', () => {
  const figures = parseConsumerPerformance(
    `${HEADER}2026-11-21 12:00:00:100, 2026-11-21 12:00:04:600, 976.5625, 217.0139, 1000000, 222222.2222, 3500, 1000, 976.5625, 1000000.0000\n`,
  )!
  expect(figures.records).toBe(1_000_000)
  expect(figures.megabytes).toBeCloseTo(1024, 6)
  expect(figures.megabytesPerSecond).toBeCloseTo(1024, 6)
  expect(figures.fetchedToMs).toBe(new Date(2026, 10, 21, 12, 0, 4, 600).getTime())
  expect(figures.fetchedToMs - figures.fetchedFromMs).toBe(1000)
})

test('what is no row of figures has none', () => {
  expect(parseConsumerPerformance(HEADER)).toBeNull()
  expect(parseConsumerPerformance('')).toBeNull()
  expect(parseConsumerPerformance(`${HEADER}WARNING: Exiting before consuming the expected number of records`)).toBeNull()
  expect(parseConsumerPerformance(`${HEADER}a, b, 0.0, 0.0, 0, 0.0, 3500, 0, Infinity, NaN`)).toBeNull()
})
