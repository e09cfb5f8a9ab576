import { runTool } from '../../../foreign/kafka-tools.ts'
import { TOOL_MS_MAX, loadFlags } from './load-flags.ts'

export interface EndToEndRun {
  readonly bootstrap: string
  readonly topic: string
  readonly records: number
  readonly recordBytes: number
}

/** What EndToEndLatency says at its end. */
export interface EndToEndFigures {
  readonly avgMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
}

/** Sends one record after the other with acks=all, each after the one before it was read. Throws with its output when it failed. */
export async function endToEndLatency({ bootstrap, topic, records, recordBytes }: EndToEndRun): Promise<EndToEndFigures> {
  const { stdout, stderr } = await runTool('kafka-e2e-latency', [
    '--bootstrap-server', bootstrap, '--topic', topic, '--num-records', String(records), '--producer-acks', 'all', '--record-size', String(recordBytes),
  ], '', TOOL_MS_MAX, loadFlags)
  const figures = parseEndToEndLatency(stdout)
  if (figures === null) throw new Error(`the end-to-end tool failed: ${stdout.slice(-1000)} ${stderr.slice(-2000)}`)
  return figures
}

/** Percentiles are whole milliseconds; null when the run did not end. */
export function parseEndToEndLatency(stdout: string): EndToEndFigures | null {
  const average = /^Avg latency: ([\d.]+) ms/m.exec(stdout)?.[1]
  const percentiles = /^Percentiles: 50th = (\d+), 99th = (\d+), 99\.9th = (\d+)/m.exec(stdout)?.slice(1)
  if (average === undefined || percentiles === undefined) return null
  const [p50Ms, p99Ms, p999Ms] = percentiles.map(Number)
  return { avgMs: Number(average), p50Ms: p50Ms!, p99Ms: p99Ms!, p999Ms: p999Ms! }
}
