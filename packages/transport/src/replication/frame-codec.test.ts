import { seededRandom } from '@kavka/kernel'
import type { LeaderEpoch, Uuid } from '@kavka/protocol'
import type { FollowerFrame, LeaderFrame } from '@kavka/replication'
import { WireDecodeError } from '../proto-runtime.ts'
import { decodeFollowerFrame, decodeLeaderFrame, encodeFollowerFrame, encodeLeaderFrame } from './frame-codec.ts'

const topicId = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex').toString('base64url') as Uuid
const otherTopicId = Buffer.alloc(16, 0xfe).toString('base64url') as Uuid
const epoch = (value: number): LeaderEpoch => value as LeaderEpoch

const followerFrame: FollowerFrame = {
  creditFrames: 3,
  positions: [
    {
      topicId, partition: 5, currentLeaderEpoch: epoch(9), fetchOffset: 2 ** 40 + 1, lastFetchedEpoch: 8, durableEndOffset: 2 ** 40,
      logStartOffset: 16, highWatermark: -1, intent: 'restart',
    },
    {
      topicId: otherTopicId, partition: 0, currentLeaderEpoch: epoch(0), fetchOffset: 0, lastFetchedEpoch: -1, durableEndOffset: 0,
      logStartOffset: 0, highWatermark: Number.MAX_SAFE_INTEGER, intent: 'acknowledge',
    },
  ],
  removed: [{ topicId, partition: 6 }],
}

const followerHex =
  '01' + '00000003' + '00000002' + '00000001' +
  '000102030405060708090a0b0c0d0e0f' + '00000005' + '00000009' + '0000010000000001' + '00000008' + '0000010000000000' +
  '0000000000000010' + 'ffffffffffffffff' + '01' +
  'fefefefefefefefefefefefefefefefe' + '00000000' + '00000000' + '0000000000000000' + 'ffffffff' + '0000000000000000' +
  '0000000000000000' + '001fffffffffffff' + '02' +
  '000102030405060708090a0b0c0d0e0f' + '00000006'

const leaderFrame: LeaderFrame = {
  partitions: [
    {
      topicId, partition: 5, leaderEpoch: epoch(9), errorCode: 0, baseOffset: 2 ** 32, highWatermark: 7, logStartOffset: 1, logEndOffset: 2 ** 33,
      divergingEpoch: null, records: [Buffer.from('batch-'), Buffer.from('one')],
    },
    {
      topicId: otherTopicId, partition: 1, leaderEpoch: epoch(2), errorCode: -1, baseOffset: 0, highWatermark: -1, logStartOffset: 0, logEndOffset: 0,
      divergingEpoch: { epoch: -1, endOffset: 4 }, records: [],
    },
  ],
}

const leaderHex =
  '02' + '00000002' +
  '000102030405060708090a0b0c0d0e0f' + '00000005' + '00000009' + '0000' + '00' + '0000000100000000' + '0000000000000007' +
  '0000000000000001' + '0000000200000000' + '00000009' +
  'fefefefefefefefefefefefefefefefe' + '00000001' + '00000002' + 'ffff' + '01' + '0000000000000000' + 'ffffffffffffffff' +
  '0000000000000000' + '0000000000000000' + '00000000' + 'ffffffff' + '0000000000000004' +
  Buffer.from('batch-one').toString('hex')

function leaderBytes(frame: LeaderFrame, roomBytes = 0): Buffer {
  const { head, body, bodyBytes } = encodeLeaderFrame(frame, roomBytes)
  const records = Buffer.concat(body)
  expect(records.length).toBe(bodyBytes)
  return Buffer.concat([head.subarray(roomBytes), records])
}

describe('follower frames', () => {
  test('are laid out as replication.proto tells', () => {
    expect(encodeFollowerFrame(followerFrame, 0).toString('hex')).toBe(followerHex)
    expect(encodeFollowerFrame(followerFrame, 5).subarray(5).toString('hex')).toBe(followerHex)
    expect(decodeFollowerFrame(Buffer.from(followerHex, 'hex'))).toEqual(followerFrame)
  })

  test('may be empty', () => {
    const empty: FollowerFrame = { creditFrames: 0, positions: [], removed: [] }
    expect(decodeFollowerFrame(encodeFollowerFrame(empty, 0))).toEqual(empty)
  })

  test('cut short, with bytes left over, of another version or with an unknown intent are refused', () => {
    const bytes = Buffer.from(followerHex, 'hex')
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeFollowerFrame(bytes.subarray(0, length))).toThrow(WireDecodeError)
    }
    expect(() => decodeFollowerFrame(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(WireDecodeError)
    expect(() => decodeFollowerFrame(changed(bytes, 0, 2))).toThrow('unknown frame version 2')
    expect(() => decodeFollowerFrame(changed(bytes, 13 + 60, 3))).toThrow('unknown intent 3')
  })

  test('a declared count allocates nothing', () => {
    expect(() => decodeFollowerFrame(Buffer.from('01' + '00000000' + 'ffffffff' + '00000000', 'hex'))).toThrow(WireDecodeError)
    expect(() => decodeFollowerFrame(Buffer.from('01' + '00000000' + '000f4240' + '00000000', 'hex'))).toThrow(WireDecodeError)
  })
})

describe('leader frames', () => {
  test('are laid out as replication.proto tells', () => {
    expect(leaderBytes(leaderFrame).toString('hex')).toBe(leaderHex)
  })

  test('come back with the pieces of the records joined, as views of the frame', () => {
    const bytes = Buffer.from(leaderHex, 'hex')
    const decoded = decodeLeaderFrame(bytes)
    const [first, second] = leaderFrame.partitions
    expect(decoded.partitions).toEqual([{ ...first, records: [Buffer.from('batch-one')] }, second])
    expect(decoded.partitions[0]?.records[0]?.buffer).toBe(bytes.buffer)
  })

  test('leave room in front, and record bytes where they lie', () => {
    expect(leaderBytes(leaderFrame, 14).toString('hex')).toBe(leaderHex)
    expect(encodeLeaderFrame(leaderFrame, 14).body).toEqual(leaderFrame.partitions[0]!.records)
    expect(encodeLeaderFrame(leaderFrame, 14).body[0]).toBe(leaderFrame.partitions[0]!.records[0])
  })

  test('cut short, with bytes left over, of another version or with an unknown flag are refused', () => {
    const bytes = Buffer.from(leaderHex, 'hex')
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeLeaderFrame(bytes.subarray(0, length))).toThrow(WireDecodeError)
    }
    expect(() => decodeLeaderFrame(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(WireDecodeError)
    expect(() => decodeLeaderFrame(changed(bytes, 0, 0))).toThrow('unknown frame version 0')
    expect(() => decodeLeaderFrame(changed(bytes, 5 + 26, 2))).toThrow('unknown flags 2')
    expect(() => decodeLeaderFrame(changed(bytes, 5 + 27, 0x40))).toThrow('integer out of range')
  })

  test('whatever the bytes are, the only error is WireDecodeError', () => {
    const random = seededRandom(2)
    for (let round = 0; round < 20_000; round++) {
      const leader = Buffer.from(leaderHex, 'hex')
      const follower = Buffer.from(followerHex, 'hex')
      leader[random.below(leader.length)] = random.below(256)
      follower[random.below(follower.length)] = random.below(256)
      onlyWireDecodeErrors(() => decodeLeaderFrame(leader))
      onlyWireDecodeErrors(() => decodeFollowerFrame(follower))
    }
  })

  test('what is not an int64 or no uuid never leaves', () => {
    const [first] = leaderFrame.partitions
    expect(() => encodeLeaderFrame({ partitions: [{ ...first!, baseOffset: 2 ** 60 }] }, 0)).toThrow('not an int64')
    expect(() => encodeLeaderFrame({ partitions: [{ ...first!, topicId: 'short' as Uuid }] }, 0)).toThrow('no uuid')
  })
})

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = value
  return copy
}

function onlyWireDecodeErrors(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(WireDecodeError)
  }
}
