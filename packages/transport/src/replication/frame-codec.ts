/**
 * The frames of the replication stream ⇄ bytes, as laid out in proto/kavka/internal/v1/replication.proto.
 * Record bytes are copied once on the way out (into the buffer that gRPC hands to the socket) and not at all on the way in.
 */
import { assert } from '@kavka/kernel'
import type { LeaderEpoch, Uuid } from '@kavka/protocol'
import { uuidAt, writeUuid } from '@kavka/protocol'
import type { FollowerFrame, FollowerPosition, LeaderFrame, LeaderPartitionFrame, PartitionKey } from '@kavka/replication'
import { WireDecodeError } from '../proto-runtime.ts'

const FRAME_VERSION = 1
const FOLLOWER_HEADER_BYTES = 13
const POSITION_BYTES = 61
const PARTITION_KEY_BYTES = 20
const LEADER_HEADER_BYTES = 5
const LEADER_PARTITION_BYTES = 63
const DIVERGENCE_BYTES = 12
const FLAG_DIVERGING = 1
const INTENT_RESTART = 1
const INTENT_ACKNOWLEDGE = 2
const TWO_32 = 2 ** 32

/** Partitions of one leader frame or positions of one follower frame; far above what a broker may host. */
export const FRAME_PARTITIONS_MAX = 1_000_000

export function encodeFollowerFrame(frame: FollowerFrame): Buffer {
  const { positions, removed } = frame
  assert(positions.length <= FRAME_PARTITIONS_MAX, 'too many positions in one frame', { positions: positions.length })
  const size = FOLLOWER_HEADER_BYTES + positions.length * POSITION_BYTES + removed.length * PARTITION_KEY_BYTES
  const bytes = Buffer.allocUnsafe(size)
  bytes[0] = FRAME_VERSION
  bytes.writeUInt32BE(frame.creditFrames, 1)
  bytes.writeUInt32BE(positions.length, 5)
  bytes.writeUInt32BE(removed.length, 9)
  let at = FOLLOWER_HEADER_BYTES
  for (const position of positions) at = writePosition(bytes, at, position)
  for (const key of removed) at = writePartitionKey(bytes, at, key)
  assert(at === size, 'follower frame of another size than computed', { at, size })
  return bytes
}

/** Throws WireDecodeError when `bytes` is no well-formed frame. */
export function decodeFollowerFrame(bytes: Buffer): FollowerFrame {
  checkVersion(bytes, FOLLOWER_HEADER_BYTES)
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

/** Bytes that `writeLeaderFrame` will write. */
export function leaderFrameBytes(frame: LeaderFrame): number {
  let size = LEADER_HEADER_BYTES
  for (const partition of frame.partitions) {
    size += LEADER_PARTITION_BYTES + (partition.divergingEpoch === null ? 0 : DIVERGENCE_BYTES) + recordBytes(partition)
  }
  return size
}

/** Writes the frame at `start` of `target` and returns the position after it. */
export function writeLeaderFrame(frame: LeaderFrame, target: Buffer, start: number): number {
  assert(frame.partitions.length <= FRAME_PARTITIONS_MAX, 'too many partitions in one frame')
  target[start] = FRAME_VERSION
  target.writeUInt32BE(frame.partitions.length, start + 1)
  let at = start + LEADER_HEADER_BYTES
  for (const partition of frame.partitions) at = writeLeaderPartition(target, at, partition)
  return at
}

/** The records of the result are views of `bytes`. Throws WireDecodeError when `bytes` is no well-formed frame. */
export function decodeLeaderFrame(bytes: Buffer): LeaderFrame {
  checkVersion(bytes, LEADER_HEADER_BYTES)
  const count = bytes.readUInt32BE(1)
  checkCount(count)
  if (count * LEADER_PARTITION_BYTES > bytes.length) throw new WireDecodeError('leader frame is cut short')
  const partitions: LeaderPartitionFrame[] = []
  let at = LEADER_HEADER_BYTES
  for (let i = 0; i < count; i++) {
    const end = leaderPartitionEnd(bytes, at)
    partitions.push(readLeaderPartition(bytes, at, end))
    at = end
  }
  if (at !== bytes.length) throw new WireDecodeError(`${bytes.length - at} bytes left over after a leader frame`)
  return { partitions }
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
    topicId: readTopicId(bytes, at),
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

function writeLeaderPartition(target: Buffer, start: number, partition: LeaderPartitionFrame): number {
  const { divergingEpoch } = partition
  writePartitionKey(target, start, partition)
  target.writeInt32BE(partition.leaderEpoch, start + 20)
  target.writeInt16BE(partition.errorCode, start + 24)
  target[start + 26] = divergingEpoch === null ? 0 : FLAG_DIVERGING
  writeInt64(target, start + 27, partition.baseOffset)
  writeInt64(target, start + 35, partition.highWatermark)
  writeInt64(target, start + 43, partition.logStartOffset)
  writeInt64(target, start + 51, partition.logEndOffset)
  target.writeUInt32BE(recordBytes(partition), start + 59)
  let at = start + LEADER_PARTITION_BYTES
  if (divergingEpoch !== null) {
    target.writeInt32BE(divergingEpoch.epoch, at)
    writeInt64(target, at + 4, divergingEpoch.endOffset)
    at += DIVERGENCE_BYTES
  }
  for (const piece of partition.records) at += piece.copy(target, at)
  return at
}

function leaderPartitionEnd(bytes: Buffer, at: number): number {
  if (bytes.length - at < LEADER_PARTITION_BYTES) throw new WireDecodeError('leader frame is cut short')
  const flags = bytes[at + 26] as number
  if (flags > FLAG_DIVERGING) throw new WireDecodeError(`unknown flags ${flags}`)
  const end = at + LEADER_PARTITION_BYTES + (flags === FLAG_DIVERGING ? DIVERGENCE_BYTES : 0) + bytes.readUInt32BE(at + 59)
  if (end > bytes.length) throw new WireDecodeError('leader frame is cut short')
  return end
}

function readLeaderPartition(bytes: Buffer, start: number, end: number): LeaderPartitionFrame {
  const diverging = bytes[start + 26] === FLAG_DIVERGING
  const recordsAt = start + LEADER_PARTITION_BYTES + (diverging ? DIVERGENCE_BYTES : 0)
  return {
    topicId: readTopicId(bytes, start),
    partition: bytes.readInt32BE(start + 16),
    leaderEpoch: bytes.readInt32BE(start + 20) as LeaderEpoch,
    errorCode: bytes.readInt16BE(start + 24),
    baseOffset: readInt64(bytes, start + 27),
    highWatermark: readInt64(bytes, start + 35),
    logStartOffset: readInt64(bytes, start + 43),
    logEndOffset: readInt64(bytes, start + 51),
    divergingEpoch: diverging ? readDivergence(bytes, start + LEADER_PARTITION_BYTES) : null,
    records: recordsAt === end ? [] : [bytes.subarray(recordsAt, end)],
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
  return { topicId: readTopicId(bytes, at), partition: bytes.readInt32BE(at + 16) }
}

function readTopicId(bytes: Buffer, at: number): Uuid {
  return uuidAt(bytes, at)
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

function checkVersion(bytes: Buffer, sizeMin: number): void {
  if (bytes.length < sizeMin) throw new WireDecodeError(`frame of ${bytes.length} bytes`)
  if (bytes[0] !== FRAME_VERSION) throw new WireDecodeError(`unknown frame version ${bytes[0]}`)
}

function checkCount(count: number): void {
  if (count > FRAME_PARTITIONS_MAX) throw new WireDecodeError(`${count} partitions in one frame`)
}
