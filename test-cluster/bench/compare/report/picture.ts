/** The core of the comparison as a picture: how many times better or worse than Kafka, on a logarithmic axis. */
import type { Measurement } from '../measurement.ts'
import type { MeasuredLine, ResultLine, RunLine } from '../results-file.ts'
import { comparedRows, short, timesBetter } from './compared-rows.ts'
import type { ComparedRow } from './compared-rows.ts'

const WIDTH = 1010
const LEFT = 320
const RIGHT = 220
const TOP = 96
const STEP = 34
const BAR = 16
const MARKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500] as const

const STYLE = `
  svg { font-family: "Segoe UI", "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; font-size: 14px; }
  .ground { fill: #ffffff } .ink { fill: #1f2430 } .faint { fill: #5b6472 } .line { stroke: #d5dae2 } .one { stroke: #1f2430 }
  .better { fill: #2b7a4b } .worse { fill: #b4442f } .spread { stroke: #1f2430 } .goal { stroke: #7a5af0 } .goal-ink { fill: #7a5af0 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #14171d } .ink { fill: #e8ebf0 } .faint { fill: #9aa4b2 } .line { stroke: #333a45 } .one { stroke: #e8ebf0 }
    .better { fill: #4fb37a } .worse { fill: #e07a5f } .spread { stroke: #e8ebf0 } .goal { stroke: #b39dff } .goal-ink { fill: #b39dff }
  }`

/** An SVG that follows the reader's light or dark surroundings; empty of bars when no row has a ratio. */
export function comparisonSvg(measurements: readonly Measurement[], lines: readonly ResultLine[]): string {
  const measured = lines.filter((line): line is MeasuredLine => line.kind === 'measured')
  const rows = comparedRows(measurements, measured).filter((row) => row.row.inPicture !== undefined && row.ratio !== null)
  const axis = new Axis(rows)
  const bottom = TOP + rows.length * STEP
  const height = bottom + 74
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Kavka compared with Apache Kafka">`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    text(24, 34, 'Kavka compared with Apache Kafka 4.3.1', 'class="ink" font-size="20" font-weight="600"'),
    text(24, 58, conditions(lines), 'class="faint"'),
    ...axis.marks.flatMap((mark) => [
      `<line class="${mark === 1 ? 'one' : 'line'}" x1="${axis.x(mark)}" y1="${TOP - 10}" x2="${axis.x(mark)}" y2="${bottom}"/>`,
      text(axis.x(mark), bottom + 18, mark === 1 ? 'equal' : mark > 1 ? `${mark}×` : `1/${Math.round(1 / mark)}`, 'class="faint" text-anchor="middle"'),
    ]),
    ...rows.flatMap((row, index) => bar(row, TOP + index * STEP, axis)),
    text(axis.x(1) + 8, bottom + 40, 'Kavka better →', 'class="faint"'),
    text(axis.x(1) - 8, bottom + 40, '← Kavka worse', 'class="faint" text-anchor="end"'),
    ...legend(bottom + 62),
    '</svg>', '',
  ].join('\n')
}

/** Logarithmic, as wide as what is on it, equal always in view. */
class Axis {
  readonly marks: readonly number[]
  readonly #from: number
  readonly #to: number

  constructor(rows: readonly ComparedRow[]) {
    const values = rows.flatMap((row) => [timesBetter(row)!, goalBetter(row) ?? 1, ...spreadBetter(row)])
    this.#from = MARKS.findLast((mark) => mark <= Math.min(0.5, ...values)) ?? MARKS[0]
    this.#to = MARKS.find((mark) => mark >= Math.max(2, ...values)) ?? MARKS.at(-1)!
    this.marks = MARKS.filter((mark) => mark >= this.#from && mark <= this.#to)
  }

  x(times: number): number {
    const clamped = Math.min(this.#to, Math.max(this.#from, times))
    const share = Math.log(clamped / this.#from) / Math.log(this.#to / this.#from)
    return round(LEFT + share * (WIDTH - LEFT - RIGHT))
  }
}

function bar(row: ComparedRow, y: number, axis: Axis): string[] {
  const better = timesBetter(row)!
  const [from, to] = [Math.min(axis.x(better), axis.x(1)), Math.max(axis.x(better), axis.x(1))]
  const middle = y + STEP / 2 - 4
  const [low, high] = spreadBetter(row)
  const goal = goalBetter(row)
  return [
    text(24, middle + 5, row.row.inPicture!, 'class="ink"'),
    `<rect class="${better >= 1 ? 'better' : 'worse'}" x="${from}" y="${middle - BAR / 2}" width="${round(Math.max(1.5, to - from))}" height="${BAR}" rx="2"/>`,
    ...(low === undefined ? [] : [`<line class="spread" x1="${axis.x(low)}" y1="${middle}" x2="${axis.x(high!)}" y2="${middle}" stroke-width="2"/>`]),
    ...(goal === null ? [] : [`<line class="goal" x1="${axis.x(goal)}" y1="${middle - BAR / 2 - 4}" x2="${axis.x(goal)}" y2="${middle + BAR / 2 + 4}" stroke-width="3"/>`]),
    text(WIDTH - RIGHT + 16, middle + 5, `${short(row.summaries.kafka!.median)} → ${short(row.summaries.kavka!.median)} ${row.row.unit}`, 'class="ink"'),
  ]
}

function goalBetter({ row }: ComparedRow): number | null {
  if (row.target === undefined) return null
  return row.better === 'higher' ? row.target : 1 / row.target
}

function spreadBetter({ row, ratio }: ComparedRow): number[] {
  if (ratio === null || ratio.ofRounds === null) return []
  const { min, max } = ratio.ofRounds
  return row.better === 'higher' ? [min, max] : [1 / max, 1 / min]
}

function conditions(lines: readonly ResultLine[]): string {
  const { machine } = lines.find((line): line is RunLine => line.kind === 'run')!
  const days = [...new Set(lines.map(({ at }) => at.slice(0, 10)))].sort()
  return `Three nodes each on one machine with ${machine.cores} cores and ${machine.memoryGigabytes} GiB, by turns; ${days.join(', ')}; Kafka → Kavka at the right`
}

function legend(y: number): string[] {
  return [
    `<line class="goal" x1="24" y1="${y - 12}" x2="24" y2="${y + 2}" stroke-width="3"/>`, text(34, y, 'goal', 'class="goal-ink"'),
    `<line class="spread" x1="84" y1="${y - 5}" x2="112" y2="${y - 5}" stroke-width="2"/>`, text(120, y, 'smallest to largest ratio of a round', 'class="faint"'),
  ]
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text x="${x}" y="${y}" ${style}>${content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
