import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import type { Entry, RaftMessage } from '@kavka/controller'
import { seededRandom } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import { WireDecodeError } from '../proto-runtime.ts'
import { decodeRaftMessage, encodeRaftMessage } from './raft-message-codec.ts'

const schema = protobuf.parse(readFileSync(join(__dirname, '../../../../proto/kavka/internal/v1/raft.proto'), 'utf8')).root
const wireType = schema.lookupType('kavka.internal.v1.RaftMessage')

const id = (value: number): NodeId => value as NodeId
const epoch = (value: number): LeaderEpoch => value as LeaderEpoch
const at = (value: number): Offset => value as Offset
const envelope = { clusterId: 'c-1', from: id(1), to: id(2), epoch: epoch(7) }
const entries: readonly Entry[] = [
  { offset: at(2 ** 40), epoch: epoch(6), kind: 'leader-change', payload: Buffer.from([0, 0, 0, 1]) },
  { offset: at(2 ** 40 + 1), epoch: epoch(7), kind: 'data', payload: Buffer.from('payload') },
  { offset: at(2 ** 40 + 2), epoch: epoch(7), kind: 'data', payload: Buffer.alloc(0) },
]
const snapshot = { offset: at(99), epoch: epoch(3) }

const messages: readonly RaftMessage[] = [
  { ...envelope, kind: 'vote-request', phase: 'pre-vote', lastEpoch: epoch(0), logEndOffset: at(0) },
  { ...envelope, kind: 'vote-request', phase: 'vote', lastEpoch: epoch(6), logEndOffset: at(Number.MAX_SAFE_INTEGER) },
  { ...envelope, kind: 'vote-response', phase: 'vote', granted: true, leaderId: null },
  { ...envelope, kind: 'vote-response', phase: 'pre-vote', granted: false, leaderId: id(0) },
  { ...envelope, kind: 'begin-quorum-epoch' },
  { ...envelope, kind: 'begin-quorum-epoch-response', leaderId: id(3) },
  { ...envelope, kind: 'end-quorum-epoch', preferredSuccessors: [id(3), id(0), id(300)] },
  { ...envelope, kind: 'end-quorum-epoch', preferredSuccessors: [] },
  {
    ...envelope, kind: 'fetch-request', sequence: 5, fetchOffset: at(10), lastFetchedEpoch: epoch(6), bytesMax: 2 ** 33, highWatermark: at(9),
  },
  { ...envelope, kind: 'fetch-response', sequence: 5, leaderId: id(1), highWatermark: at(9), result: { kind: 'entries', entries } },
  { ...envelope, kind: 'fetch-response', sequence: 6, leaderId: id(1), highWatermark: at(9), result: { kind: 'entries', entries: [] } },
  {
    ...envelope, kind: 'fetch-response', sequence: 7, leaderId: null, highWatermark: at(0), result: { kind: 'diverging', epoch: epoch(0), endOffset: at(0) },
  },
  { ...envelope, kind: 'fetch-response', sequence: 8, leaderId: id(1), highWatermark: at(9), result: { kind: 'snapshot', id: snapshot } },
  ...(['fenced-leader-epoch', 'not-leader', 'snapshot-not-found', 'position-out-of-range'] as const).map(
    (error): RaftMessage => ({
      ...envelope, kind: 'fetch-response', sequence: 9, leaderId: null, highWatermark: at(0), result: { kind: 'error', error },
    }),
  ),
  { ...envelope, kind: 'fetch-snapshot-request', sequence: 1, id: snapshot, position: 2 ** 32, bytesMax: 1 },
  {
    ...envelope, kind: 'fetch-snapshot-response', sequence: 1, leaderId: id(1),
    result: { kind: 'piece', id: snapshot, position: 0, bytes: Buffer.from('snap'), totalBytes: 2 ** 34 },
  },
  { ...envelope, kind: 'fetch-snapshot-response', sequence: 1, leaderId: null, result: { kind: 'error', error: 'snapshot-not-found' } },
]

describe('messages of the quorum', () => {
  test.each(messages.map((message, index) => [`${index} ${message.kind}`, message]))('%s comes back as it was', (_name, message) => {
    expect(plain(decodeRaftMessage(encodeRaftMessage(message)))).toEqual(plain(message))
  })

  test.each(messages.map((message, index) => [`${index} ${message.kind}`, message]))('%s is what the .proto file says', (_name, message) => {
    const bytes = encodeRaftMessage(message)
    const reread = wireType.decode(bytes)
    expect(wireType.verify(reread)).toBeNull()
    const rewritten = wireType.encode(reread).finish()
    expect(rewritten.length).toBe(bytes.length)
    expect(plain(decodeRaftMessage(rewritten))).toEqual(plain(message))
  })

  test('field names of the .proto file carry the values of the same names', () => {
    const bytes = encodeRaftMessage(messages[8] as RaftMessage)
    expect(wireType.toObject(wireType.decode(bytes), { longs: Number })).toEqual({
      clusterId: 'c-1', from: 1, to: 2, epoch: 7,
      fetchRequest: { sequence: 5, fetchOffset: 10, lastFetchedEpoch: 6, bytesMax: 2 ** 33, highWatermark: 9 },
    })
  })

  test('the bytes of a vote request', () => {
    expect(encodeRaftMessage(messages[1] as RaftMessage).toString('hex')).toBe(
      '0a03632d31100118022007' + '520d' + '0802' + '1006' + '18ffffffffffffff0f',
    )
  })

  test('a body that is missing, unknown or out of range is refused', () => {
    const refused = [
      { clusterId: 'c', from: 1, to: 2, epoch: 3 },
      { from: -1, to: 2, epoch: 3, beginQuorumEpoch: {} },
      { from: 1, to: 2, epoch: 3, voteRequest: { phase: 0, lastEpoch: 0, logEndOffset: 0 } },
      { from: 1, to: 2, epoch: 3, voteRequest: { phase: 9, lastEpoch: 0, logEndOffset: 0 } },
      { from: 1, to: 2, epoch: 3, voteRequest: { phase: 1, lastEpoch: 0, logEndOffset: 2 ** 60 } },
      { from: 1, to: 2, epoch: 3, fetchRequest: { sequence: 1, fetchOffset: -1 } },
      { from: 1, to: 2, epoch: 3, fetchSnapshotRequest: { sequence: 1 } },
    ]
    for (const object of refused) {
      const bytes = wireType.encode(wireType.fromObject(object)).finish()
      expect(() => decodeRaftMessage(bytes)).toThrow(WireDecodeError)
    }
  })

  test('whatever the bytes are, the only error is WireDecodeError', () => {
    const random = seededRandom(1)
    let refused = 0
    for (let round = 0; round < 20_000; round++) {
      const bytes = damaged(encodeRaftMessage(messages[random.below(messages.length)] as RaftMessage), random)
      try {
        decodeRaftMessage(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(WireDecodeError)
        refused++
      }
    }
    expect(refused).toBeGreaterThan(5_000)
  })
})

function damaged(bytes: Buffer, random: ReturnType<typeof seededRandom>): Buffer {
  const copy = Buffer.from(bytes)
  for (let i = 0; i <= random.below(3); i++) copy[random.below(copy.length)] = random.below(256)
  return copy.subarray(0, random.below(4) === 0 ? random.below(copy.length) : copy.length)
}

/** Without the difference between kinds of byte arrays. */
function plain(message: RaftMessage): unknown {
  return JSON.parse(JSON.stringify(message, (_key, value: unknown) => (isBytes(value) ? Buffer.from(bytesOf(value)).toString('hex') : value)))
}

function isBytes(value: unknown): boolean {
  return value instanceof Uint8Array || (typeof value === 'object' && value !== null && (value as { type?: string }).type === 'Buffer')
}

function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : Uint8Array.from((value as { data: number[] }).data)
}
