import { runTool } from '../../../foreign/kafka-tools.ts'
import { TOOL_MS_MAX, loadFlags } from './load-flags.ts'

export interface ConsumerRun {
  readonly bootstrap: string
  readonly topic: string
  readonly records: number
  readonly group: string
}

/** What ConsumerPerformance says at its end. */
export interface ConsumerFigures {
  readonly megabytes: number
  readonly records: number
  /** Over the time of fetching, without joining the group. */
  readonly megabytesPerSecond: number
  /** Time of day when fetching began, after the group was joined, and when it ended. */
  readonly fetchedFromMs: number
  readonly fetchedToMs: number
}

const MEBIBYTE_IN_MB = 1.048576

/** Reads a topic from its start with one consumer of a new group. Throws with its output when it did not read everything. */
export async function consumerPerformance(run: ConsumerRun): Promise<ConsumerFigures> {
  const { stdout, stderr } = await runTool('kafka-consumer-perf-test', [
    '--topic', run.topic, '--num-records', String(run.records), '--group', run.group, '--timeout', '60000', '--bootstrap-server', run.bootstrap,
  ], '', TOOL_MS_MAX, loadFlags)
  const figures = parseConsumerPerformance(stdout)
  if (figures === null || figures.records < run.records) throw new Error(`the consumer failed: ${stdout.slice(-1000)} ${stderr.slice(-2000)}`)
  return figures
}

/**
 * Columns: start, end, MB, MB/s, records, records/s, rebalance ms, fetch ms, fetch MB/s, fetch records/s; MB are mebibytes.
 * Null when the last line is not such a row.
 */
export function parseConsumerPerformance(stdout: string): ConsumerFigures | null {
  const columns = (stdout.trim().split('\n').at(-1) ?? '').split(',').map((text) => text.trim())
  const [megabytes, records, rate] = [columns[2], columns[4], columns[8]].map(Number)
  if (columns.length !== 10 || ![megabytes, records, rate].every(Number.isFinite)) return null
  const fetchedToMs = timeOfDay(columns[1]!)
  return {
    megabytes: megabytes! * MEBIBYTE_IN_MB, records: records!, megabytesPerSecond: rate! * MEBIBYTE_IN_MB,
    fetchedFromMs: fetchedToMs - Number(columns[7]), fetchedToMs,
  }
}

/** `2026-11-21 12:00:00:100`, in the time zone of the machine. */
function timeOfDay(text: string): number {
  return new Date(text.replace(' ', 'T').replace(/:(\d{3})$/, '.$1')).getTime()
}
