import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { TailCache } from './tail-cache.ts'

const KIBIBYTE = 1024
/** As a batch comes in: somewhere in the chunk of a socket. */
function batchIn(chunkBytes: number, sizeBytes: number, fill: number): Buffer {
  return Buffer.alloc(chunkBytes, fill).subarray(100, 100 + sizeBytes)
}

/** A full collection. V8 hands its collector to contexts that are made after the flag is set. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

function pinnedBytes(records: readonly Buffer[]): number {
  return [...new Set(records.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0)
}

test('small batches pin little more than their size, whatever they came in', () => {
  const tail = new TailCache({ bytesMax: 8 * KIBIBYTE * KIBIBYTE }).tail()
  for (let offset = 0; offset < 200; offset++) tail.add(offset, offset + 1, batchIn(64 * KIBIBYTE, 16 * KIBIBYTE, offset))
  const records = tail.from(0)!.map((run) => run.records)
  expect(records).toHaveLength(200)
  expect(records.every((each, offset) => each.length === 16 * KIBIBYTE && each.every((byte) => byte === offset))).toBe(true)
  expect(pinnedBytes(records)).toBeLessThan(1.1 * 200 * 16 * KIBIBYTE)
})

test('a large batch is kept as it came when little hangs on it, else copied', () => {
  const tail = new TailCache({ bytesMax: 8 * KIBIBYTE * KIBIBYTE }).tail()
  const fitting = batchIn(201 * KIBIBYTE, 200 * KIBIBYTE, 1)
  const loose = batchIn(400 * KIBIBYTE, 200 * KIBIBYTE, 2)
  tail.add(0, 1, fitting)
  tail.add(1, 2, loose)
  const [first, second] = tail.from(0)!.map((run) => run.records)
  expect(first!.buffer).toBe(fitting.buffer)
  expect(second!.equals(loose)).toBe(true)
  expect(second!.buffer.byteLength).toBe(200 * KIBIBYTE)
})

test('the oldest leave first, over all logs, when there is too much', () => {
  const cache = new TailCache({ bytesMax: 100 * KIBIBYTE })
  const [one, other] = [cache.tail(), cache.tail()]
  for (let offset = 0; offset < 20; offset++) {
    one.add(offset, offset + 1, batchIn(64 * KIBIBYTE, 4 * KIBIBYTE, offset))
    other.add(offset, offset + 1, batchIn(64 * KIBIBYTE, 4 * KIBIBYTE, offset))
  }
  expect(cache.bytes).toBeLessThanOrEqual(100 * KIBIBYTE)
  expect([one.startOffset, other.startOffset]).toEqual([9, 8])
  expect(one.from(3)).toBeNull()
  expect(one.from(15)!.map(({ baseOffset }) => baseOffset)).toEqual([15, 16, 17, 18, 19])
})

test('a tail that is cleared frees what it held, and its turns free nothing of others', () => {
  const cache = new TailCache({ bytesMax: 100 * KIBIBYTE })
  const [cleared, other] = [cache.tail(), cache.tail()]
  for (let offset = 0; offset < 10; offset++) cleared.add(offset, offset + 1, batchIn(64 * KIBIBYTE, 4 * KIBIBYTE, 1))
  cleared.clear()
  expect([cache.bytes, cleared.startOffset]).toEqual([0, null])
  for (let offset = 0; offset < 20; offset++) other.add(offset, offset + 1, batchIn(64 * KIBIBYTE, 4 * KIBIBYTE, 2))
  expect(other.startOffset).toBe(0)
})

test('what has left the cache is not kept by the place it had', async () => {
  const tail = new TailCache({ bytesMax: 100 * KIBIBYTE }).tail()
  const old = new WeakRef(batchIn(100 * KIBIBYTE, 99 * KIBIBYTE, 1))
  tail.add(0, 1, old.deref()!)
  tail.add(1, 2, batchIn(100 * KIBIBYTE, 99 * KIBIBYTE, 2))
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  collect()
  expect(tail.startOffset).toBe(1)
  expect(old.deref()).toBeUndefined()
})
