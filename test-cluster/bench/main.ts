// npm run bench [-- --bootstrap HOST:PORT,…] [-- --seconds N]: what a running cluster can do, measured from this machine.
import { parseArgs } from 'node:util'
import { ClusterClient } from '../client/cluster-client.ts'
import { consumeLoad } from './consume-load.ts'
import { endToEnd } from './end-to-end.ts'
import { processesByPort, usageOf } from './process-usage.ts'
import { produceLoad } from './produce-load.ts'

const { values } = parseArgs({
  options: {
    bootstrap: { type: 'string', default: '127.0.0.1:9092,127.0.0.1:9093,127.0.0.1:9094' },
    seconds: { type: 'string', default: '5' },
    partitions: { type: 'string', default: '6' },
    batch: { type: 'string', default: '16384' },
  },
})
const bootstrap = values.bootstrap
const seconds = Number(values.seconds)
const PAGE_CACHE = '9223372036854775807'

const client = new ClusterClient(bootstrap)
const { brokers } = await client.metadata([])
const pids = [...new Set(processesByPort(brokers.map(({ port }) => port)).values())]
const replicationFactor = Math.min(3, brokers.length)
const run = Date.now().toString(36)
console.log(`${brokers.length} brokers, ${replicationFactor} replicas, ${values.partitions} partitions, batches of ${values.batch} bytes, ${seconds} s a case`)
if (pids.length < brokers.length) console.log('(not every broker is a process of this machine: CPU and RSS cover only those that are)')

console.log(row(['produce', 'record', 'acks', 'sync', 'MB/s', 'records/s', 'p50 ms', 'p99 ms', 'CPU s/GB', 'RSS MB a node']))
for (const recordBytes of [100, 1024, 10_240]) {
  for (const sync of ['on', 'off'] as const) {
    const topic = await createTopic(`bench-${recordBytes}-${sync}-${run}`, sync)
    for (const acks of [1, -1] as const) {
      const before = cpuSeconds()
      const figures = await produceLoad({ bootstrap, topic, recordBytes, batchBytes: Number(values.batch), acks, seconds, inFlight: 5 })
      console.log(row(['produce', size(recordBytes), acks === 1 ? '1' : 'all', sync, rate(figures.bytes, figures.seconds), (figures.records / figures.seconds).toFixed(0),
        figures.latencies.at(0.5).toFixed(2), figures.latencies.at(0.99).toFixed(2), perGigabyte(before, figures.bytes), rss()]))
    }
    if (sync === 'on') continue
    const before = cpuSeconds()
    const consumed = await consumeLoad({ bootstrap, topic, secondsMax: seconds * 4 })
    console.log(row(['consume', size(recordBytes), '', '', rate(consumed.bytes, consumed.seconds), (consumed.records / consumed.seconds).toFixed(0), '', '', perGigabyte(before, consumed.bytes), rss()]))
  }
}
for (const recordsPerSecond of [1000]) {
  for (const recordBytes of [100, 1024, 10_240]) {
    for (const sync of ['on', 'off'] as const) {
      const topic = await createTopic(`bench-e2e-${recordBytes}-${sync}-${run}`, sync)
      const latencies = await endToEnd({ bootstrap, topic, recordBytes, recordsPerSecond, seconds })
      console.log(row(['end to end', size(recordBytes), 'all', sync, '', String(recordsPerSecond), latencies.at(0.5).toFixed(2), latencies.at(0.99).toFixed(2), '', rss()]))
    }
  }
}
client.close()

async function createTopic(name: string, sync: 'on' | 'off'): Promise<string> {
  await client.createTopic(name, {
    partitions: Number(values.partitions), replicationFactor,
    configs: { 'flush.messages': sync === 'on' ? '1' : PAGE_CACHE, 'min.insync.replicas': String(Math.min(2, replicationFactor)) },
  })
  return name
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(11) : cell.padStart(10))).join(' ')
}

function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`
}

function rate(bytes: number, elapsedSeconds: number): string {
  return (bytes / 1e6 / elapsedSeconds).toFixed(1)
}

function cpuSeconds(): number {
  return pids.reduce((sum, pid) => sum + usageOf(pid).cpuSeconds, 0)
}

function perGigabyte(before: number, bytes: number): string {
  return pids.length === 0 ? '-' : ((cpuSeconds() - before) / (bytes / 1e9)).toFixed(2)
}

function rss(): string {
  return pids.length === 0 ? '-' : pids.map((pid) => usageOf(pid).rssMegabytes.toFixed(0)).join('/')
}
