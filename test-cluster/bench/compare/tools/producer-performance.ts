import { runTool } from '../../../foreign/kafka-tools.ts'
import { TOOL_MS_MAX, loadFlags } from './load-flags.ts'

export interface ProducerRun {
  readonly bootstrap: string
  readonly topic: string
  readonly records: number
  /** The first ones, which do not count: connections are opened and the producer's code is compiled. Part of `records`. */
  readonly warmupRecords: number
  readonly recordBytes: number
  readonly batchBytes: number
  readonly acks: 'all' | '1'
  readonly compression: 'none' | 'lz4' | 'zstd'
  /** Records per second; -1: as many as the cluster takes. */
  readonly throughput: number
}

/** What ProducerPerformance says at its end. */
export interface ProducerFigures {
  readonly records: number
  readonly megabytesPerSecond: number
  readonly avgMs: number
  readonly maxMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
}

/** A request that is given up while it is under way costs an idempotent producer its order; a slow machine must not fail for it. */
const PATIENCE = ['request.timeout.ms=120000', 'delivery.timeout.ms=600000']
const MEBIBYTE_IN_MB = 1.048576

/** Runs ProducerPerformance to its end. Throws with its output when it did not send everything. */
export async function producerPerformance(run: ProducerRun): Promise<ProducerFigures> {
  const { stdout, stderr } = await runTool('kafka-producer-perf-test', producerArguments(run), '', TOOL_MS_MAX, loadFlags)
  const figures = parseProducerPerformance(stdout)
  if (figures === null || !stdout.includes(`${run.records} records sent`)) {
    throw new Error(`the producer failed: ${stdout.slice(-500)} ${stderr.slice(-2000)}`)
  }
  return figures
}

/** Arguments of the tool for a run. */
export function producerArguments(run: ProducerRun): string[] {
  return [
    '--topic', run.topic, '--num-records', String(run.records), '--record-size', String(run.recordBytes),
    '--throughput', String(run.throughput), ...(run.warmupRecords > 0 ? ['--warmup-records', String(run.warmupRecords)] : []),
    '--bootstrap-server', run.bootstrap, '--command-property', `acks=${run.acks}`, `batch.size=${run.batchBytes}`,
    `compression.type=${run.compression}`, ...PATIENCE,
  ]
}

const SUMMARY = new RegExp([
  String.raw`^(\d+)(?: steady state)? records sent, [\d.]+ records/sec \(([\d.]+) MB/sec\), `,
  String.raw`([\d.]+) ms avg latency, ([\d.]+) ms max latency, (\d+) ms 50th, (\d+) ms 95th, (\d+) ms 99th, (\d+) ms 99\.9th\.$`,
].join(''))

/** The last summary, which is the one of the steady state when there was a warm-up; null without one. Its MB are mebibytes. */
export function parseProducerPerformance(stdout: string): ProducerFigures | null {
  const found = stdout.split('\n').map((line) => SUMMARY.exec(line.trim())).findLast((match) => match !== null)
  if (found === undefined || found === null) return null
  const [records, mebibytes, avgMs, maxMs, p50Ms, p95Ms, p99Ms, p999Ms] = found.slice(1).map(Number)
  return {
    records: records!, megabytesPerSecond: mebibytes! * MEBIBYTE_IN_MB, avgMs: avgMs!, maxMs: maxMs!, p50Ms: p50Ms!, p95Ms: p95Ms!,
    p99Ms: p99Ms!, p999Ms: p999Ms!,
  }
}
