import {
  batchBaseOffset,
  batchesIn,
  batchFault,
  batchLastSequence,
  batchLeaderEpoch,
  batchMaxTimestamp,
  batchTimestampType,
  buildBatch,
  buildEndTransactionMarker,
  buildRaftControlBatch,
  checkProduceRecords,
  ControlRecordType,
  DecodeError,
  nextBatchBytes,
  openRecords,
  readBatchHeader,
  readControlRecord,
  recordsOf,
  setBaseOffsetAndLeaderEpoch,
  setMaxTimestamp,
  verifyBatchCrc,
} from '../index.ts'

const TIME = 1_700_000_000_000
const text = (value: string): Buffer => Buffer.from(value)
const record = (key: string | null, value: string | null, timestamp = TIME) => ({
  timestamp,
  key: key === null ? null : text(key),
  value: value === null ? null : text(value),
})

/** The vectors of Kafka's own storage code. */
const IDEMPOTENT =
  '0000000000000000000000520000000502d0fd9ba50000000000020000018bcfe568000000018bcfe568050000000000000fa0000300000007' +
  '000000031c000000046b31047631020268027810000a02010476320010000204046b330100'
const COMMIT_MARKER =
  '000000000000000a000000420000000502fe3eee7d0030000000000000018bcfe568090000018bcfe568090000000000000fa00003ffffffff' +
  '000000012000000008000000010c00000000000900'

describe('building', () => {
  test('a batch of an idempotent producer, byte for byte', () => {
    const records = [
      { ...record('k1', 'v1'), headers: [{ key: 'h', value: text('x') }] },
      record(null, 'v2', TIME + 5),
      record('k3', null, TIME + 1),
    ]
    const batch = buildBatch(records, {
      partitionLeaderEpoch: 5,
      producerId: 4000,
      producerEpoch: 3,
      baseSequence: 7,
    })
    expect(batch.toString('hex')).toBe(IDEMPOTENT)
    expect(batchLastSequence(batch, 0)).toBe(9)
  })

  test('a commit marker, byte for byte', () => {
    const marker = buildEndTransactionMarker({
      outcome: 'commit',
      producerId: 4000,
      producerEpoch: 3,
      coordinatorEpoch: 9,
      timestamp: TIME + 9,
      baseOffset: 10,
      partitionLeaderEpoch: 5,
    })
    expect(marker.toString('hex')).toBe(COMMIT_MARKER)
  })

  test('control records of Raft', () => {
    const value = text('leader')
    const batch = buildRaftControlBatch([{ type: ControlRecordType.LEADER_CHANGE, value, timestamp: TIME }], {
      baseOffset: 3,
    })
    const records = recordsOf(batch, 0)
    expect(records.ok && readControlRecord(records.value[0]!)).toEqual({ kind: 'raft', type: 2, value })
  })

  test('control records of types that do not exist yet are told apart, broken ones refused', () => {
    expect(readControlRecord({ key: Buffer.from('00000009', 'hex'), value: null })).toEqual({
      kind: 'unknown',
      type: 9,
    })
    expect(() => readControlRecord({ key: null, value: null })).toThrow(DecodeError)
    expect(() =>
      readControlRecord({ key: Buffer.from('00000001', 'hex'), value: Buffer.from('0000', 'hex') }),
    ).toThrow(DecodeError)
  })

  test('an emptied batch keeps the offsets it was written with', () => {
    const batch = buildBatch([], { baseOffset: 7, lastOffsetDelta: 4, maxTimestamp: TIME })
    expect(readBatchHeader(batch, 0)).toMatchObject({
      baseOffset: 7,
      lastOffsetDelta: 4,
      baseTimestamp: -1,
      recordCount: 0,
    })
    expect(recordsOf(batch, 0)).toEqual({ ok: true, value: [] })
  })
})

describe('changing in place', () => {
  test('base offset and leader epoch leave the checksum right', () => {
    const batch = buildBatch([record('k', 'v')])
    setBaseOffsetAndLeaderEpoch(batch, 0, 2 ** 40 + 5, 17)
    expect(verifyBatchCrc(batch, 0)).toBe(true)
    expect(batchBaseOffset(batch, 0)).toBe(2 ** 40 + 5)
    expect(batchLeaderEpoch(batch, 0)).toBe(17)
  })

  test('the append time reaches every record', () => {
    const batch = buildBatch([record('a', '1'), record('b', '2', TIME + 3)])
    setMaxTimestamp(batch, 0, 'LogAppendTime', TIME + 1000)
    expect(verifyBatchCrc(batch, 0)).toBe(true)
    expect(batchTimestampType(batch, 0)).toBe('LogAppendTime')
    const records = recordsOf(batch, 0)
    expect(records.ok && records.value.map((one) => one.timestamp)).toEqual([TIME + 1000, TIME + 1000])
    setMaxTimestamp(batch, 0, 'CreateTime', -5)
    expect(batchMaxTimestamp(batch, 0)).toBe(-1)
    expect(verifyBatchCrc(batch, 0)).toBe(true)
  })
})

test('a walk ends at the first byte that is no batch', () => {
  const one = buildBatch([record('k', 'v')])
  const two = Buffer.concat([one, one.subarray(0, 30)])
  expect([...batchesIn(two)].map((step) => step.kind)).toEqual(['complete', 'truncated'])
  expect(nextBatchBytes(two, one.length, two.length)).toBe(0)
  const zeros = Buffer.concat([one, Buffer.alloc(20)])
  expect([...batchesIn(zeros)].map((step) => step.kind)).toEqual(['complete', 'corrupt'])
  expect(nextBatchBytes(zeros, one.length, zeros.length)).toBe(-1)
  expect([...batchesIn(one, one.length)]).toEqual([])
})

test('the cursor tells keys, values and offsets of a batch anywhere in a buffer without copying', () => {
  const batch = buildBatch([record('k', 'v'), { ...record(null, null, TIME - 7), offsetDelta: 5 }], {
    baseOffset: 100,
    baseSequence: 0x7fffffff,
  })
  const buffer = Buffer.concat([Buffer.alloc(13), batch, Buffer.alloc(7)])
  const opened = openRecords(buffer, 13)
  if (!opened.ok) throw new Error(opened.error.message)
  const cursor = opened.value
  expect(cursor.next()).toBe(true)
  expect([cursor.offset, cursor.timestamp, cursor.sequence, cursor.hasKey, cursor.hasValue]).toEqual([
    100,
    TIME,
    0x7fffffff,
    true,
    true,
  ])
  expect(cursor.key()!.buffer).toBe(buffer.buffer)
  expect(cursor.next()).toBe(true)
  expect([cursor.offset, cursor.timestamp, cursor.sequence, cursor.key(), cursor.value()]).toEqual([
    105,
    TIME - 7,
    4,
    null,
    null,
  ])
  expect(cursor.next()).toBe(false)
  expect(cursor.fault).toBeNull()
})

test('damaged record bytes end in faults, never in exceptions', () => {
  const batch = buildBatch([
    record('key', 'value'),
    { ...record('k2', 'v2'), headers: [{ key: 'h', value: null }] },
  ])
  for (let at = 61; at < batch.length; at++) {
    for (const byte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
      const damaged = Buffer.from(batch)
      damaged[at] = byte
      const records = recordsOf(damaged, 0)
      if (!records.ok) expect(['invalid', 'undecodable']).toContain(records.error.kind)
      expect(batchFault(damaged, 0) === null).toBe(damaged.equals(batch))
    }
  }
})

test('bytes behind the one batch of a produce request are dropped', () => {
  const batch = buildBatch([record('k', 'v')])
  expect(checkProduceRecords(batch, 9)).toEqual({ ok: true, value: batch })
  const checked = checkProduceRecords(Buffer.concat([batch, Buffer.alloc(11)]), 9)
  expect(checked.ok && checked.value.equals(batch)).toBe(true)
  expect(checkProduceRecords(Buffer.concat([batch, batch]), 9)).toMatchObject({
    ok: false,
    error: { errorCode: 87 },
  })
})
