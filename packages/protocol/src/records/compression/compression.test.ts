import { compressFrameSync } from 'lz4-napi'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { compressSync } from 'snappy'
import { buildBatch, codecId, COMPRESSION_CODECS, compress, decompress, recordsOf } from '../../index.ts'
import { xxHash32 } from './xxhash32.ts'

const CODECS = COMPRESSION_CODECS.filter((codec) => codec !== 'none')

function sample(length: number): Buffer {
  const data = Buffer.alloc(length)
  for (let index = 0; index < length; index++) data[index] = ((index * index) >> 7) & 0x3f
  return data
}

function noise(length: number): Buffer {
  const data = Buffer.alloc(length)
  let state = 1
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    data[index] = state >>> 16
  }
  return data
}

describe.each(CODECS)('%s', (codec) => {
  const id = codecId(codec)

  test('gives back what went in, at every size around its blocks', () => {
    for (const size of [1, 100, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 300_000]) {
      for (const data of [sample(size), noise(size), Buffer.alloc(size)]) {
        const plain = decompress(id, compress(codec, data), 2)
        expect(plain.ok && plain.value.equals(data)).toBe(true)
      }
    }
  })

  test('refuses what would grow beyond the cap', () => {
    const bomb = compress(codec, Buffer.alloc(1_000_000))
    expect(bomb.length).toBeLessThan(100_000)
    expect(decompress(id, bomb, 2, { decompressedBytesMax: 999_999 })).toMatchObject({
      ok: false,
      error: { kind: 'too-large' },
    })
    expect(decompress(id, bomb, 2, { decompressedBytesMax: 1_000_000 }).ok).toBe(true)
  })

  test('turns every cut and every flipped byte into a value', () => {
    const packed = compress(codec, sample(3000))
    for (let at = 0; at < packed.length; at += 3) {
      const cut = decompress(id, packed.subarray(0, at), 2)
      if (!cut.ok) expect(cut.error.kind).toBe('undecodable')
      const flipped = Buffer.from(packed)
      flipped[at] = flipped[at]! ^ 0x55
      const result = decompress(id, flipped, 2, { decompressedBytesMax: 10_000_000 })
      if (!result.ok) expect(['undecodable', 'too-large']).toContain(result.error.kind)
    }
  })

  test('makes batches that are read back', () => {
    const value = sample(5000)
    const batch = buildBatch([{ timestamp: 5, key: null, value }], { compression: codec })
    const records = recordsOf(batch, 0)
    expect(records.ok && records.value[0]!.value!.equals(value)).toBe(true)
    expect(recordsOf(batch, 0, { decompressedBytesMax: 4000 })).toMatchObject({
      ok: false,
      error: { kind: 'too-large' },
    })
  })
})

test('codecs that do not exist', () => {
  for (const id of [5, 6, 7])
    expect(decompress(id, Buffer.alloc(3), 2)).toMatchObject({ ok: false, error: { errorCode: -1 } })
})

test('lz4 frames of other writers: content checksum, block checksums', () => {
  const data = sample(200_000)
  for (const options of [
    {},
    { contentChecksum: true },
    { blockChecksums: true },
    { contentChecksum: true, blockChecksums: true },
  ]) {
    const plain = decompress(codecId('lz4'), compressFrameSync(data, options), 2)
    expect(plain.ok && plain.value.equals(data)).toBe(true)
  }
  const damaged = compressFrameSync(data, { blockChecksums: true })
  damaged[40] = damaged[40]! ^ 1
  expect(decompress(codecId('lz4'), damaged, 2).ok).toBe(false)
})

test('lz4 header checksums are looked at except in magic 0', () => {
  const packed = compress('lz4', sample(100))
  packed[6] = 0x1a
  expect(decompress(codecId('lz4'), packed, 2).ok).toBe(false)
  expect(decompress(codecId('lz4'), packed, 0).ok).toBe(true)
})

test('snappy without framing, several gzip members, several zstd frames', () => {
  const data = sample(1000)
  const raw = decompress(codecId('snappy'), compressSync(data), 2)
  expect(raw.ok && raw.value.equals(data)).toBe(true)
  const twice = Buffer.concat([data, data])
  const members = decompress(codecId('gzip'), Buffer.concat([gzipSync(data), gzipSync(data)]), 2)
  expect(members.ok && members.value.equals(twice)).toBe(true)
  const frames = decompress(
    codecId('zstd'),
    Buffer.concat([zstdCompressSync(data), zstdCompressSync(data)]),
    2,
  )
  expect(frames.ok && frames.value.equals(twice)).toBe(true)
})

test('xxHash32 of known texts', () => {
  expect(xxHash32(Buffer.alloc(0))).toBe(0x02cc5d05)
  expect(xxHash32(Buffer.from('a'))).toBe(0x550d7456)
  expect(xxHash32(Buffer.from('abc'))).toBe(0x32d153ff)
  expect(xxHash32(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f)
})
