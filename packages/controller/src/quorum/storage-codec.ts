/** The quorum's durable state as keys and bytes. Every value carries a checksum over itself and its key: bit rot and misplaced values show. */
import { crc32 } from 'node:zlib'
import type { KeyValueWrite } from '@kavka/kernel'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { Entry, EntryKind, SnapshotId } from '../raft/messages.ts'
import type { HardState, LogStart } from '../raft/ready.ts'

const OFFSET_DIGITS = 16
/** Snapshots are cut into values of this size. */
export const SNAPSHOT_VALUE_BYTES = 1024 * 1024

/** Which cluster and node the data belongs to. */
export interface Identity {
  readonly clusterId: string
  readonly nodeId: number
}

/** What there is to know of a stored snapshot besides its bytes. */
export interface SnapshotHeader extends SnapshotId {
  readonly totalBytes: number
}

export const keys = {
  identity: 'raft/identity',
  hardState: 'raft/hard-state',
  logStart: 'raft/log-start',
  snapshot: 'raft/snapshot',
  entry: (offset: number) => `raft/log/${padded(offset)}`,
  /** Greater than the key of every entry. */
  entriesEnd: 'raft/log/~',
  snapshotPiece: (index: number) => `raft/snapshot-data/${padded(index)}`,
  snapshotPiecesEnd: 'raft/snapshot-data/~',
} as const

function padded(value: number): string {
  return String(value).padStart(OFFSET_DIGITS, '0')
}

const CHECKSUM_BYTES = 4

/** Puts the checksum before the content. */
export function sealed(key: string, content: Uint8Array): KeyValueWrite {
  const value = Buffer.allocUnsafe(CHECKSUM_BYTES + content.length)
  value.set(content, CHECKSUM_BYTES)
  value.writeUInt32BE(checksumOf(key, value), 0)
  return { kind: 'put', key, value }
}

/** The content, or null when the value is not what was stored under that key. */
export function unsealed(key: string, value: Uint8Array): Buffer | null {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  if (bytes.length < CHECKSUM_BYTES || bytes.readUInt32BE(0) !== checksumOf(key, bytes)) return null
  return bytes.subarray(CHECKSUM_BYTES)
}

function checksumOf(key: string, value: Buffer): number {
  return crc32(value.subarray(CHECKSUM_BYTES), crc32(key))
}

export function encodeObject(value: Identity | HardState | LogStart | SnapshotHeader): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

export function decodeIdentity(content: Buffer): Identity {
  const { clusterId, nodeId } = JSON.parse(content.toString()) as Identity
  return { clusterId, nodeId }
}

export function decodeHardState(content: Buffer): HardState {
  const { epoch, votedFor, leaderId } = JSON.parse(content.toString()) as HardState
  return { epoch, votedFor, leaderId }
}

export function decodeLogStart(content: Buffer): LogStart {
  const { offset, previousEpoch } = JSON.parse(content.toString()) as LogStart
  return { offset, previousEpoch }
}

export function decodeSnapshotHeader(content: Buffer): SnapshotHeader {
  const { offset, epoch, totalBytes } = JSON.parse(content.toString()) as SnapshotHeader
  return { offset, epoch, totalBytes }
}

const kindCodes: Record<EntryKind, number> = { 'leader-change': 1, data: 2 }
const ENTRY_HEADER_BYTES = 5

/** Kind (1 byte), epoch (4), payload; the offset is in the key. */
export function encodeEntry(entry: Entry): Uint8Array {
  const content = Buffer.allocUnsafe(ENTRY_HEADER_BYTES + entry.payload.length)
  content.writeUInt8(kindCodes[entry.kind], 0)
  content.writeUInt32BE(entry.epoch, 1)
  content.set(entry.payload, ENTRY_HEADER_BYTES)
  return content
}

/** Null when the kind is not known: written by a later version. */
export function decodeEntry(offset: number, content: Buffer): Entry | null {
  if (content.length < ENTRY_HEADER_BYTES) return null
  const kind = (Object.keys(kindCodes) as EntryKind[]).find((name) => kindCodes[name] === content.readUInt8(0))
  if (kind === undefined) return null
  return {
    offset: offset as Offset,
    epoch: content.readUInt32BE(1) as LeaderEpoch,
    kind,
    payload: content.subarray(ENTRY_HEADER_BYTES),
  }
}

