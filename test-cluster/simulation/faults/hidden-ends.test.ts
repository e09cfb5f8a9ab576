import { batchLastOffset, buildBatch } from '@kavka/protocol'
import { MemoryFileSystem } from '@kavka/testkit'
import { restoreHiddenEnds } from './hidden-ends.ts'

const SEALED = '/data/t-0/00000000000000000000'
const ACTIVE = '/data/t-0/00000000000000000002'

/** The sealed segment had two batches, and the cut took the last. */
function afterTheCut(files: { readonly index?: Buffer; readonly timeIndex?: Buffer }) {
  const first = buildBatch([{ timestamp: 5, key: null, value: Buffer.alloc(9) }])
  const second = Buffer.from(first)
  second.writeBigInt64BE(1n, 0)
  expect(batchLastOffset(second, 0)).toBe(1)
  const disk = new MemoryFileSystem()
  for (const directory of ['/data', '/data/t-0']) disk.makeDirectory(directory)
  disk.writeFile(`${SEALED}.log`, first)
  disk.writeFile(`${ACTIVE}.log`, '')
  disk.writeFile(`${SEALED}.index`, files.index ?? '')
  disk.writeFile(`${SEALED}.timeindex`, files.timeIndex ?? '')
  return { disk, before: Buffer.concat([first, second]), left: first.length }
}

function timeEntry(offset: number): Buffer {
  const entry = Buffer.alloc(12)
  entry.writeInt32BE(offset, 8)
  return entry
}

test.each([
  ['no index names it', {}, 2, true],
  ['the indexes name what is before it only', { timeIndex: timeEntry(0) }, 2, true],
  ['the time index names it', { timeIndex: timeEntry(1) }, 2, false],
  ['the offset index names it', { index: Buffer.from([0, 0, 0, 1, 0, 0, 0, 77]) }, 2, false],
  ['a start looks for it, as the recovery point is behind it', {}, 3, false],
  ['nobody took it to be synced', {}, 1, false],
] as const)('the end of a sealed segment, when %s', (_when, files, recoveryPoint, isKept) => {
  const { disk, before, left } = afterTheCut(files)
  restoreHiddenEnds(disk, new Map([[`${SEALED}.log`, before], [`${ACTIVE}.log`, before]]), new Map([['t-0', recoveryPoint]]))
  expect(disk.sizeBytes(`${SEALED}.log`)).toBe(isKept ? before.length : left)
  expect(disk.sizeBytes(`${ACTIVE}.log`)).toBe(0)
})
