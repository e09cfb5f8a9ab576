import type { File } from '@kavka/kernel'
import { buildBatch } from '@kavka/protocol'
import type { Offset } from '@kavka/protocol'
import { readBatches } from './log-reader.ts'
import { ReadMemory } from './read-memory.ts'

const batch = buildBatch([{ timestamp: 1, key: null, value: Buffer.alloc(100, 1) }])

/** A file of one batch; its reads are counted. */
function fileOf(bytes: Buffer): { file: File; reads: () => number } {
  let reads = 0
  const read = async (target: Buffer, targetOffset: number, length: number, position: number): Promise<number> => {
    if (++reads > 100) throw new Error('reads for ever')
    return bytes.copy(target, targetOffset, position, position + length)
  }
  return { file: { read } as Partial<File> as File, reads: () => reads }
}

const range = { offsetMin: 0, offsetEnd: 1, firstLastOffsetMax: Infinity }
const memory = new ReadMemory({ pieceBytes: 1_024, idlePiecesMax: 1 })
const request = (bytesMax: number) => {
  return { startOffset: 0 as Offset, endOffsetMax: 1 as Offset, bytesMax, minimum: 'at-least-one-batch' as const }
}

test('a place too near to the end of the log for a batch is damage, not a reason to read it for ever', async () => {
  const { file, reads } = fileOf(batch)
  const end = batch.length
  expect(await readBatches(file, { ...range, start: end - 5, end }, request(1_000), memory)).toMatchObject({ kind: 'corrupt', position: end - 5 })
  expect(reads()).toBe(1)
})

test('a batch beyond the limit is read whole all the same', async () => {
  const { file } = fileOf(batch)
  expect(await readBatches(file, { ...range, start: 0, end: batch.length }, request(0), memory)).toMatchObject({ kind: 'read', nextOffset: 1 })
})
