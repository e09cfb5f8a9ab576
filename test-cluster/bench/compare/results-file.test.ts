import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ResultsFile, parseResults } from './results-file.ts'
import type { MeasuredLine } from './results-file.ts'

const line: MeasuredLine = {
  kind: 'measured', at: '2026-01-01T00:00:00.000Z', round: 1, side: 'kavka', measurement: 'produce', figures: { rate: 90.5 }, seconds: 4, load: 0.1,
}

let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'compare-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

test('what was appended is read again', () => {
  const file = new ResultsFile(join(directory, 'new'))
  expect(file.read()).toEqual([])
  file.append(line)
  file.append({ ...line, round: 2 })
  expect(new ResultsFile(join(directory, 'new')).read()).toEqual([line, { ...line, round: 2 }])
})

test('a line that was cut off is dropped before the next is written', () => {
  const file = new ResultsFile(directory)
  file.append(line)
  appendFileSync(file.path, '{"kind":"meas')
  const resumed = new ResultsFile(directory)
  resumed.append({ ...line, round: 2 })
  expect(resumed.read()).toEqual([line, { ...line, round: 2 }])
})

test('a new comparison keeps what the last one left', () => {
  const file = new ResultsFile(directory)
  file.startAnew()
  file.append(line)
  file.startAnew()
  expect(file.read()).toEqual([])
  expect(readdirSync(directory)).toEqual([expect.stringMatching(/^results-20\d\d-.*Z\.jsonl$/)])
})

test('damage in the middle is an error, not fewer rounds', () => {
  expect(() => parseResults(`${JSON.stringify(line)}\n{"kind"\n${JSON.stringify(line)}\n`)).toThrow('line 2')
})
