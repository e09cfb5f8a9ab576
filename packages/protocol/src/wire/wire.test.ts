import {
  apiVersionsResponseCodec,
  DecodeError,
  decodeBody,
  EncodeError,
  encodeResponseFrame,
  fetchRequestCodec,
  fetchResponseCodec,
  joinGroupRequestCodec,
  metadataRequestCodec,
  produceRequestCodec,
  Reader,
  READER_ELEMENTS_MAX,
  UNKNOWN_TAGS_MAX,
  UNKNOWN_TAG_BYTES_MAX,
  Writer,
} from '../index.ts'
import type { Encodable, MessageCodec, Uuid } from '../index.ts'

function encode<T>(codec: MessageCodec<T>, value: Encodable<T>, version: number): Buffer {
  const writer = new Writer()
  codec.encode(writer, value, version)
  return writer.toBuffer()
}

function decode<T>(codec: MessageCodec<T>, bytes: Buffer, version: number): T {
  return decodeBody(codec, new Reader(bytes), version)
}

describe('encoding', () => {
  test('fills what is left out with defaults', () => {
    for (let version = 4; version <= 18; version++) {
      expect(encode(fetchRequestCodec, {}, version)).toEqual(
        encode(fetchRequestCodec, fetchRequestCodec.defaults(), version),
      )
      expect(decode(fetchRequestCodec, encode(fetchRequestCodec, {}, version), version)).toEqual(
        fetchRequestCodec.defaults(),
      )
    }
  })

  test('refuses a value that the version lacks, unless it may be ignored', () => {
    expect(() => encode(fetchRequestCodec, { replicaState: { replicaId: 1 } }, 14)).toThrow(EncodeError)
    expect(() => encode(fetchRequestCodec, { forgottenTopicsData: [{ topic: 't' }] }, 6)).toThrow(EncodeError)
    expect(encode(fetchRequestCodec, { rackId: 'r' }, 4)).toEqual(encode(fetchRequestCodec, {}, 4))
    expect(() => encode(joinGroupRequestCodec, { groupInstanceId: 'i' }, 4)).toThrow(EncodeError)
  })

  test('refuses null where the version does not allow it', () => {
    expect(() => encode(metadataRequestCodec, { topics: null }, 0)).toThrow(EncodeError)
    expect(encode(metadataRequestCodec, { topics: null }, 1).toString('hex')).toBe('ffffffff')
    expect(() => encode(metadataRequestCodec, { topics: [{ name: null }] }, 9)).toThrow(EncodeError)
  })

  test('refuses numbers out of range, bad uuids, long strings and unknown versions', () => {
    expect(() => encode(fetchRequestCodec, { maxWaitMs: 2 ** 31 }, 4)).toThrow(EncodeError)
    expect(() => encode(fetchRequestCodec, { maxWaitMs: 0.5 }, 4)).toThrow(EncodeError)
    expect(() => encode(fetchRequestCodec, { isolationLevel: 128 }, 4)).toThrow(EncodeError)
    expect(() => encode(fetchRequestCodec, { topics: [{ topicId: 'short' as Uuid }] }, 13)).toThrow(
      EncodeError,
    )
    expect(() => encode(fetchRequestCodec, { rackId: 'x'.repeat(32_768) }, 12)).toThrow(EncodeError)
    expect(() =>
      encode(fetchRequestCodec, { topics: [{ partitions: [{ fetchOffset: 2 ** 53 }] }] }, 4),
    ).toThrow(EncodeError)
    expect(() => encode(fetchRequestCodec, {}, 19)).toThrow(EncodeError)
    expect(() => encode(fetchRequestCodec, {}, 3)).toThrow(EncodeError)
  })

  test('passes records through by reference, in pieces', () => {
    const chunks = [Buffer.alloc(4000, 1), Buffer.alloc(5000, 2)]
    const response = { responses: [{ partitions: [{ partitionIndex: 3, records: chunks }] }] }
    const pieces = encodeResponseFrame({
      codec: fetchResponseCodec,
      apiVersion: 17,
      correlationId: 9,
      response,
    })
    expect(pieces).toContain(chunks[0])
    expect(pieces).toContain(chunks[1])
    const frame = Buffer.concat(pieces)
    expect(frame.readInt32BE(0)).toBe(frame.length - 4)
    const body = new Reader(frame, 9)
    const records = decodeBody(fetchResponseCodec, body, 17).responses[0]!.partitions[0]!.records
    expect(records).toEqual(Buffer.concat(chunks))
  })

  test('merges unknown tags in ascending order and refuses those that are not unknown', () => {
    const tag = (number: number): { tag: number; data: Buffer } => ({
      tag: number,
      data: Buffer.from([number]),
    })
    const value = { clusterId: 'c', replicaState: { replicaId: 1 }, unknownTags: [tag(7), tag(9)] }
    const decoded = decode(fetchRequestCodec, encode(fetchRequestCodec, value, 17), 17)
    expect(decoded).toMatchObject({
      clusterId: 'c',
      replicaState: { replicaId: 1 },
      unknownTags: [tag(7), tag(9)],
    })
    expect(() => encode(fetchRequestCodec, { unknownTags: [tag(1)] }, 17)).toThrow(EncodeError)
    expect(() => encode(fetchRequestCodec, { unknownTags: [tag(9), tag(7)] }, 17)).toThrow(EncodeError)
  })

  test('sizes of tagged fields beyond 127 bytes move their data', () => {
    const clusterId = 'c'.repeat(20_000)
    expect(
      decode(fetchRequestCodec, encode(fetchRequestCodec, { clusterId, rackId: 'r' }, 17), 17),
    ).toMatchObject({ clusterId, rackId: 'r' })
  })
})

describe('decoding', () => {
  test('byte fields are views of the frame', () => {
    const records = Buffer.alloc(2000, 7)
    const frame = encode(produceRequestCodec, { topicData: [{ partitionData: [{ records }] }] }, 9)
    const view = decode(produceRequestCodec, frame, 9).topicData[0]!.partitionData[0]!.records!
    expect(view.buffer).toBe(frame.buffer)
    expect(view).toEqual(records)
  })

  test('a declared count is checked against the bytes before anything is made', () => {
    const bytes = Buffer.alloc(30)
    bytes.writeInt32BE(0x7fffffff)
    expect(() => decode(metadataRequestCodec, bytes, 0)).toThrow(/array of 2147483647 elements at byte 4/)
    bytes.writeInt32BE(-2)
    expect(() => decode(metadataRequestCodec, bytes, 1)).toThrow(DecodeError)
  })

  test('all arrays of a frame together are bounded', () => {
    const strings = Buffer.alloc((READER_ELEMENTS_MAX + 1) * 2 + 4)
    strings.writeInt32BE(READER_ELEMENTS_MAX + 1)
    expect(() => decode(metadataRequestCodec, strings, 0)).toThrow(/more than \d+ array elements/)
  })

  test('int64 beyond the safe integers is refused', () => {
    expect(new Reader(Buffer.from('001fffffffffffff', 'hex')).int64()).toBe(Number.MAX_SAFE_INTEGER)
    expect(new Reader(Buffer.from('ffe0000000000001', 'hex')).int64()).toBe(Number.MIN_SAFE_INTEGER)
    for (const hex of ['0020000000000000', 'ffe0000000000000', '7fffffffffffffff', '8000000000000000']) {
      expect(() => new Reader(Buffer.from(hex, 'hex')).int64()).toThrow(DecodeError)
    }
  })

  test('bytes after the body, unknown versions and null where a value must be are errors', () => {
    const bytes = encode(metadataRequestCodec, {}, 12)
    expect(() => decode(metadataRequestCodec, Buffer.concat([bytes, Buffer.alloc(1)]), 12)).toThrow(
      /1 bytes after the end/,
    )
    expect(() => decode(metadataRequestCodec, bytes, 14)).toThrow(DecodeError)
    expect(() => decode(metadataRequestCodec, Buffer.from('ffffffff', 'hex'), 0)).toThrow(
      /null where a value must be/,
    )
  })

  test('unknown tags are bounded in number and bytes, and may not repeat', () => {
    const withTags = (tags: readonly (readonly [number, number])[]): Buffer => {
      const writer = new Writer()
      writer.raw(encode(metadataRequestCodec, {}, 12).subarray(0, -1))
      writer.unsignedVarint(tags.length)
      for (const [tag, size] of tags) {
        writer.unsignedVarint(tag)
        writer.unsignedVarint(size)
        writer.raw(Buffer.alloc(size))
      }
      return writer.toBuffer()
    }
    const many = Array.from({ length: UNKNOWN_TAGS_MAX + 1 }, (_, index) => [index, 0] as const)
    expect(decode(metadataRequestCodec, withTags(many.slice(1)), 12).unknownTags).toHaveLength(
      UNKNOWN_TAGS_MAX,
    )
    expect(() => decode(metadataRequestCodec, withTags(many), 12)).toThrow(/too many unknown tagged fields/)
    expect(() => decode(metadataRequestCodec, withTags([[3, UNKNOWN_TAG_BYTES_MAX + 1]]), 12)).toThrow(
      DecodeError,
    )
    expect(() =>
      decode(
        metadataRequestCodec,
        withTags([
          [3, 1],
          [3, 1],
        ]),
        12,
      ),
    ).toThrow(/tag 3 twice/)
    const swapped = decode(
      metadataRequestCodec,
      withTags([
        [5, 1],
        [3, 1],
      ]),
      12,
    ).unknownTags!
    expect(swapped.map((one) => one.tag)).toEqual([3, 5])
  })

  test('a known tag must fill its size', () => {
    const bytes = encode(apiVersionsResponseCodec, { finalizedFeaturesEpoch: 5 }, 3)
    const at = bytes.length - 8 - 2
    expect(bytes.subarray(at, at + 2).toString('hex')).toBe('0108')
    const longer = Buffer.concat([
      bytes.subarray(0, at + 1),
      Buffer.from([9]),
      bytes.subarray(at + 2),
      Buffer.alloc(1),
    ])
    expect(() => decode(apiVersionsResponseCodec, longer, 3)).toThrow(/tagged field ends/)
  })
})
