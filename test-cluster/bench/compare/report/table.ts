/** The comparison as Markdown. */
import { sideTitles } from '../clusters/compared-cluster.ts'
import type { Side } from '../clusters/compared-cluster.ts'
import { describeMachine } from '../machine.ts'
import type { Measurement } from '../measurement.ts'
import type { FailedLine, MeasuredLine, ResultLine, RunLine } from '../results-file.ts'
import { resultKey } from '../results-file.ts'
import type { Summary } from '../statistics.ts'
import { comparedRows, short, timesBetter } from './compared-rows.ts'
import type { ComparedRow } from './compared-rows.ts'

const SIDES: readonly Side[] = ['kafka', 'kafka-quick-start', 'kavka']
/** Medians this near to each other are no difference worth a sentence. */
const BEHIND_FROM = 0.97

/** Conditions, table, and what is not reached. */
export function comparisonMarkdown(measurements: readonly Measurement[], lines: readonly ResultLine[]): string {
  const measured = lines.filter((line): line is MeasuredLine => line.kind === 'measured')
  const rows = comparedRows(measurements, measured)
  const sides = SIDES.filter((side) => rows.some(({ summaries }) => summaries[side] !== undefined))
  return [
    ...conditions(lines, measured), '',
    ...summary(rows), '',
    `| | ${sides.map((side) => sideTitles[side]).join(' | ')} | Kavka ÷ Kafka | Goal | Runs |`,
    `|---|${sides.map(() => '---:').join('|')}|---:|---|---:|`,
    ...rows.flatMap((row, index) => [...(rows[index - 1]?.group === row.group ? [] : [heading(row.group, sides)]), tableRow(row, sides)]),
    ...failures(lines),
  ].join('\n')
}

function conditions(lines: readonly ResultLine[], measured: readonly MeasuredLine[]): string[] {
  const runs = lines.filter((line): line is RunLine => line.kind === 'run')
  const days = [...new Set(lines.map(({ at }) => at.slice(0, 10)))].sort()
  const loads = measured.map(({ load }) => load)
  const { megabytes, warmMegabytes, seconds, recoveryMegabytes } = runs[0]!.sizes
  return [
    `${days.join(' and ')}, ${[...new Set(runs.map(({ machine }) => describeMachine(machine)))].join('; ')}; Kavka at ${[...new Set(runs.map(({ commit }) => commit))].join(', ')}.`,
    'Three nodes and the load on this one machine, by turns: starting, idling, failing, growth and recovery on fresh clusters, the rest on one warm cluster of each side while that of the other side stands still. Replication factor 3, min.insync.replicas 2, 12 partitions where nothing else is said.',
    `${short(megabytes)} MB a produce measurement after a warm-up in steps of ${short(warmMegabytes)} MB until they get no cheaper, ${seconds} s a steady rate; recovery is of ${short(recoveryMegabytes)} MB. Kafka with the flags of its start script (G1, 1 GiB heap).`,
    `Medians, smallest and largest in brackets; the ratio is of the medians, its brackets are of the single rounds. Load average before a cluster started: ${short(Math.min(...loads))} to ${short(Math.max(...loads))}.`,
  ]
}

function summary(rows: readonly ComparedRow[]): string[] {
  const goals = rows.flatMap(({ goal }) => (goal === null ? [] : [goal]))
  const behind = rows.filter((row) => (timesBetter(row) ?? 1) < BEHIND_FROM)
  const reached = goals.length === 0 ? '' : `**${goals.filter((goal) => goal.reached).length} of ${goals.length} goals are reached.** `
  if (behind.length === 0) return [`${reached}Kavka is behind Kafka in none of the rows that both have.`]
  return [`${reached}Kavka is behind Kafka in ${behind.length} of ${rows.length} rows: ${behind.map(behindText).join('; ')}.`]
}

function behindText(row: ComparedRow): string {
  return `${row.group}: ${row.row.title} (${row.row.unit}, ${short(row.ratio!.ofMedians)}×)`
}

function heading(group: string, sides: readonly Side[]): string {
  return `| **${group}** |${sides.map(() => ' |').join('')} | | |`
}

function tableRow({ row, summaries, ratio, goal }: ComparedRow, sides: readonly Side[]): string {
  const cells = sides.map((side) => (summaries[side] === undefined ? '' : spread(summaries[side])))
  const ratioText = ratio === null ? '' : `${short(ratio.ofMedians)}${ratio.ofRounds === null ? '' : ` (${short(ratio.ofRounds.min)}–${short(ratio.ofRounds.max)})`}`
  const runs = [...new Set(Object.values(summaries).map(({ count }) => count))].join('/')
  return `| ${row.title}, ${row.unit} | ${cells.join(' | ')} | ${ratioText} | ${goal === null ? '' : `${goal.text} ${goal.reached ? '✓' : '✗'}`} | ${runs} |`
}

function spread({ median, min, max, count }: Summary): string {
  return count === 1 ? short(median) : `${short(median)} (${short(min)}–${short(max)})`
}

/** What failed and was not measured later either. */
function failures(lines: readonly ResultLine[]): string[] {
  const measured = new Set(lines.filter((line): line is MeasuredLine => line.kind === 'measured').map(resultKey))
  const failed = lines.filter((line): line is FailedLine => line.kind === 'failed').filter((line) => !measured.has(resultKey(line)))
  const counted = new Map<string, number>()
  for (const { side, measurement } of failed) {
    const key = `${measurement} on ${sideTitles[side]}`
    counted.set(key, (counted.get(key) ?? 0) + 1)
  }
  return counted.size === 0 ? [] : ['', `Failed: ${[...counted].map(([what, times]) => `${what} (${times}×)`).join(', ')}.`]
}
