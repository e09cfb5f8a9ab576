import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { allMeasurements } from '../measurements/all-measurements.ts'
import { comparedRows, short, timesBetter } from './compared-rows.ts'
import { withComparison } from './document.ts'
import { sampleResults } from './sample-results.ts'
import { comparisonMarkdown } from './table.ts'
import type { MeasuredLine } from '../results-file.ts'

const golden = (name: string): string => readFileSync(join(__dirname, '../testdata', name), 'utf8')
const measured = sampleResults.filter((line): line is MeasuredLine => line.kind === 'measured')

test('the table is what it was', () => {
  expect(`${comparisonMarkdown(allMeasurements, sampleResults)}\n`).toBe(golden('comparison.md'))
})

test('a row knows its medians, its ratio and its goal', () => {
  const rows = comparedRows(allMeasurements, measured)
  const rate = rows[0]!
  expect(rate.summaries.kafka).toEqual({ median: 38, min: 36, max: 40, count: 3 })
  expect(rate.ratio).toEqual({ ofMedians: 1.5, ofRounds: { min: 1.5, max: 1.8 } })
  expect(rate.goal).toEqual({ text: '≥ 1.5×', reached: true })
  const cpu = rows.find(({ row }) => row.unit === 'CPU s/GB')!
  expect(cpu.goal).toEqual({ text: '≤ 0.5×', reached: true })
  expect(timesBetter(cpu)).toBe(2)
  const failover = rows.find(({ group, row }) => group.startsWith('Growth') && row.title.startsWith('kill'))!
  expect(failover.ratio).toBeNull()
  expect(failover.goal).toEqual({ text: '≤ 1.5 s', reached: false })
})

test('a later line of the same round takes the place of the earlier', () => {
  const again: MeasuredLine = { ...measured[0]!, figures: { ...measured[0]!.figures, rate: 20 } }
  expect(comparedRows(allMeasurements, [...measured, again])[0]!.summaries.kafka).toEqual({ median: 36, min: 20, max: 38, count: 3 })
})

test('numbers are as long as they say something', () => {
  expect([12_345.6, 432.1, 43.21, 4.321, 0.4321, 0.004321, 0].map(short)).toEqual(['12,346', '432', '43.2', '4.32', '0.43', '0.0043', '0.00'])
})

test('the comparison takes the place of the last one and leaves the rest alone', () => {
  const [begin, end] = ['<!-- comparison: begin (written by npm run bench:compare -- --report) -->', '<!-- comparison: end -->']
  const once = withComparison(`# Title\n${begin}\nold\n${end}\nrest\n`, 'new')
  expect(once).toBe(`# Title\n${begin}\n\nnew\n\n${end}\nrest\n`)
  expect(withComparison(once, 'newer')).toBe(`# Title\n${begin}\n\nnewer\n\n${end}\nrest\n`)
  expect(() => withComparison(`${end}${begin}`, 'new')).toThrow('no lines')
})
