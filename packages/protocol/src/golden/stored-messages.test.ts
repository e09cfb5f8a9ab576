import {
  consumerProtocolSubscriptionCodec,
  coordinatorKeyType,
  DecodeError,
  decodeCoordinatorKey,
  decodeVersioned,
  decodeVersionedLeniently,
  encodeCoordinatorKey,
  encodeMetadataRecord,
  encodeVersioned,
  ExactReader,
  offsetCommitKeyCodec,
  readMetadataRecordHead,
} from '../index.ts'
import type { MessageCodec } from '../index.ts'
import { goldenLines } from './load-golden.ts'
import { productCodecs } from './golden-message.ts'
import type { GoldenMessage } from './golden-message.ts'

/** What `write` must produce for a golden case that has a prefix. */
type Stored = (codec: MessageCodec<unknown>, value: never, version: number) => Buffer

function storedAs(name: string): Stored {
  if (name.endsWith('Key')) return (codec, value) => encodeCoordinatorKey(codec, value)
  return name.endsWith('Record') ? encodeMetadataRecord : encodeVersioned
}

test('stored messages stand behind the prefix that Kafka writes', () => {
  const stored = goldenLines<GoldenMessage>('messages.jsonl').filter((one) => one.prefixHex !== undefined)
  expect(stored.length).toBeGreaterThan(900)
  for (const { message, version, prefixHex, hex } of stored) {
    const codec = productCodecs.get(message)!
    const value = codec.decode(new ExactReader(Buffer.from(hex, 'hex')), version)
    const bytes = storedAs(message)(codec, value as never, version)
    expect(bytes.toString('hex')).toBe(`${prefixHex}${hex}`)
    if (message.endsWith('Record')) {
      const head = readMetadataRecordHead(bytes)
      expect([head.type, head.version, head.body.remaining]).toEqual([codec.apiKey, version, hex.length / 2])
    }
  }
})

test('keys and values are read back', () => {
  const key = encodeCoordinatorKey(offsetCommitKeyCodec, { group: 'g', topic: 't', partition: 3 })
  expect(coordinatorKeyType(key)).toBe(offsetCommitKeyCodec.apiKey)
  expect(decodeCoordinatorKey(offsetCommitKeyCodec, key)).toEqual({ group: 'g', topic: 't', partition: 3 })
  key.writeInt16BE(2)
  expect(() => decodeCoordinatorKey(offsetCommitKeyCodec, key)).toThrow(DecodeError)
  expect(() => coordinatorKeyType(Buffer.alloc(1))).toThrow(DecodeError)
  expect(() => readMetadataRecordHead(Buffer.from('020000', 'hex'))).toThrow(DecodeError)
})

test('a subscription of a newer consumer is read as far as it is known', () => {
  const codec = consumerProtocolSubscriptionCodec
  const known = encodeVersioned(codec, { topics: ['t'], rackId: 'r' }, 3)
  expect(decodeVersioned(codec, known)).toMatchObject({ topics: ['t'], rackId: 'r' })
  const newer = Buffer.concat([known, Buffer.from('more')])
  newer.writeInt16BE(4)
  expect(() => decodeVersioned(codec, newer)).toThrow(DecodeError)
  expect(decodeVersionedLeniently(codec, newer)).toMatchObject({ topics: ['t'], rackId: 'r' })
  expect(() => decodeVersionedLeniently(codec, Buffer.alloc(1))).toThrow(DecodeError)
})
