import { encodeHeaders } from './header-block.ts'
import { CONNECTION_PREFACE, Flag, frame, FRAME_HEADER_BYTES, FrameType, Setting, settingsFrame, windowUpdateFrame } from './frame-layout.ts'
import { MESSAGE_HEAD_BYTES } from './message-sender.ts'
import { FRAME_BYTES_MAX, SingleStreamConnection } from './single-stream.ts'

interface End {
  readonly connection: SingleStreamConnection
  /** What it wrote and nobody has read yet. */
  readonly out: Buffer[]
  readonly heard: string[]
  readonly payloads: Buffer[]
}

function end(role: 'client' | 'server'): End {
  const out: Buffer[] = []
  const heard: string[] = []
  const payloads: Buffer[] = []
  const connection = new SingleStreamConnection({ role }, {
    write: (buffers) => void out.push(...buffers),
    events: {
      headers: (fields) => void heard.push(`headers ${[...fields].join(' ')}`),
      data: (payload) => void payloads.push(Buffer.from(payload)),
      ended: (reason) => void heard.push(`ended: ${reason}`),
    },
  })
  connection.start()
  return { connection, out, heard, payloads }
}

/** Carries everything back and forth until nobody has anything to say, in pieces of `chunkBytes`. */
function carry(a: End, b: End, chunkBytes = 1 << 20): void {
  const rest = new Map<End, Buffer>()
  while (a.out.length + b.out.length > 0) {
    for (const [from, to] of [[a, b], [b, a]] as const) {
      const sent = Buffer.concat(from.out.splice(0))
      for (let at = 0; at < sent.length; at += chunkBytes) {
        const bytes = Buffer.concat([rest.get(to) ?? Buffer.alloc(0), sent.subarray(at, at + chunkBytes)])
        rest.set(to, bytes.subarray(to.connection.receive(bytes, 0, bytes.length)))
      }
    }
  }
}

function send(from: End, content: Buffer, body: readonly Buffer[] = []): void {
  const head = Buffer.concat([Buffer.alloc(MESSAGE_HEAD_BYTES, 0xaa), content])
  from.connection.sender.send(head, body, body.reduce((sum, piece) => sum + piece.length, 0))
}

function message(content: string): Buffer {
  const bytes = Buffer.from(content)
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([prefix, bytes])
}

test.each([1, 7, 1 << 20])('a call goes through in pieces of %i bytes', (chunkBytes) => {
  const client = end('client')
  const server = end('server')
  client.connection.sendHeaders(new Map([[':path', '/x']]), 'first')
  send(client, Buffer.from('early'))
  carry(client, server, chunkBytes)
  server.connection.sendHeaders(new Map([[':status', '200']]), 'first')
  send(server, Buffer.from('he'), [Buffer.from('ad'), Buffer.from('er')])
  send(server, Buffer.from(''))
  server.connection.ping()
  server.connection.sendHeaders(new Map([['grpc-status', '0']]), 'last')
  carry(client, server, chunkBytes)
  expect(server.heard).toEqual(['headers :path,/x'])
  expect(Buffer.concat(server.payloads)).toEqual(message('early'))
  expect(client.heard).toEqual(['headers :status,200', 'headers grpc-status,0', 'ended: ended by the peer'])
  expect(Buffer.concat(client.payloads)).toEqual(Buffer.concat([message('header'), message('')]))
})

test('record bytes leave as they are, behind one head', () => {
  const client = end('client')
  client.out.length = 0
  const piece = Buffer.from('records')
  send(client, Buffer.from('h'), [piece])
  expect(client.out).toHaveLength(2)
  expect(client.out[1]).toBe(piece)
})

test('what the windows do not let out waits, and leaves in frames of the size that the peer takes', () => {
  const client = end('client')
  client.out.length = 0
  const content = Buffer.alloc(200_000, 3)
  send(client, content)
  send(client, Buffer.from('next'))
  expect(dataFrames(client).map(({ length }) => length)).toEqual([16_384, 16_384, 16_384, 16_383])
  expect(client.connection.sender.heldBytes).toBe(200_005 + 9 - 65_535)
  receive(client, windowUpdateFrame(1, 2 ** 30))
  expect(dataFrames(client)).toEqual([])
  receive(client, settingsFrame([[Setting.frameBytesMax, 100_000]]), windowUpdateFrame(0, 2 ** 30))
  expect(dataFrames(client).map(({ length }) => length)).toEqual([100_000, 34_470, 9])
  expect(client.connection.sender.heldBytes).toBe(0)
})

test('a smaller initial window takes from the stream, down below zero', () => {
  const client = end('client')
  client.out.length = 0
  send(client, Buffer.alloc(16_000 - 5))
  receive(client, settingsFrame([[Setting.initialWindowSize, 1_000]]))
  send(client, Buffer.from('x'))
  expect(dataFrames(client).map(({ length }) => length)).toEqual([16_000])
  receive(client, windowUpdateFrame(1, 15_000))
  expect(dataFrames(client)).toEqual([])
  receive(client, windowUpdateFrame(1, 10))
  expect(dataFrames(client).map(({ length }) => length)).toEqual([6])
})

test('windows are opened anew before they close', () => {
  const client = end('client')
  client.out.length = 0
  const data = frame({ type: FrameType.data, flags: 0, streamId: 1 }, Buffer.alloc(FRAME_BYTES_MAX))
  for (let i = 0; i < 256; i++) client.connection.receive(data, 0, data.length)
  expect(client.out.map((bytes) => bytes.toString('hex'))).toEqual(['0000040800' + '00000000' + '40000000', '0000040800' + '00000001' + '40000000'])
})

test('padding and priorities are skipped, settings and pings are answered, what is unknown is ignored', () => {
  const server = end('server')
  server.out.length = 0
  const headers = encodeHeaders(new Map([['a', 'b']]))
  const flags = Flag.padded | Flag.priority
  receive(
    server, CONNECTION_PREFACE, settingsFrame([[0x99, 1]]),
    frame({ type: FrameType.headers, flags, streamId: 1 }, Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 9]), headers.subarray(0, 2), Buffer.alloc(2)])),
    frame({ type: FrameType.continuation, flags: Flag.endHeaders, streamId: 1 }, headers.subarray(2)),
    frame({ type: FrameType.data, flags: Flag.padded, streamId: 1 }, Buffer.from([3, 7, 7, 0, 0, 0])),
    frame({ type: FrameType.ping, flags: 0, streamId: 0 }, Buffer.from('12345678')),
    frame({ type: FrameType.priority, flags: 0, streamId: 1 }, Buffer.alloc(5)),
    frame({ type: 0x77, flags: 0xff, streamId: 1 }, Buffer.alloc(3)),
    frame({ type: FrameType.goAway, flags: 0, streamId: 0 }, Buffer.alloc(8)),
  )
  expect(server.heard).toEqual(['headers a,b'])
  expect(server.payloads).toEqual([Buffer.from([7, 7])])
  expect(server.out.map((bytes) => bytes.toString('hex'))).toEqual(['000000040100000000', '000008060100000000' + '3132333435363738'])
})

test.each([
  ['a frame that is too large', Buffer.from('ffffff' + '00' + '00' + '00000001', 'hex'), 'a frame of 16777215 bytes'],
  ['padding beyond its frame', frame({ type: FrameType.data, flags: Flag.padded, streamId: 1 }, Buffer.from([9, 0])), 'padding'],
  ['headers cut short by data', Buffer.concat([frame({ type: FrameType.headers, flags: 0, streamId: 1 }, Buffer.alloc(0)), frame({ type: FrameType.data, flags: 0, streamId: 1 }, Buffer.alloc(0))]), 'cut short'],
  ['a continuation of nothing', frame({ type: FrameType.continuation, flags: 0, streamId: 1 }, Buffer.alloc(0)), 'not begun'],
  ['half a setting', frame({ type: FrameType.settings, flags: 0, streamId: 0 }, Buffer.alloc(5)), 'settings'],
  ['frames of less than the least', settingsFrame([[Setting.frameBytesMax, 100]]), 'setting out of range'],
  ['frames of more than the most', settingsFrame([[Setting.frameBytesMax, 2 ** 24]]), 'setting out of range'],
  ['a window of more than the most', settingsFrame([[Setting.initialWindowSize, 2 ** 31]]), 'setting out of range'],
  ['a window of nothing', windowUpdateFrame(1, 0), 'window out of range'],
  ['a window beyond all', Buffer.concat([windowUpdateFrame(0, 2 ** 31 - 1)]), 'window out of range'],
  ['a larger window on top of one that was opened', Buffer.concat([windowUpdateFrame(1, 2 ** 31 - 1 - 65_535), settingsFrame([[Setting.initialWindowSize, 65_536]])]), 'setting out of range'],
  ['a ping of another size', frame({ type: FrameType.ping, flags: 0, streamId: 0 }, Buffer.alloc(7)), 'a ping of another size'],
  ['malformed headers', frame({ type: FrameType.headers, flags: Flag.endHeaders, streamId: 1 }, Buffer.from([0x80])), 'no header entry 0'],
  ['a promise', frame({ type: FrameType.pushPromise, flags: 0, streamId: 1 }, Buffer.alloc(4)), 'a promise'],
])('%s ends the connection, once', (_name, bytes, reason) => {
  const client = end('client')
  receive(client, bytes, bytes)
  expect(client.heard).toHaveLength(1)
  expect(client.heard[0]).toMatch(/^ended: malformed HTTP\/2/u)
  expect(client.heard[0]).toContain(reason)
})

test('headers without end do not grow without bound', () => {
  const client = end('client')
  receive(client, frame({ type: FrameType.headers, flags: 0, streamId: 1 }, Buffer.alloc(0)))
  const part = frame({ type: FrameType.continuation, flags: 0, streamId: 1 }, Buffer.alloc(16_384))
  for (let i = 0; i < 10; i++) receive(client, part)
  expect(client.heard).toEqual(['ended: malformed HTTP/2: a header block without end'])
})

test('nor do empty parts of headers', () => {
  const client = end('client')
  receive(client, frame({ type: FrameType.headers, flags: 0, streamId: 1 }, Buffer.alloc(0)))
  const part = frame({ type: FrameType.continuation, flags: 0, streamId: 1 }, Buffer.alloc(0))
  for (let i = 0; i < 10_000; i++) receive(client, part)
  expect(client.heard).toEqual(['ended: malformed HTTP/2: a header block without end'])
})

test('bits that are reserved mean nothing', () => {
  const client = end('client')
  receive(client, settingsFrame([[Setting.initialWindowSize, 0]]))
  client.out.length = 0
  send(client, Buffer.from('x'))
  receive(client, frame({ type: FrameType.windowUpdate, flags: 0, streamId: 0x8000_0001 }, Buffer.from([0x80, 0, 0, 6])))
  expect(dataFrames(client).map(({ length }) => length)).toEqual([6])
  expect(client.heard).toEqual([])
})

test('a reset ends the call', () => {
  const client = end('client')
  const server = end('server')
  client.connection.sendHeaders(new Map([['a', 'b']]), 'first')
  client.connection.cancel()
  carry(client, server)
  expect(server.heard).toEqual(['headers a,b', 'ended: the stream was reset'])
})

function receive(to: End, ...frames: Buffer[]): void {
  const bytes = Buffer.concat(frames)
  expect(to.connection.receive(bytes, 0, bytes.length)).toBe(bytes.length)
}

/** Takes the DATA frames that were written, each of a header with its payload behind it. */
function dataFrames(from: End): { readonly length: number }[] {
  const bytes = Buffer.concat(from.out.splice(0))
  const frames: { length: number }[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntBE(at, 3)
    if (bytes[at + 3] === FrameType.data) frames.push({ length })
    at += FRAME_HEADER_BYTES + length
  }
  return frames
}
