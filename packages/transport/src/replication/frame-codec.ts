/**
 * The frames of the replication stream ⇄ bytes, as laid out in proto/kavka/internal/v1/replication.proto.
 * Record bytes are not copied: they leave as they lie in the leader's cache, and come in as views of what was received.
 */
import { assert } from '@kavka/kernel'
import type { LeaderEpoch } from '@kavka/protocol'
import { uuidAt, writeUuid } from '@kavka/protocol'
import type { FollowerFrame, FollowerPosition, LeaderFrame, LeaderPartitionFrame, PartitionKey } from '@kavka/replication'
import { WireDecodeError } from '../proto-runtime.ts'

const FOLLOWER_FRAME_VERSION = 1
const LEADER_FRAME_VERSION = 2
const FOLLOWER_HEADER_BYTES = 13
const POSITION_BYTES = 61
const PARTITION_KEY_BYTES = 20
const LEADER_HEADER_BYTES = 5
const LEADER_PARTITION_BYTES = 63
const FLAGS_AT = 26
const RECORD_BYTES_AT = 59
const DIVERGENCE_BYTES = 12
const FLAG_DIVERGING = 1
const INTENT_RESTART = 1
const INTENT_ACKNOWLEDGE = 2
const TWO_32 = 2 ** 32
const NO_RECORDS: readonly Buffer[] = []

/** Partitions of one leader frame or positions of one follower frame; far above what a broker may host. */
export const FRAME_PARTITIONS_MAX = 1_000_000

/** The first `roomBytes` of the result are left free. */
export function encodeFollowerFrame(frame: FollowerFrame, roomBytes: number): Buffer {
  const { positions, removed } = frame
  assert(positions.length <= FRAME_PARTITIONS_MAX, 'too many positions in one frame', { positions: positions.length })
  const size = roomBytes + FOLLOWER_HEADER_BYTES + positions.length * POSITION_BYTES + removed.length * PARTITION_KEY_BYTES
  const bytes = Buffer.allocUnsafe(size)
  bytes[roomBytes] = FOLLOWER_FRAME_VERSION
  bytes.writeUInt32BE(frame.creditFrames, roomBytes + 1)
  bytes.writeUInt32BE(positions.length, roomBytes + 5)
  bytes.writeUInt32BE(removed.length, roomBytes + 9)
  let at = roomBytes + FOLLOWER_HEADER_BYTES
  for (const position of positions) at = writePosition(bytes, at, position)
  for (const key of removed) at = writePartitionKey(bytes, at, key)
  assert(at === size, 'follower frame of another size than computed', { at, size })
  return bytes
}

/** Throws WireDecodeError when `bytes` is no well-formed frame. */
export function decodeFollowerFrame(bytes: Buffer): FollowerFrame {
  checkVersion(bytes, FOLLOWER_FRAME_VERSION, FOLLOWER_HEADER_BYTES)
  const creditFrames = bytes.readUInt32BE(1)
  const positionCount = bytes.readUInt32BE(5)
  const removedCount = bytes.readUInt32BE(9)
  checkCount(positionCount)
  checkCount(removedCount)
  const size = FOLLOWER_HEADER_BYTES + positionCount * POSITION_BYTES + removedCount * PARTITION_KEY_BYTES
  if (bytes.length !== size) throw new WireDecodeError(`follower frame of ${bytes.length} bytes where ${size} are declared`)
  const positions: FollowerPosition[] = []
  const removed: PartitionKey[] = []
  let at = FOLLOWER_HEADER_BYTES
  for (let i = 0; i < positionCount; i++, at += POSITION_BYTES) positions.push(readPosition(bytes, at))
  for (let i = 0; i < removedCount; i++, at += PARTITION_KEY_BYTES) removed.push(readPartitionKey(bytes, at))
  return { creditFrames, positions, removed }
}

/** A leader frame as bytes: a head, whose first `roomBytes` are left free, and record bytes where they lie. */
export interface EncodedLeaderFrame {
  readonly head: Buffer
  readonly body: readonly Buffer[]
  readonly bodyBytes: number
}

export function encodeLeaderFrame({ partitions }: LeaderFrame, roomBytes: number): EncodedLeaderFrame {
  assert(partitions.length <= FRAME_PARTITIONS_MAX, 'too many partitions in one frame')
  const head = Buffer.allocUnsafe(roomBytes + leaderHeadBytes(partitions))
  head[roomBytes] = LEADER_FRAME_VERSION
  head.writeUInt32BE(partitions.length, roomBytes + 1)
  const body: Buffer[] = []
  let at = roomBytes + LEADER_HEADER_BYTES
  let bodyBytes = 0
  for (const partition of partitions) {
    const bytes = recordBytes(partition)
    at = writeLeaderPartition(head, at, partition, bytes)
    bodyBytes += bytes
    for (const piece of partition.records) body.push(piece)
  }
  assert(at === head.length, 'leader frame of another size than computed', { at, size: head.length })
  return { head, body, bodyBytes }
}

function leaderHeadBytes(partitions: readonly LeaderPartitionFrame[]): number {
  let size = LEADER_HEADER_BYTES + partitions.length * LEADER_PARTITION_BYTES
  for (const { divergingEpoch } of partitions) if (divergingEpoch !== null) size += DIVERGENCE_BYTES
  return size
}

/** The records of the result are views of `bytes`. Throws WireDecodeError when `bytes` is no well-formed frame. */
export function decodeLeaderFrame(bytes: Buffer): LeaderFrame {
  checkVersion(bytes, LEADER_FRAME_VERSION, LEADER_HEADER_BYTES)
  const count = bytes.readUInt32BE(1)
  checkCount(count)
  const headEnd = leaderHeadEnd(bytes, count)
  const partitions: LeaderPartitionFrame[] = []
  let at = LEADER_HEADER_BYTES
  let recordsAt = headEnd
  for (let i = 0; i < count; i++) {
    const recordsEnd = recordsAt + bytes.readUInt32BE(at + RECORD_BYTES_AT)
    if (recordsEnd > bytes.length) throw new WireDecodeError('leader frame is cut short')
    const diverging = bytes[at + FLAGS_AT] === FLAG_DIVERGING
    partitions.push(readLeaderPartition(bytes, at, recordsAt === recordsEnd ? NO_RECORDS : [bytes.subarray(recordsAt, recordsEnd)]))
    at += LEADER_PARTITION_BYTES + (diverging ? DIVERGENCE_BYTES : 0)
    recordsAt = recordsEnd
  }
  if (recordsAt !== bytes.length) throw new WireDecodeError(`${bytes.length - recordsAt} bytes left over after a leader frame`)
  return { partitions }
}

/** Where the entries end and the records begin. */
function leaderHeadEnd(bytes: Buffer, count: number): number {
  let at = LEADER_HEADER_BYTES
  for (let i = 0; i < count; i++) {
    if (bytes.length - at < LEADER_PARTITION_BYTES) throw new WireDecodeError('leader frame is cut short')
    const flags = bytes[at + FLAGS_AT] as number
    if (flags > FLAG_DIVERGING) throw new WireDecodeError(`unknown flags ${flags}`)
    at += LEADER_PARTITION_BYTES + (flags === FLAG_DIVERGING ? DIVERGENCE_BYTES : 0)
  }
  if (at > bytes.length) throw new WireDecodeError('leader frame is cut short')
  return at
}

function writePosition(bytes: Buffer, at: number, position: FollowerPosition): number {
  writePartitionKey(bytes, at, position)
  bytes.writeInt32BE(position.currentLeaderEpoch, at + 20)
  writeInt64(bytes, at + 24, position.fetchOffset)
  bytes.writeInt32BE(position.lastFetchedEpoch, at + 32)
  writeInt64(bytes, at + 36, position.durableEndOffset)
  writeInt64(bytes, at + 44, position.logStartOffset)
  writeInt64(bytes, at + 52, position.highWatermark)
  bytes[at + 60] = position.intent === 'restart' ? INTENT_RESTART : INTENT_ACKNOWLEDGE
  return at + POSITION_BYTES
}

function readPosition(bytes: Buffer, at: number): FollowerPosition {
  return {
    topicId: uuidAt(bytes, at),
    partition: bytes.readInt32BE(at + 16),
    currentLeaderEpoch: bytes.readInt32BE(at + 20) as LeaderEpoch,
    fetchOffset: readInt64(bytes, at + 24),
    lastFetchedEpoch: bytes.readInt32BE(at + 32),
    durableEndOffset: readInt64(bytes, at + 36),
    logStartOffset: readInt64(bytes, at + 44),
    highWatermark: readInt64(bytes, at + 52),
    intent: intentOf(bytes[at + 60]),
  }
}

function intentOf(value: number | undefined): FollowerPosition['intent'] {
  if (value === INTENT_RESTART) return 'restart'
  if (value === INTENT_ACKNOWLEDGE) return 'acknowledge'
  throw new WireDecodeError(`unknown intent ${value}`)
}

function writeLeaderPartition(target: Buffer, start: number, partition: LeaderPartitionFrame, bytes: number): number {
  const { divergingEpoch } = partition
  writePartitionKey(target, start, partition)
  target.writeInt32BE(partition.leaderEpoch, start + 20)
  target.writeInt16BE(partition.errorCode, start + 24)
  target[start + FLAGS_AT] = divergingEpoch === null ? 0 : FLAG_DIVERGING
  writeInt64(target, start + 27, partition.baseOffset)
  writeInt64(target, start + 35, partition.highWatermark)
  writeInt64(target, start + 43, partition.logStartOffset)
  writeInt64(target, start + 51, partition.logEndOffset)
  target.writeUInt32BE(bytes, start + RECORD_BYTES_AT)
  const end = start + LEADER_PARTITION_BYTES
  if (divergingEpoch === null) return end
  target.writeInt32BE(divergingEpoch.epoch, end)
  writeInt64(target, end + 4, divergingEpoch.endOffset)
  return end + DIVERGENCE_BYTES
}

function readLeaderPartition(bytes: Buffer, start: number, records: readonly Buffer[]): LeaderPartitionFrame {
  return {
    topicId: uuidAt(bytes, start),
    partition: bytes.readInt32BE(start + 16),
    leaderEpoch: bytes.readInt32BE(start + 20) as LeaderEpoch,
    errorCode: bytes.readInt16BE(start + 24),
    baseOffset: readInt64(bytes, start + 27),
    highWatermark: readInt64(bytes, start + 35),
    logStartOffset: readInt64(bytes, start + 43),
    logEndOffset: readInt64(bytes, start + 51),
    divergingEpoch: bytes[start + FLAGS_AT] === FLAG_DIVERGING ? readDivergence(bytes, start + LEADER_PARTITION_BYTES) : null,
    records,
  }
}

function readDivergence(bytes: Buffer, at: number): { epoch: number; endOffset: number } {
  return { epoch: bytes.readInt32BE(at), endOffset: readInt64(bytes, at + 4) }
}

function recordBytes(partition: LeaderPartitionFrame): number {
  let size = 0
  for (const piece of partition.records) size += piece.length
  return size
}

function writePartitionKey(bytes: Buffer, at: number, key: PartitionKey): number {
  assert(writeUuid(bytes, at, key.topicId), 'topic id is no uuid', { topicId: key.topicId })
  bytes.writeInt32BE(key.partition, at + 16)
  return at + PARTITION_KEY_BYTES
}

function readPartitionKey(bytes: Buffer, at: number): PartitionKey {
  return { topicId: uuidAt(bytes, at), partition: bytes.readInt32BE(at + 16) }
}

function writeInt64(bytes: Buffer, at: number, value: number): void {
  assert(Number.isSafeInteger(value), 'not an int64', { value })
  bytes.writeInt32BE(Math.floor(value / TWO_32), at)
  bytes.writeUInt32BE(value >>> 0, at + 4)
}

function readInt64(bytes: Buffer, at: number): number {
  const value = bytes.readInt32BE(at) * TWO_32 + bytes.readUInt32BE(at + 4)
  if (!Number.isSafeInteger(value)) throw new WireDecodeError('integer out of range')
  return value
}

function checkVersion(bytes: Buffer, version: number, sizeMin: number): void {
  if (bytes.length < sizeMin) throw new WireDecodeError(`frame of ${bytes.length} bytes`)
  if (bytes[0] !== version) throw new WireDecodeError(`unknown frame version ${bytes[0]}`)
}

function checkCount(count: number): void {
  if (count > FRAME_PARTITIONS_MAX) throw new WireDecodeError(`${count} partitions in one frame`)
}
