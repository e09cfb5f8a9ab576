// Generated from proto/kavka/internal/v1/raft.proto by scripts/gen-proto.mjs. Do not edit.
import type { Reader, Writer } from 'protobufjs'
import { NO_BYTES, enumLabel, exactEnd, roomFor, safeInteger } from '../proto-runtime.ts'

export type VotePhase = 'pre-vote' | 'vote'

const votePhaseNumbers: Readonly<Record<VotePhase, number>> = { 'pre-vote': 1, 'vote': 2 }
const votePhaseLabels: ReadonlyMap<number, VotePhase> = new Map([[1, 'pre-vote'], [2, 'vote']])

export type EntryKind = 'leader-change' | 'data'

const entryKindNumbers: Readonly<Record<EntryKind, number>> = { 'leader-change': 1, 'data': 2 }
const entryKindLabels: ReadonlyMap<number, EntryKind> = new Map([[1, 'leader-change'], [2, 'data']])

export type QuorumError = 'fenced-leader-epoch' | 'not-leader' | 'snapshot-not-found' | 'position-out-of-range'

const quorumErrorNumbers: Readonly<Record<QuorumError, number>> = { 'fenced-leader-epoch': 1, 'not-leader': 2, 'snapshot-not-found': 3, 'position-out-of-range': 4 }
const quorumErrorLabels: ReadonlyMap<number, QuorumError> = new Map([[1, 'fenced-leader-epoch'], [2, 'not-leader'], [3, 'snapshot-not-found'], [4, 'position-out-of-range']])

export interface RaftMessage {
  readonly clusterId: string
  readonly from: number
  readonly to: number
  readonly epoch: number
  readonly body:
    | { readonly kind: 'voteRequest'; readonly value: VoteRequest }
    | { readonly kind: 'voteResponse'; readonly value: VoteResponse }
    | { readonly kind: 'beginQuorumEpoch'; readonly value: BeginQuorumEpoch }
    | { readonly kind: 'beginQuorumEpochResponse'; readonly value: BeginQuorumEpochResponse }
    | { readonly kind: 'endQuorumEpoch'; readonly value: EndQuorumEpoch }
    | { readonly kind: 'fetchRequest'; readonly value: FetchRequest }
    | { readonly kind: 'fetchResponse'; readonly value: FetchResponse }
    | { readonly kind: 'fetchSnapshotRequest'; readonly value: FetchSnapshotRequest }
    | { readonly kind: 'fetchSnapshotResponse'; readonly value: FetchSnapshotResponse }
    | null
}

export function encodeRaftMessage(message: RaftMessage, writer: Writer): Writer {
  if (message.clusterId !== '') writer.uint32(10).string(message.clusterId)
  if (message.from !== 0) writer.uint32(16).int32(message.from)
  if (message.to !== 0) writer.uint32(24).int32(message.to)
  if (message.epoch !== 0) writer.uint32(32).int32(message.epoch)
  switch (message.body?.kind) {
    case 'voteRequest':
      encodeVoteRequest(message.body.value, writer.uint32(82).fork()).ldelim()
      break
    case 'voteResponse':
      encodeVoteResponse(message.body.value, writer.uint32(90).fork()).ldelim()
      break
    case 'beginQuorumEpoch':
      encodeBeginQuorumEpoch(message.body.value, writer.uint32(98).fork()).ldelim()
      break
    case 'beginQuorumEpochResponse':
      encodeBeginQuorumEpochResponse(message.body.value, writer.uint32(106).fork()).ldelim()
      break
    case 'endQuorumEpoch':
      encodeEndQuorumEpoch(message.body.value, writer.uint32(114).fork()).ldelim()
      break
    case 'fetchRequest':
      encodeFetchRequest(message.body.value, writer.uint32(122).fork()).ldelim()
      break
    case 'fetchResponse':
      encodeFetchResponse(message.body.value, writer.uint32(130).fork()).ldelim()
      break
    case 'fetchSnapshotRequest':
      encodeFetchSnapshotRequest(message.body.value, writer.uint32(138).fork()).ldelim()
      break
    case 'fetchSnapshotResponse':
      encodeFetchSnapshotResponse(message.body.value, writer.uint32(146).fork()).ldelim()
      break
    case undefined:
  }
  return writer
}

export function decodeRaftMessage(reader: Reader, end: number): RaftMessage {
  let clusterId: string = ''
  let from: number = 0
  let to: number = 0
  let epoch: number = 0
  let body: RaftMessage['body'] = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        clusterId = reader.string()
        break
      case 16:
        from = reader.int32()
        break
      case 24:
        to = reader.int32()
        break
      case 32:
        epoch = reader.int32()
        break
      case 82:
        body = { kind: 'voteRequest', value: decodeVoteRequest(reader, reader.uint32() + reader.pos) }
        break
      case 90:
        body = { kind: 'voteResponse', value: decodeVoteResponse(reader, reader.uint32() + reader.pos) }
        break
      case 98:
        body = { kind: 'beginQuorumEpoch', value: decodeBeginQuorumEpoch(reader, reader.uint32() + reader.pos) }
        break
      case 106:
        body = { kind: 'beginQuorumEpochResponse', value: decodeBeginQuorumEpochResponse(reader, reader.uint32() + reader.pos) }
        break
      case 114:
        body = { kind: 'endQuorumEpoch', value: decodeEndQuorumEpoch(reader, reader.uint32() + reader.pos) }
        break
      case 122:
        body = { kind: 'fetchRequest', value: decodeFetchRequest(reader, reader.uint32() + reader.pos) }
        break
      case 130:
        body = { kind: 'fetchResponse', value: decodeFetchResponse(reader, reader.uint32() + reader.pos) }
        break
      case 138:
        body = { kind: 'fetchSnapshotRequest', value: decodeFetchSnapshotRequest(reader, reader.uint32() + reader.pos) }
        break
      case 146:
        body = { kind: 'fetchSnapshotResponse', value: decodeFetchSnapshotResponse(reader, reader.uint32() + reader.pos) }
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { clusterId, from, to, epoch, body }
}

export interface VoteRequest {
  readonly phase: VotePhase | null
  readonly lastEpoch: number
  readonly logEndOffset: number
}

export function encodeVoteRequest(message: VoteRequest, writer: Writer): Writer {
  if (message.phase !== null) writer.uint32(8).int32(votePhaseNumbers[message.phase])
  if (message.lastEpoch !== 0) writer.uint32(16).int32(message.lastEpoch)
  if (message.logEndOffset !== 0) writer.uint32(24).int64(message.logEndOffset)
  return writer
}

export function decodeVoteRequest(reader: Reader, end: number): VoteRequest {
  let phase: VotePhase | null = null
  let lastEpoch: number = 0
  let logEndOffset: number = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        phase = enumLabel(votePhaseLabels, reader.int32(), 'VotePhase')
        break
      case 16:
        lastEpoch = reader.int32()
        break
      case 24:
        logEndOffset = safeInteger(reader.int64())
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { phase, lastEpoch, logEndOffset }
}

export interface VoteResponse {
  readonly phase: VotePhase | null
  readonly granted: boolean
  readonly leaderId: number | null
}

export function encodeVoteResponse(message: VoteResponse, writer: Writer): Writer {
  if (message.phase !== null) writer.uint32(8).int32(votePhaseNumbers[message.phase])
  if (message.granted) writer.uint32(16).bool(message.granted)
  if (message.leaderId !== null) writer.uint32(24).int32(message.leaderId)
  return writer
}

export function decodeVoteResponse(reader: Reader, end: number): VoteResponse {
  let phase: VotePhase | null = null
  let granted: boolean = false
  let leaderId: number | null = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        phase = enumLabel(votePhaseLabels, reader.int32(), 'VotePhase')
        break
      case 16:
        granted = reader.bool()
        break
      case 24:
        leaderId = reader.int32()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { phase, granted, leaderId }
}

export type BeginQuorumEpoch = Readonly<Record<string, never>>

export function encodeBeginQuorumEpoch(_message: BeginQuorumEpoch, writer: Writer): Writer {
  return writer
}

export function decodeBeginQuorumEpoch(reader: Reader, end: number): BeginQuorumEpoch {
  while (reader.pos < end) {
    reader.skipType(reader.uint32() & 7)
  }
  exactEnd(reader, end)
  return {}
}

export interface BeginQuorumEpochResponse {
  readonly leaderId: number | null
}

export function encodeBeginQuorumEpochResponse(message: BeginQuorumEpochResponse, writer: Writer): Writer {
  if (message.leaderId !== null) writer.uint32(8).int32(message.leaderId)
  return writer
}

export function decodeBeginQuorumEpochResponse(reader: Reader, end: number): BeginQuorumEpochResponse {
  let leaderId: number | null = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        leaderId = reader.int32()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { leaderId }
}

export interface EndQuorumEpoch {
  readonly preferredSuccessors: readonly number[]
}

export function encodeEndQuorumEpoch(message: EndQuorumEpoch, writer: Writer): Writer {
  if (message.preferredSuccessors.length > 0) {
    writer.uint32(10).fork()
    for (const element of message.preferredSuccessors) writer.int32(element)
    writer.ldelim()
  }
  return writer
}

export function decodeEndQuorumEpoch(reader: Reader, end: number): EndQuorumEpoch {
  const preferredSuccessors: number[] = []
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        roomFor(preferredSuccessors).push(reader.int32())
        break
      case 10: {
        const packedEnd = reader.uint32() + reader.pos
        while (reader.pos < packedEnd) roomFor(preferredSuccessors).push(reader.int32())
        break
      }
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { preferredSuccessors }
}

export interface FetchRequest {
  readonly sequence: number
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  readonly bytesMax: number
  readonly highWatermark: number
}

export function encodeFetchRequest(message: FetchRequest, writer: Writer): Writer {
  if (message.sequence !== 0) writer.uint32(8).int64(message.sequence)
  if (message.fetchOffset !== 0) writer.uint32(16).int64(message.fetchOffset)
  if (message.lastFetchedEpoch !== 0) writer.uint32(24).int32(message.lastFetchedEpoch)
  if (message.bytesMax !== 0) writer.uint32(32).int64(message.bytesMax)
  if (message.highWatermark !== 0) writer.uint32(40).int64(message.highWatermark)
  return writer
}

export function decodeFetchRequest(reader: Reader, end: number): FetchRequest {
  let sequence: number = 0
  let fetchOffset: number = 0
  let lastFetchedEpoch: number = 0
  let bytesMax: number = 0
  let highWatermark: number = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        sequence = safeInteger(reader.int64())
        break
      case 16:
        fetchOffset = safeInteger(reader.int64())
        break
      case 24:
        lastFetchedEpoch = reader.int32()
        break
      case 32:
        bytesMax = safeInteger(reader.int64())
        break
      case 40:
        highWatermark = safeInteger(reader.int64())
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { sequence, fetchOffset, lastFetchedEpoch, bytesMax, highWatermark }
}

export interface FetchResponse {
  readonly sequence: number
  readonly leaderId: number | null
  readonly highWatermark: number
  readonly result:
    | { readonly kind: 'entries'; readonly value: Entries }
    | { readonly kind: 'diverging'; readonly value: DivergingEpoch }
    | { readonly kind: 'snapshot'; readonly value: SnapshotId }
    | { readonly kind: 'error'; readonly value: QuorumError }
    | null
}

export function encodeFetchResponse(message: FetchResponse, writer: Writer): Writer {
  if (message.sequence !== 0) writer.uint32(8).int64(message.sequence)
  if (message.leaderId !== null) writer.uint32(16).int32(message.leaderId)
  if (message.highWatermark !== 0) writer.uint32(24).int64(message.highWatermark)
  switch (message.result?.kind) {
    case 'entries':
      encodeEntries(message.result.value, writer.uint32(34).fork()).ldelim()
      break
    case 'diverging':
      encodeDivergingEpoch(message.result.value, writer.uint32(42).fork()).ldelim()
      break
    case 'snapshot':
      encodeSnapshotId(message.result.value, writer.uint32(50).fork()).ldelim()
      break
    case 'error':
      writer.uint32(56).int32(quorumErrorNumbers[message.result.value])
      break
    case undefined:
  }
  return writer
}

export function decodeFetchResponse(reader: Reader, end: number): FetchResponse {
  let sequence: number = 0
  let leaderId: number | null = null
  let highWatermark: number = 0
  let result: FetchResponse['result'] = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        sequence = safeInteger(reader.int64())
        break
      case 16:
        leaderId = reader.int32()
        break
      case 24:
        highWatermark = safeInteger(reader.int64())
        break
      case 34:
        result = { kind: 'entries', value: decodeEntries(reader, reader.uint32() + reader.pos) }
        break
      case 42:
        result = { kind: 'diverging', value: decodeDivergingEpoch(reader, reader.uint32() + reader.pos) }
        break
      case 50:
        result = { kind: 'snapshot', value: decodeSnapshotId(reader, reader.uint32() + reader.pos) }
        break
      case 56:
        result = { kind: 'error', value: enumLabel(quorumErrorLabels, reader.int32(), 'QuorumError') }
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { sequence, leaderId, highWatermark, result }
}

export interface Entries {
  readonly entries: readonly Entry[]
}

export function encodeEntries(message: Entries, writer: Writer): Writer {
  for (const element of message.entries) encodeEntry(element, writer.uint32(10).fork()).ldelim()
  return writer
}

export function decodeEntries(reader: Reader, end: number): Entries {
  const entries: Entry[] = []
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        roomFor(entries).push(decodeEntry(reader, reader.uint32() + reader.pos))
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { entries }
}

export interface Entry {
  readonly offset: number
  readonly epoch: number
  readonly kind: EntryKind | null
  readonly payload: Uint8Array
}

export function encodeEntry(message: Entry, writer: Writer): Writer {
  if (message.offset !== 0) writer.uint32(8).int64(message.offset)
  if (message.epoch !== 0) writer.uint32(16).int32(message.epoch)
  if (message.kind !== null) writer.uint32(24).int32(entryKindNumbers[message.kind])
  if (message.payload.length > 0) writer.uint32(34).bytes(message.payload)
  return writer
}

export function decodeEntry(reader: Reader, end: number): Entry {
  let offset: number = 0
  let epoch: number = 0
  let kind: EntryKind | null = null
  let payload: Uint8Array = NO_BYTES
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        offset = safeInteger(reader.int64())
        break
      case 16:
        epoch = reader.int32()
        break
      case 24:
        kind = enumLabel(entryKindLabels, reader.int32(), 'EntryKind')
        break
      case 34:
        payload = reader.bytes()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { offset, epoch, kind, payload }
}

export interface DivergingEpoch {
  readonly epoch: number
  readonly endOffset: number
}

export function encodeDivergingEpoch(message: DivergingEpoch, writer: Writer): Writer {
  if (message.epoch !== 0) writer.uint32(8).int32(message.epoch)
  if (message.endOffset !== 0) writer.uint32(16).int64(message.endOffset)
  return writer
}

export function decodeDivergingEpoch(reader: Reader, end: number): DivergingEpoch {
  let epoch: number = 0
  let endOffset: number = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        epoch = reader.int32()
        break
      case 16:
        endOffset = safeInteger(reader.int64())
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { epoch, endOffset }
}

export interface SnapshotId {
  readonly offset: number
  readonly epoch: number
}

export function encodeSnapshotId(message: SnapshotId, writer: Writer): Writer {
  if (message.offset !== 0) writer.uint32(8).int64(message.offset)
  if (message.epoch !== 0) writer.uint32(16).int32(message.epoch)
  return writer
}

export function decodeSnapshotId(reader: Reader, end: number): SnapshotId {
  let offset: number = 0
  let epoch: number = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        offset = safeInteger(reader.int64())
        break
      case 16:
        epoch = reader.int32()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { offset, epoch }
}

export interface FetchSnapshotRequest {
  readonly sequence: number
  readonly id: SnapshotId | null
  readonly position: number
  readonly bytesMax: number
}

export function encodeFetchSnapshotRequest(message: FetchSnapshotRequest, writer: Writer): Writer {
  if (message.sequence !== 0) writer.uint32(8).int64(message.sequence)
  if (message.id !== null) encodeSnapshotId(message.id, writer.uint32(18).fork()).ldelim()
  if (message.position !== 0) writer.uint32(24).int64(message.position)
  if (message.bytesMax !== 0) writer.uint32(32).int64(message.bytesMax)
  return writer
}

export function decodeFetchSnapshotRequest(reader: Reader, end: number): FetchSnapshotRequest {
  let sequence: number = 0
  let id: SnapshotId | null = null
  let position: number = 0
  let bytesMax: number = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        sequence = safeInteger(reader.int64())
        break
      case 18:
        id = decodeSnapshotId(reader, reader.uint32() + reader.pos)
        break
      case 24:
        position = safeInteger(reader.int64())
        break
      case 32:
        bytesMax = safeInteger(reader.int64())
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { sequence, id, position, bytesMax }
}

export interface FetchSnapshotResponse {
  readonly sequence: number
  readonly leaderId: number | null
  readonly result:
    | { readonly kind: 'piece'; readonly value: SnapshotPiece }
    | { readonly kind: 'error'; readonly value: QuorumError }
    | null
}

export function encodeFetchSnapshotResponse(message: FetchSnapshotResponse, writer: Writer): Writer {
  if (message.sequence !== 0) writer.uint32(8).int64(message.sequence)
  if (message.leaderId !== null) writer.uint32(16).int32(message.leaderId)
  switch (message.result?.kind) {
    case 'piece':
      encodeSnapshotPiece(message.result.value, writer.uint32(26).fork()).ldelim()
      break
    case 'error':
      writer.uint32(32).int32(quorumErrorNumbers[message.result.value])
      break
    case undefined:
  }
  return writer
}

export function decodeFetchSnapshotResponse(reader: Reader, end: number): FetchSnapshotResponse {
  let sequence: number = 0
  let leaderId: number | null = null
  let result: FetchSnapshotResponse['result'] = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        sequence = safeInteger(reader.int64())
        break
      case 16:
        leaderId = reader.int32()
        break
      case 26:
        result = { kind: 'piece', value: decodeSnapshotPiece(reader, reader.uint32() + reader.pos) }
        break
      case 32:
        result = { kind: 'error', value: enumLabel(quorumErrorLabels, reader.int32(), 'QuorumError') }
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { sequence, leaderId, result }
}

export interface SnapshotPiece {
  readonly id: SnapshotId | null
  readonly position: number
  readonly bytes: Uint8Array
  readonly totalBytes: number
}

export function encodeSnapshotPiece(message: SnapshotPiece, writer: Writer): Writer {
  if (message.id !== null) encodeSnapshotId(message.id, writer.uint32(10).fork()).ldelim()
  if (message.position !== 0) writer.uint32(16).int64(message.position)
  if (message.bytes.length > 0) writer.uint32(26).bytes(message.bytes)
  if (message.totalBytes !== 0) writer.uint32(32).int64(message.totalBytes)
  return writer
}

export function decodeSnapshotPiece(reader: Reader, end: number): SnapshotPiece {
  let id: SnapshotId | null = null
  let position: number = 0
  let bytes: Uint8Array = NO_BYTES
  let totalBytes: number = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        id = decodeSnapshotId(reader, reader.uint32() + reader.pos)
        break
      case 16:
        position = safeInteger(reader.int64())
        break
      case 26:
        bytes = reader.bytes()
        break
      case 32:
        totalBytes = safeInteger(reader.int64())
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { id, position, bytes, totalBytes }
}
