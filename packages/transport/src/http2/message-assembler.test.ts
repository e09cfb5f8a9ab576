import { seededRandom } from '@kavka/kernel'
import { WireDecodeError } from '../proto-runtime.ts'
import { MessageAssembler } from './message-assembler.ts'

function assembler(messageBytesMax = 1 << 24): { readonly messages: Buffer[]; push(bytes: Buffer): void } {
  const messages: Buffer[] = []
  const inner = new MessageAssembler({ messageBytesMax }, (message) => void messages.push(message))
  return { messages, push: (bytes) => inner.push(bytes) }
}

function framed(content: Buffer): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(content.length, 1)
  return Buffer.concat([prefix, content])
}

test('messages come out as they went in, however they are cut', () => {
  const random = seededRandom(3)
  const contents = Array.from({ length: 60 }, (_, i) => Buffer.alloc(i % 7 === 0 ? 0 : random.below(500), i))
  const stream = Buffer.concat(contents.map(framed))
  for (const pieceMax of [1, 5, 6, 100, stream.length]) {
    const { messages, push } = assembler()
    for (let at = 0; at < stream.length; ) {
      const piece = stream.subarray(at, at + 1 + random.below(pieceMax))
      push(piece)
      at += piece.length
    }
    expect(messages.length).toBe(contents.length)
    expect(messages.every((message, i) => message.equals(contents[i]!))).toBe(true)
  }
})

test('a message that lies whole in what came is a view of it', () => {
  const { messages, push } = assembler()
  const bytes = Buffer.concat([framed(Buffer.from('one')), framed(Buffer.from('two'))])
  push(bytes)
  expect(messages.map(String)).toEqual(['one', 'two'])
  expect(messages.every(({ buffer }) => buffer === bytes.buffer)).toBe(true)
})

test('a message larger than what is believed at once is put together', () => {
  const { messages, push } = assembler()
  const content = Buffer.alloc(9 * 1024 * 1024, 5)
  const bytes = framed(content)
  for (let at = 0; at < bytes.length; at += 1_000_000) push(bytes.subarray(at, at + 1_000_000))
  expect(messages[0]!.equals(content)).toBe(true)
})

test('a compressed message and one beyond the bound are refused', () => {
  expect(() => assembler().push(Buffer.from('0100000000', 'hex'))).toThrow(WireDecodeError)
  expect(() => assembler(10).push(Buffer.from('000000000b', 'hex'))).toThrow('a message of 11 bytes')
  expect(() => assembler(10).push(framed(Buffer.alloc(10)))).not.toThrow()
})
