import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forgetFiles, segmentsOf } from './page-cache.ts'

let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'page-cache-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

test('segments are those of the partitions of one topic', () => {
  for (const name of ['warm-0', 'warm-11', 'warm-up-0', 'warmer-0']) {
    mkdirSync(join(directory, name))
    writeFileSync(join(directory, name, '00000000000000000000.log'), '')
    writeFileSync(join(directory, name, '00000000000000000000.index'), '')
  }
  writeFileSync(join(directory, 'warm-2'), 'no folder')
  expect(segmentsOf(directory, 'warm').sort()).toEqual(['warm-0', 'warm-11'].map((name) => join(directory, name, '00000000000000000000.log')))
})

test('a file that was forgotten is still what it was', async () => {
  const file = join(directory, 'a')
  writeFileSync(file, 'content')
  await forgetFiles([file])
  expect(readFileSync(file, 'utf8')).toBe('content')
  await expect(forgetFiles([join(directory, 'absent')])).rejects.toThrow('absent')
})
