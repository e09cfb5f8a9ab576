import {
  coordinatorPartitionFor,
  computeBatchCrc,
  ExactReader,
  isReservedUuid,
  javaAbs,
  javaStringHash,
  parseUuid,
  topicNameProblem,
  unifiedTopicName,
  uuidFromBytes,
  uuidToBytes,
  Writer,
} from '../index.ts'
import type { Uuid } from '../index.ts'
import { putVarint, putVarlong, varintBytes, varlongBytes } from '../records/varint.ts'
import { goldenText } from './load-golden.ts'

type Row = Record<string, never>
const misc = JSON.parse(goldenText('misc.json')) as Record<string, Row[]>

function rows(name: string): Row[] {
  const list = misc[name]!
  expect(list.length).toBeGreaterThan(0)
  return list
}

function written(write: (writer: Writer) => void): string {
  const writer = new Writer()
  write(writer)
  return writer.toBuffer().toString('hex')
}

test('partitions of coordinators', () => {
  for (const row of rows('coordinatorPartition')) {
    expect(javaStringHash(row['id']!)).toBe(row['hashCode'])
    expect(javaAbs(row['hashCode']!)).toBe(row['abs'])
    for (const partitions of [1, 3, 50, 100])
      expect(coordinatorPartitionFor(row['id']!, partitions)).toBe(row[`of${partitions}`])
  }
  expect(javaAbs(-0x8000_0000)).toBe(0)
})

test('varints', () => {
  for (const row of rows('varint')) {
    const zigzag = Buffer.from(row['zigzagHex']!, 'hex')
    expect(new ExactReader(zigzag).varint()).toBe(row['value'])
    expect(new ExactReader(Buffer.from(row['unsignedHex']!, 'hex')).unsignedVarint()).toBe(row['unsigned'])
    expect(written((writer) => writer.varint(row['value']!))).toBe(row['zigzagHex'])
    expect(written((writer) => writer.unsignedVarint(row['unsigned']!))).toBe(row['unsignedHex'])
    const room = Buffer.alloc(5)
    expect(putVarint(room, 0, row['value']!)).toBe(varintBytes(row['value']!))
    expect(room.toString('hex', 0, zigzag.length)).toBe(row['zigzagHex'])
  }
})

test('varlongs', () => {
  for (const row of rows('varlong')) {
    const zigzag = Buffer.from(row['zigzagHex']!, 'hex')
    expect(BigInt(new ExactReader(zigzag).varlong())).toBe(BigInt(row['value']!))
    expect(written((writer) => writer.varlong(BigInt(row['value']!) as unknown as number))).toBe(
      row['zigzagHex'],
    )
    const value = Number(row['value'])
    if (!Number.isSafeInteger(value)) continue
    const room = Buffer.alloc(10)
    expect(putVarlong(room, 0, value)).toBe(varlongBytes(value))
    expect(room.toString('hex', 0, zigzag.length)).toBe(row['zigzagHex'])
  }
})

test('odd varints: too long, cut off, with bits that are lost', () => {
  const outcome = (read: () => number): string => {
    try {
      return String(read())
    } catch {
      return 'error'
    }
  }
  const stated = (value: string): string => (value.includes('Exception') ? 'error' : value)
  for (const row of rows('varintOddInput')) {
    const reader = (): ExactReader => new ExactReader(Buffer.from(row['hex']!, 'hex'))
    expect(outcome(() => reader().varint())).toBe(stated(row['varint']!))
    expect(outcome(() => reader().unsignedVarint() | 0)).toBe(stated(row['unsignedVarint']!))
    expect(outcome(() => reader().varlong())).toBe(stated(row['varlong']!))
  }
})

test('uuids', () => {
  for (const row of rows('uuid')) {
    expect(uuidFromBytes(Buffer.from(row['hex']!, 'hex'))).toBe(row['text'])
    expect(uuidToBytes(row['text']!).toString('hex')).toBe(row['hex'])
    expect(isReservedUuid(row['text']! as Uuid)).toBe(row['reserved'])
    expect(parseUuid(row['text']!)).toBe(row['text'])
  }
  for (const row of rows('uuidBadText')) expect(parseUuid(row['text']!)).toBe(row['ok'] ?? null)
})

test('crc32c', () => {
  for (const row of rows('crc32c')) {
    const data = Buffer.from(row['hex']!, 'hex')
    const batch = Buffer.concat([Buffer.alloc(21), data])
    batch.writeInt32BE(batch.length - 12, 8)
    expect(computeBatchCrc(batch, 0)).toBe(row['crc32c'])
  }
})

test('topic names', () => {
  for (const row of rows('topicNames')) {
    expect(topicNameProblem(row['name']!)).toBe(row['message'] ?? null)
    expect(unifiedTopicName(row['name']!)).toBe(row['unified'])
  }
})
