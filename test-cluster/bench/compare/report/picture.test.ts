import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { allMeasurements } from '../measurements/all-measurements.ts'
import { comparisonSvg } from './picture.ts'
import { sampleResults } from './sample-results.ts'

test('the picture is what it was', () => {
  expect(comparisonSvg(allMeasurements, sampleResults)).toBe(readFileSync(join(__dirname, '../testdata/comparison.svg'), 'utf8'))
})

test('what is better goes to the right of equal, what is worse to the left, whichever way the row is read', () => {
  const svg = comparisonSvg(allMeasurements, sampleResults)
  const equal = Number(/<line class="one" x1="([\d.]+)"/.exec(svg)![1])
  const bars = [...svg.matchAll(/<rect class="(better|worse)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)]
  expect(bars.map(([, kind]) => kind)).toEqual(['better', 'better', 'better', 'worse', 'worse', 'better'])
  for (const [, kind, x, width] of bars) {
    expect(kind === 'better' ? Number(x) : Number(x) + Number(width)).toBeCloseTo(equal, 0)
  }
})

test('without anything to compare there is a picture without bars', () => {
  const svg = comparisonSvg(allMeasurements, sampleResults.slice(0, 1))
  expect(svg).not.toMatch(/class="(better|worse)" x=/)
  expect(svg).toContain('</svg>')
})
