import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import { LogFixture } from '../../testing/log-fixture.ts'
import { ReadMemory } from './read-memory.ts'

const NOW = 1_700_000_400_000
const EPOCH = 0 as LeaderEpoch
const options = { pieceBytes: 1_000, idlePiecesMax: 2 }

test('what was given back is lent again; what was not stays with its reader', () => {
  const memory = new ReadMemory(options)
  const first = memory.lend(900)
  const second = memory.lend(1_000)
  expect(second.bytes.buffer).not.toBe(first.bytes.buffer)
  first.giveBack()
  const third = memory.lend(500)
  expect(third.bytes.length).toBe(500)
  expect(third.bytes.buffer).toBe(first.bytes.buffer)
  expect(memory.lend(500).bytes.buffer).not.toBe(second.bytes.buffer)
})

test('giving back twice would lend the same memory to two readers: it is an error', () => {
  const piece = new ReadMemory(options).lend(900)
  piece.giveBack()
  expect(() => piece.giveBack()).toThrow('given back once')
})

test('no more is kept than allowed, and neither large nor small reads take pieces', () => {
  const memory = new ReadMemory(options)
  const lent = [memory.lend(900), memory.lend(900), memory.lend(900)]
  for (const piece of lent) piece.giveBack()
  expect(memory.idlePieces).toBe(2)
  for (const size of [1_001, 10]) {
    const own = memory.lend(size)
    expect(own.bytes.length).toBe(size)
    own.giveBack()
  }
  expect(memory.idlePieces).toBe(2)
})

test('a log reads from its file into memory that was given back, and never into memory that was not', async () => {
  const fixture = new LogFixture({ manager: { tailCacheBytesMax: 0 } })
  const log = await fixture.log()
  for (let i = 0; i < 4; i++) log.appendAsLeader(buildBatch([{ timestamp: NOW, key: null, value: Buffer.alloc(90_000, i) }]), EPOCH, 'client')
  await fixture.settle()
  const readAt = async (at: number) => {
    const outcome = await log.read({ startOffset: at as Offset, endOffsetMax: 4 as Offset, bytesMax: 100_000, minimum: 'at-least-one-batch' })
    if (outcome.kind !== 'read') throw new Error(outcome.kind)
    return outcome
  }
  const first = await readAt(0)
  const second = await readAt(1)
  const kept = Buffer.concat(second.records)
  expect(second.records[0]!.buffer === first.records[0]!.buffer).toBe(false)
  first.memory!.giveBack()
  const third = await readAt(3)
  expect(third.records[0]!.buffer === first.records[0]!.buffer).toBe(true)
  expect(third.records[0]!.at(-2)).toBe(3)
  expect(Buffer.concat(second.records)).toEqual(kept)
})
