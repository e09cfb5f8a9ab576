import { createMetrics } from './metrics.ts'

test('counters, gauges and summaries are scraped in Prometheus text format', async () => {
  const metrics = createMetrics()
  const bytes = metrics.counter({ name: 'bytes_in_total', help: 'Bytes.', labels: ['topic'] })
  bytes.child('orders').add(5)
  bytes.child('orders').add()
  metrics.gauge({ name: 'leaders', help: 'Leaders.', labels: ['node'], collect: () => [[3, '1']] })
  const latency = metrics.summary({ name: 'latency_ms', help: 'Latency.', quantiles: [0.5, 0.99] }).child()
  for (let value = 1; value <= 100; value++) latency.observe(value)

  const text = await metrics.text()
  expect(text).toContain('# TYPE bytes_in_total counter\nbytes_in_total{topic="orders"} 6')
  expect(text).toContain('leaders{node="1"} 3')
  expect(text).toContain('latency_ms{quantile="0.5"} 51')
  expect(text).toContain('latency_ms_sum 5050')
  expect(text).toContain('latency_ms_count 100')
})

test('label values from clients are escaped', async () => {
  const metrics = createMetrics()
  metrics.counter({ name: 'a_total', help: 'A.', labels: ['client'] }).child('x"} 1\ny').add()
  expect(await metrics.text()).toContain('a_total{client="x\\"} 1\\ny"} 1')
})

test('a name is declared once', () => {
  const metrics = createMetrics()
  metrics.counter({ name: 'a_total', help: 'A.' })
  expect(() => metrics.counter({ name: 'a_total', help: 'A.' })).toThrow('a_total')
})

test('prom-client adds the process, without names that promtool objects to', async () => {
  const metrics = createMetrics()
  metrics.includeProcess()
  const text = await metrics.text()
  expect(text).toContain('process_cpu_seconds_total')
  expect(text).not.toContain('nodejs_active_handles_total')
})

test('an untyped metric says so', async () => {
  const metrics = createMetrics()
  metrics.untyped({ name: 'connection_count', help: 'Connections.', collect: () => [[2]] })
  expect(await metrics.text()).toContain('# TYPE connection_count untyped\nconnection_count 2')
})

test('a removed child is no longer scraped', async () => {
  const metrics = createMetrics()
  const family = metrics.counter({ name: 'a_total', help: 'A.', labels: ['topic'] })
  family.child('gone').add()
  family.remove('gone')
  expect(await metrics.text()).not.toContain('gone')
})
