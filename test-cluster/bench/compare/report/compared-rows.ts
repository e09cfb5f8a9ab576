/** What the lines of the results say about each line of the table. */
import type { Side } from '../clusters/compared-cluster.ts'
import type { Measurement, Row } from '../measurement.ts'
import type { MeasuredLine } from '../results-file.ts'
import { ratioOf, summarize } from '../statistics.ts'
import type { ByRound, Ratio, Summary } from '../statistics.ts'

export interface ComparedRow {
  readonly group: string
  readonly row: Row
  readonly summaries: Readonly<Partial<Record<Side, Summary>>>
  /** Kavka ÷ Kafka. */
  readonly ratio: Ratio | null
  readonly goal: Goal | null
}

/** What the row is to be, and whether it is; null while that cannot be told. */
export interface Goal {
  readonly text: string
  readonly reached: boolean
}

/** Rows with at least one value, in the order of the measurements. Later lines of the same round and side take the place of earlier ones. */
export function comparedRows(measurements: readonly Measurement[], lines: readonly MeasuredLine[]): ComparedRow[] {
  return measurements.flatMap((measurement) => {
    const own = lines.filter((line) => line.measurement === measurement.name)
    return own.length === 0 ? [] : Object.entries(measurement.rows).map(([key, row]) => comparedRow(measurement, row, key, own))
  })
}

function comparedRow(measurement: Measurement, row: Row, key: string, lines: readonly MeasuredLine[]): ComparedRow {
  const values = (side: Side): ByRound => new Map(lines.filter((line) => line.side === side && line.figures[key] !== undefined)
    .map(({ round, figures }) => [round, figures[key]!]))
  const summaries = Object.fromEntries(measurement.sides.flatMap((side) => {
    const summary = summarize([...values(side).values()])
    return summary === null ? [] : [[side, summary]]
  })) as ComparedRow['summaries']
  const ratio = ratioOf(values('kafka'), values('kavka'))
  return { group: measurement.group, row, summaries, ratio, goal: goalOf(row, ratio, summaries.kavka) }
}

function goalOf(row: Row, ratio: Ratio | null, kavka: Summary | undefined): Goal | null {
  if (row.kavkaMax !== undefined) return kavka === undefined ? null : { text: `≤ ${row.kavkaMax} ${row.unit}`, reached: kavka.median <= row.kavkaMax }
  if (row.target === undefined || ratio === null) return null
  if (row.better === 'higher') return { text: `≥ ${row.target}×`, reached: ratio.ofMedians >= row.target }
  return { text: `≤ ${Number(row.target.toFixed(3))}×`, reached: ratio.ofMedians <= row.target }
}

/** How many times better Kavka is than Kafka: above one better, below one worse, whichever way the row is read. */
export function timesBetter({ row, ratio }: ComparedRow): number | null {
  if (ratio === null) return null
  return row.better === 'higher' ? ratio.ofMedians : 1 / ratio.ofMedians
}

/** Three significant digits at most, none behind the point from a hundred on. */
export function short(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value >= 0.1 || value === 0 ? value.toFixed(2) : value.toPrecision(2)
}
