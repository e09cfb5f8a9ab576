import { once } from 'node:events'
import { connect, createServer } from 'node:http2'
import { connect as connectTcp, createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { seededRandom } from '@kavka/kernel'
import { WireDecodeError } from '../proto-runtime.ts'
import { CONNECTION_PREFACE, Flag, frame, FRAME_HEADER_BYTES, FrameType, settingsFrame, Setting } from './frame-layout.ts'
import { decodeHeaders, encodeHeaders } from './header-block.ts'

const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('')

test('what is written is read back, long texts too', () => {
  const fields = new Map([[':path', '/a/b'], ['empty', ''], ['long', 'x'.repeat(100_000)], ['printable', printable]])
  expect(decodeHeaders(encodeHeaders(fields))).toEqual(fields)
})

/** RFC 7541 appendix C.4.1: Huffman, static entries. */
test('reads the example of the RFC', () => {
  const block = Buffer.from('828684' + '418cf1e3c2e5f23a6ba0ab90f4ff', 'hex')
  expect([...decodeHeaders(block)]).toEqual([[':method', 'GET'], [':scheme', 'http'], [':path', '/'], [':authority', 'www.example.com']])
})

test('fields of one name are joined', () => {
  const one = encodeHeaders(new Map([['a', '1']]))
  expect(decodeHeaders(Buffer.concat([one, one]))).toEqual(new Map([['a', '1,1']]))
})

test.each([
  ['', 'c0', 'no header entry 64'],
  ['index 0', '80', 'no header entry 0'],
  ['a table is asked for', '3fe11f', 'dynamic header table'],
  ['cut short', '000161', 'cut short'],
  ['a text beyond the end', '00016105', 'cut short'],
  ['an integer without end', '7fffffffffffffffffff', 'out of range'],
  ['wrong padding', '00816000', 'malformed header text'],
])('refuses what is malformed: %s', (_name, hex, message) => {
  expect(() => decodeHeaders(Buffer.from(hex, 'hex'))).toThrow(message)
})

test('whatever the bytes are, the only error is WireDecodeError', () => {
  const random = seededRandom(7)
  for (let round = 0; round < 20_000; round++) {
    const block = Buffer.from(Array.from({ length: 1 + random.below(20) }, () => random.below(256)))
    try {
      decodeHeaders(block)
    } catch (error) {
      expect(error).toBeInstanceOf(WireDecodeError)
    }
  }
})

test('reads what nghttp2 writes when it was told that there is no table', async () => {
  const block = await requestBlockOfNode({ printable, 'content-type': 'application/grpc', digits: '0123456789'.repeat(30) })
  const fields = decodeHeaders(block)
  expect(fields.get('printable')).toBe(printable)
  expect(fields.get('content-type')).toBe('application/grpc')
  expect(fields.get('digits')).toBe('0123456789'.repeat(30))
  expect(fields.get(':path')).toBe('/some/path')
})

test('nghttp2 reads what is written', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connectTcp((server.address() as AddressInfo).port, '127.0.0.1')
  const block = encodeHeaders(new Map([[':method', 'POST'], [':scheme', 'http'], [':authority', 'a'], [':path', '/raw'], ['text', printable.trim()]]))
  const flags = Flag.endHeaders | Flag.endStream
  socket.write(Buffer.concat([CONNECTION_PREFACE, settingsFrame([]), frame({ type: FrameType.headers, flags, streamId: 1 }, block)]))
  const [, headers] = (await once(server, 'stream')) as [unknown, Record<string, string>]
  expect(headers[':path']).toBe('/raw')
  expect(headers['text']).toBe(printable.trim())
  socket.destroy()
  server.close()
})

/** The header block with which node:http2 asks a server that offers no table. */
async function requestBlockOfNode(headers: Record<string, string>): Promise<Buffer> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  session.once('remoteSettings', () => session.request({ ':path': '/some/path', ...headers }))
  session.on('error', () => {})
  const [socket] = (await once(server, 'connection')) as [Socket]
  socket.write(settingsFrame([[Setting.headerTableSize, 0]]))
  const block = await firstHeaderBlock(socket)
  session.destroy()
  socket.destroy()
  server.close()
  return block
}

async function firstHeaderBlock(socket: Socket): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0)
  let at = CONNECTION_PREFACE.length
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    while (bytes.length >= at + FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3)
      if (bytes.length < end) break
      // node:http2 adds a priority of five bytes.
      const skipped = (bytes[at + 4]! & Flag.priority) === 0 ? 0 : 5
      if (bytes[at + 3] === FrameType.headers) return bytes.subarray(at + FRAME_HEADER_BYTES + skipped, end)
      at = end
    }
  }
  throw new Error('the connection ended')
}
