import { FrameAssembler } from './framing.ts'

function framed(payload: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(payload.length)
  return Buffer.concat([length, payload])
}

function framesOf(chunks: readonly Buffer[], frameBytesMax = 1 << 20): (Buffer | string)[] {
  const assembler = new FrameAssembler({ frameBytesMax })
  const frames: (Buffer | string)[] = []
  for (const chunk of chunks) {
    assembler.push(chunk)
    for (let frame = assembler.next(); frame !== null; frame = assembler.next()) {
      frames.push(Buffer.isBuffer(frame) ? frame : frame.reason)
      if (!Buffer.isBuffer(frame)) return frames
    }
  }
  return frames
}

const two = Buffer.concat([framed(Buffer.from('first')), framed(Buffer.from('the second'))])

test('frames are the same however the stream is cut', () => {
  for (let cut = 0; cut <= two.length; cut++) {
    const frames = framesOf([Buffer.from(two.subarray(0, cut)), Buffer.from(two.subarray(cut))])
    expect(frames.map(String)).toEqual(['first', 'the second'])
  }
  expect(framesOf([...two].map((byte) => Buffer.from([byte]))).map(String)).toEqual(['first', 'the second'])
})

test('an empty frame is a frame', () => {
  expect(framesOf([framed(Buffer.alloc(0))])).toEqual([Buffer.alloc(0)])
})

test.each([
  [Buffer.from([0xff, 0xff, 0xff, 0xff]), 'negative frame length -1'],
  [Buffer.from([0x80, 0, 0, 0]), 'negative frame length -2147483648'],
  [Buffer.from([0x7f, 0xff, 0xff, 0xff]), 'frame length 2147483647 is larger than socket.request.max.bytes=1048576'],
  [Buffer.from([0, 0x10, 0, 1]), 'frame length 1048577 is larger than socket.request.max.bytes=1048576'],
  [Buffer.from('GET / HTTP/1.1\r\n'), 'an HTTP request arrived where a Kafka request is expected'],
  [Buffer.from([0x16, 3, 1, 2, 0, 1]), 'a TLS handshake arrived where a Kafka request is expected'],
])('%j is refused', (bytes, reason) => {
  expect(framesOf([bytes])).toEqual([reason])
})

test('a frame of exactly the largest size is taken', () => {
  const payload = Buffer.alloc(1 << 20, 7)
  expect(framesOf([framed(payload)])).toEqual([payload])
})

test('memory grows with what arrives, not with what is announced', () => {
  const assembler = new FrameAssembler({ frameBytesMax: 100 << 20 })
  const before = process.memoryUsage().arrayBuffers
  assembler.push(Buffer.from([6, 0, 0, 0, 1]))
  expect(assembler.next()).toBeNull()
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20)
})

test('a frame larger than what is trusted at once comes out whole', () => {
  const payload = Buffer.alloc(9 << 20)
  for (let at = 0; at < payload.length; at += 4096) payload.writeUInt32BE(at, at)
  const stream = framed(payload)
  const chunks: Buffer[] = []
  for (let at = 0; at < stream.length; at += 65536) chunks.push(Buffer.from(stream.subarray(at, at + 65536)))
  const [frame] = framesOf(chunks, 100 << 20)
  expect(payload.equals(frame as Buffer)).toBe(true)
})

test('a small frame does not keep the large chunk alive that it came in', () => {
  const chunk = Buffer.concat([framed(Buffer.from('tiny')), framed(Buffer.alloc(60_000))])
  const [tiny, large] = framesOf([chunk]) as [Buffer, Buffer]
  expect(tiny.buffer).not.toBe(chunk.buffer)
  expect(large.buffer).toBe(chunk.buffer)
})
