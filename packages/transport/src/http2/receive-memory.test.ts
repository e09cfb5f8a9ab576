import type { Scheduler } from '@kavka/kernel'
import { seededRandom } from '@kavka/kernel'
import { VirtualScheduler } from '@kavka/testkit'
import { frame, FRAME_HEADER_BYTES, FrameType } from './frame-layout.ts'
import { ReceiveMemory, SLAB_BYTES, SlabPool } from './receive-memory.ts'
import { frameLengthAt } from './single-stream.ts'

interface Reader {
  readonly memory: ReceiveMemory
  readonly frames: Buffer[]
  readonly pool: SlabPool
  readonly scheduler: VirtualScheduler
}

function reader(): Reader {
  const frames: Buffer[] = []
  const pool = new SlabPool({ slabsMax: 4 })
  const scheduler = new VirtualScheduler()
  const memory = new ReceiveMemory((bytes, start, end) => takeFrames(bytes, start, end, frames), { pool, scheduler: scheduler as Scheduler })
  return { memory, frames, pool, scheduler }
}

function takeFrames(bytes: Buffer, start: number, end: number, frames: Buffer[]): number {
  let at = start
  while (end - at >= FRAME_HEADER_BYTES && at + FRAME_HEADER_BYTES + frameLengthAt(bytes, at) <= end) {
    const next = at + FRAME_HEADER_BYTES + frameLengthAt(bytes, at)
    frames.push(bytes.subarray(at + FRAME_HEADER_BYTES, next))
    at = next
  }
  return at
}

function data(content: Buffer): Buffer {
  return frame({ type: FrameType.data, flags: 0, streamId: 1 }, content)
}

/** As a socket: puts at most `bytesMax` into the room at a time. */
function read({ memory }: Reader, bytes: Buffer, bytesMax: number): void {
  for (let at = 0; at < bytes.length; ) {
    const room = memory.room()
    expect(room.length).toBeGreaterThan(0)
    expect(memory.room().byteOffset).toBe(room.byteOffset)
    const count = bytes.copy(room, 0, at, at + Math.min(bytesMax, room.length))
    at += count
    memory.filled(count)
  }
}

test('frames of all sizes are whole until the turn ends, however they come', () => {
  const random = seededRandom(5)
  for (let round = 0; round < 8; round++) {
    const to = reader()
    const contents = Array.from({ length: 20 }, (_, i) => Buffer.alloc(random.below(round % 4 === 0 ? 3 * SLAB_BYTES : 60_000), i + 1))
    read(to, Buffer.concat(contents.map(data)), 4_000 + random.below(round % 2 === 0 ? 70_000 : 2 * SLAB_BYTES))
    expect(to.frames.length).toBe(contents.length)
    for (const [i, content] of contents.entries()) expect(to.frames[i]!.equals(content)).toBe(true)
  }
})

test('memory is used again when the turn has ended, not before', () => {
  const to = reader()
  const content = data(Buffer.alloc(50_000, 1))
  const memories = new Set<ArrayBufferLike>()
  for (let turn = 0; turn < 100; turn++) {
    read(to, content, 65_536)
    read(to, content, 65_536)
    for (const { buffer } of to.frames.splice(0)) memories.add(buffer)
    to.scheduler.advanceSync(1)
  }
  expect(memories.size).toBeLessThanOrEqual(3)
  for (let i = 0; i < 100; i++) read(to, content, 65_536)
  const within = new Set(to.frames.map(({ buffer }) => buffer))
  expect(within.size).toBeGreaterThan(8)
  expect(to.frames.every((payload) => payload.equals(Buffer.alloc(50_000, 1)))).toBe(true)
})

test('what others have read is copied in', () => {
  const to = reader()
  to.memory.copy(Buffer.concat([data(Buffer.alloc(2 * SLAB_BYTES, 7)), data(Buffer.from('x'))]))
  expect(to.frames.map(({ length }) => length)).toEqual([2 * SLAB_BYTES, 1])
})

test('a pool keeps no more than it may, and no odd sizes', () => {
  const pool = new SlabPool({ slabsMax: 1 })
  const first = pool.take()
  const second = pool.take()
  pool.give(Buffer.alloc(10))
  pool.give(first)
  pool.give(second)
  expect(pool.take()).toBe(first)
  expect(pool.take()).not.toBe(second)
})
