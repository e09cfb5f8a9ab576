/** One of the two clusters that are compared, under the same load: Kafka's own performance tools. */
import { ClusterClient } from '../client/cluster-client.ts'
import { KafkaCluster, brokerFlags } from '../foreign/kafka-cluster.ts'
import { runTool } from '../foreign/kafka-tools.ts'
import { ProcessCluster } from '../process/process-cluster.ts'
import { usageOf } from './process-usage.ts'

export type Product = 'kafka' | 'kavka'
export type Durability = 'page cache' | 'sync before ack'

/** What one pass over one cluster measured; names are the rows of the table. */
export type Figures = ReadonlyMap<string, number>

export interface PassOptions {
  readonly durability: Durability
  readonly records: number
  readonly recordBytes: number
  readonly batchBytes: number
  readonly partitions: number
}

interface RunningCluster {
  readonly bootstrap: string
  readonly pids: readonly number[]
  dispose(): Promise<void>
}

const TOOL_MS_MAX = 600_000
/** A cluster that has just started compiles its code and touches new memory: this much is written before anything is measured. */
const WARM_BYTES = 300_000_000
const FLUSH_NEVER = '9223372036854775807'

/** Starts a fresh cluster of three nodes, warms it up, measures, and takes it down. */
export async function measurePass(product: Product, options: PassOptions): Promise<Figures> {
  const cluster = await start(product, options.durability)
  try {
    const figures = new Map<string, number>([['RSS idle, MB a node', rssMegabytes(cluster)]])
    await createTopic(cluster.bootstrap, options.partitions)
    await produce(cluster, { ...options, records: Math.ceil(WARM_BYTES / options.recordBytes) })
    await measureProduce(cluster, options, figures)
    await measureConsume(cluster, options, figures)
    await measureEndToEnd(cluster, options, figures)
    return figures
  } finally {
    await cluster.dispose()
  }
}

async function start(product: Product, durability: Durability): Promise<RunningCluster> {
  const properties = { 'log.flush.interval.messages': durability === 'page cache' ? FLUSH_NEVER : '1' }
  if (product === 'kafka') return KafkaCluster.start({ nodes: 3, flags: brokerFlags.stock, properties })
  const cluster = await ProcessCluster.start({ nodes: 3, properties })
  return { bootstrap: cluster.bootstrap, pids: cluster.nodes.map(({ pid }) => pid), dispose: () => cluster.dispose() }
}

async function createTopic(bootstrap: string, partitions: number): Promise<void> {
  const client = new ClusterClient(bootstrap)
  await client.createTopic('compare', { partitions, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } })
  client.close()
}

async function measureProduce(cluster: RunningCluster, options: PassOptions, figures: Map<string, number>): Promise<void> {
  const before = cpuSeconds(cluster)
  const line = await produce(cluster, options)
  const gigabytes = (options.records * options.recordBytes) / 1e9
  // "… records/sec (57.60 MB/sec), 419.34 ms avg latency, 840.00 ms max latency, … 813 ms 99th, …": its MB are mebibytes.
  figures.set('produce, MB/s', numberIn(line, /\(([\d.]+) MB\/sec\)/) * 1.048576)
  figures.set('produce, ms p99', numberIn(line, /([\d.]+) ms 99th/))
  figures.set('produce, server CPU s/GB', (cpuSeconds(cluster) - before) / gigabytes)
  figures.set('RSS loaded, MB a node', rssMegabytes(cluster))
}

async function produce({ bootstrap }: RunningCluster, { records, recordBytes, batchBytes }: PassOptions): Promise<string> {
  const { stdout, stderr } = await runTool('kafka-producer-perf-test', [
    '--topic', 'compare', '--num-records', String(records), '--record-size', String(recordBytes), '--throughput', '-1',
    '--bootstrap-server', bootstrap, '--command-property', 'acks=all', `batch.size=${batchBytes}`,
  ], '', TOOL_MS_MAX)
  const line = stdout.trim().split('\n').at(-1) ?? ''
  if (!line.includes(`${records} records sent`)) throw new Error(`the producer failed: ${stdout.slice(-500)} ${stderr.slice(-1000)}`)
  return line
}

async function measureConsume(cluster: RunningCluster, { records, recordBytes }: PassOptions, figures: Map<string, number>): Promise<void> {
  const before = cpuSeconds(cluster)
  const { stdout, stderr } = await runTool('kafka-consumer-perf-test', [
    '--topic', 'compare', '--num-records', String(records), '--timeout', '60000', '--bootstrap-server', cluster.bootstrap,
  ], '', TOOL_MS_MAX)
  // start, end, MB, MB/s, records, records/s, rebalance ms, fetch ms, fetch MB/s, fetch records/s
  const columns = (stdout.trim().split('\n').at(-1) ?? '').split(',').map((text) => Number(text.trim()))
  const megabytesPerSecond = columns[8]
  if (megabytesPerSecond === undefined || !Number.isFinite(megabytesPerSecond)) throw new Error(`the consumer failed: ${stdout} ${stderr}`)
  figures.set('consume, MB/s', megabytesPerSecond * 1.048576)
  figures.set('consume, server CPU s/GB', (cpuSeconds(cluster) - before) / ((records * recordBytes) / 1e9))
}

async function measureEndToEnd({ bootstrap }: RunningCluster, { recordBytes }: PassOptions, figures: Map<string, number>): Promise<void> {
  const { stdout, stderr } = await runTool('kafka-e2e-latency', [
    '--bootstrap-server', bootstrap, '--topic', 'compare-e2e', '--num-records', '2000', '--producer-acks', 'all', '--record-size', String(recordBytes),
  ], '', TOOL_MS_MAX)
  if (!stdout.includes('Percentiles')) throw new Error(`the end-to-end tool failed: ${stdout.slice(-500)} ${stderr.slice(-1000)}`)
  figures.set('end to end, ms avg', numberIn(stdout, /Avg latency: ([\d.]+)/))
  figures.set('end to end, ms p99', numberIn(stdout, /99th = ([\d.]+)/))
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`no ${pattern.source} in: ${text}`)
  return Number(found)
}

function cpuSeconds({ pids }: RunningCluster): number {
  return pids.reduce((sum, pid) => sum + usageOf(pid).cpuSeconds, 0)
}

function rssMegabytes({ pids }: RunningCluster): number {
  return pids.reduce((sum, pid) => sum + usageOf(pid).rssMegabytes, 0) / pids.length
}
