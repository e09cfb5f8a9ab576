import type { LeaderEpoch } from '@kavka/protocol'
import { ZERO_UUID } from '@kavka/protocol'
import type { LeaderFrame } from '@kavka/replication'
import { outgoing, serializeInPlace } from './fetch-call.ts'
import { leaderFrameBytes, writeLeaderFrame } from './frame-codec.ts'

const frame: LeaderFrame = {
  partitions: [
    {
      topicId: ZERO_UUID, partition: 0, leaderEpoch: 0 as LeaderEpoch, errorCode: 0, baseOffset: 0, highWatermark: 0, logStartOffset: 0,
      logEndOffset: 0, divergingEpoch: null, records: [Buffer.from('abc')],
    },
  ],
}

test('a frame passes for the buffer that it will become: it has its size and copies itself', () => {
  const serialized = serializeInPlace(outgoing(frame))
  const expected = Buffer.alloc(leaderFrameBytes(frame))
  writeLeaderFrame(frame, expected, 0)
  const target = Buffer.alloc(serialized.byteLength + 5)
  serialized.copy(target, 5)
  expect(target.subarray(5)).toEqual(expected)
  expect(target.subarray(0, 5)).toEqual(Buffer.alloc(5))
})

test('nothing else of it is a buffer: whoever asks for more than these two finds out here and in the stream tests', () => {
  expect(Object.keys(serializeInPlace(outgoing(frame)))).toEqual(['byteLength', 'copy'])
})
