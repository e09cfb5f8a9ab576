import type { File, FileSystem } from '@kavka/kernel'
import { OpenFiles } from '../../files/open-files.ts'
import { ReadAhead } from './read-ahead.ts'

const MEBIBYTE = 1024 * 1024

/** A disk with one file, which notes what is read and answers as told. */
function scene(answer: (position: number) => Promise<number>) {
  const reads: { readonly position: number; readonly length: number }[] = []
  let closed = 0
  const read: File['read'] = (_target, _targetOffset, length, position) => {
    reads.push({ position, length })
    return answer(position)
  }
  const file = { path: 'log', read, close: () => closed++ } as unknown as File
  const files = new OpenFiles({ openFilesMax: 1 }, { fs: { open: () => file } as unknown as FileSystem })
  return { reads, files, closedCount: () => closed, readAhead: new ReadAhead({ files }) }
}

test('a long range is read whole, in pieces', async () => {
  const { reads, readAhead } = scene(async () => 0)
  const range = { start: 5, end: 5 + 301 * MEBIBYTE }
  await readAhead.fetch('log', range)
  let position = range.start
  for (const read of reads) {
    expect(read.position).toBe(position)
    position += read.length
  }
  expect(position).toBe(range.end)
})

test('little is not worth it, nor is what an index entry that is wrong promises', async () => {
  const { reads, readAhead } = scene(async () => 0)
  await readAhead.fetch('log', { start: 0, end: MEBIBYTE })
  await readAhead.fetch('log', { start: 900 * MEBIBYTE, end: 100 * MEBIBYTE })
  expect(reads).toEqual([])
})

test('a sector that cannot be read is left to whoever needs it, and the file is given back when all reads have ended', async () => {
  const pending: (() => void)[] = []
  const { files, closedCount, readAhead } = scene((position) => (position === 0 ? Promise.reject(new Error('EIO')) : new Promise((resolve) => pending.push(() => resolve(0)))))
  const fetched = readAhead.fetch('log', { start: 0, end: 20 * MEBIBYTE })
  files.forget('log')
  await Promise.resolve()
  expect(closedCount()).toBe(0)
  for (const end of pending) end()
  await fetched
  expect(closedCount()).toBe(1)
})
