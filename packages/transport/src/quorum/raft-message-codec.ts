/** The quorum's messages ⇄ protobuf (proto/kavka/internal/v1/raft.proto). */
import { assertNever } from '@kavka/kernel'
import type { Entry, FetchResult, FetchSnapshotResult, RaftMessage, SnapshotId } from '@kavka/controller'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import type * as wire from '../gen/raft.ts'
import { decodeRaftMessage as decodeWire, encodeRaftMessage as encodeWire } from '../gen/raft.ts'
import { WireDecodeError, decodeProto, encodeProto, required } from '../proto-runtime.ts'

export function encodeRaftMessage(message: RaftMessage): Buffer {
  const { clusterId, from, to, epoch } = message
  return encodeProto(encodeWire, { clusterId, from, to, epoch, body: bodyOf(message) })
}

/** Throws WireDecodeError when `bytes` is no message of the quorum. Payloads are views of `bytes`. */
export function decodeRaftMessage(bytes: Uint8Array): RaftMessage {
  const message = decodeProto(decodeWire, bytes)
  const envelope = {
    clusterId: message.clusterId,
    from: nodeIdOf(message.from),
    to: nodeIdOf(message.to),
    epoch: epochOf(message.epoch),
  }
  return { ...envelope, ...contentOf(required(message.body, 'body')) }
}

type WireBody = wire.RaftMessage['body']
type Content = RaftMessage extends infer M ? (M extends RaftMessage ? Omit<M, 'clusterId' | 'from' | 'to' | 'epoch'> : never) : never

function bodyOf(message: RaftMessage): WireBody {
  switch (message.kind) {
    case 'vote-request':
      return { kind: 'voteRequest', value: message }
    case 'vote-response':
      return { kind: 'voteResponse', value: message }
    case 'begin-quorum-epoch':
      return { kind: 'beginQuorumEpoch', value: {} }
    case 'begin-quorum-epoch-response':
      return { kind: 'beginQuorumEpochResponse', value: message }
    case 'end-quorum-epoch':
      return { kind: 'endQuorumEpoch', value: message }
    case 'fetch-request':
      return { kind: 'fetchRequest', value: message }
    case 'fetch-response':
      return { kind: 'fetchResponse', value: { ...message, result: fetchResultOf(message.result) } }
    case 'fetch-snapshot-request':
      return { kind: 'fetchSnapshotRequest', value: message }
    case 'fetch-snapshot-response':
      return { kind: 'fetchSnapshotResponse', value: { ...message, result: snapshotResultOf(message.result) } }
    default:
      return assertNever(message)
  }
}

function fetchResultOf(result: FetchResult): wire.FetchResponse['result'] {
  switch (result.kind) {
    case 'entries':
      return { kind: 'entries', value: { entries: result.entries } }
    case 'diverging':
      return { kind: 'diverging', value: result }
    case 'snapshot':
      return { kind: 'snapshot', value: result.id }
    case 'error':
      return { kind: 'error', value: result.error }
    default:
      return assertNever(result)
  }
}

function snapshotResultOf(result: FetchSnapshotResult): wire.FetchSnapshotResponse['result'] {
  if (result.kind === 'piece') return { kind: 'piece', value: result }
  return { kind: 'error', value: result.error }
}

function contentOf(body: NonNullable<WireBody>): Content {
  switch (body.kind) {
    case 'voteRequest':
      return voteRequestFrom(body.value)
    case 'voteResponse':
      return voteResponseFrom(body.value)
    case 'beginQuorumEpoch':
      return { kind: 'begin-quorum-epoch' }
    case 'beginQuorumEpochResponse':
      return { kind: 'begin-quorum-epoch-response', leaderId: leaderOf(body.value) }
    case 'endQuorumEpoch':
      return { kind: 'end-quorum-epoch', preferredSuccessors: body.value.preferredSuccessors.map(nodeIdOf) }
    case 'fetchRequest':
      return fetchRequestFrom(body.value)
    case 'fetchResponse':
      return fetchResponseFrom(body.value)
    case 'fetchSnapshotRequest':
      return fetchSnapshotRequestFrom(body.value)
    case 'fetchSnapshotResponse':
      return fetchSnapshotResponseFrom(body.value)
    default:
      return assertNever(body)
  }
}

function voteRequestFrom(value: wire.VoteRequest): Content {
  return {
    kind: 'vote-request',
    phase: required(value.phase, 'phase'),
    lastEpoch: epochOf(value.lastEpoch),
    logEndOffset: offsetOf(value.logEndOffset),
  }
}

function voteResponseFrom(value: wire.VoteResponse): Content {
  return {
    kind: 'vote-response',
    phase: required(value.phase, 'phase'),
    granted: value.granted,
    leaderId: leaderOf(value),
  }
}

function fetchRequestFrom(value: wire.FetchRequest): Content {
  return {
    kind: 'fetch-request',
    sequence: countOf(value.sequence),
    fetchOffset: offsetOf(value.fetchOffset),
    lastFetchedEpoch: epochOf(value.lastFetchedEpoch),
    bytesMax: countOf(value.bytesMax),
    highWatermark: offsetOf(value.highWatermark),
  }
}

function fetchResponseFrom(value: wire.FetchResponse): Content {
  return {
    kind: 'fetch-response',
    sequence: countOf(value.sequence),
    leaderId: leaderOf(value),
    highWatermark: offsetOf(value.highWatermark),
    result: fetchResultFrom(required(value.result, 'result')),
  }
}

function fetchResultFrom(result: NonNullable<wire.FetchResponse['result']>): FetchResult {
  switch (result.kind) {
    case 'entries':
      return { kind: 'entries', entries: result.value.entries.map(entryFrom) }
    case 'diverging':
      return { kind: 'diverging', epoch: epochOf(result.value.epoch), endOffset: offsetOf(result.value.endOffset) }
    case 'snapshot':
      return { kind: 'snapshot', id: snapshotIdFrom(result.value) }
    case 'error':
      return { kind: 'error', error: result.value }
    default:
      return assertNever(result)
  }
}

function fetchSnapshotRequestFrom(value: wire.FetchSnapshotRequest): Content {
  return {
    kind: 'fetch-snapshot-request',
    sequence: countOf(value.sequence),
    id: snapshotIdFrom(required(value.id, 'id')),
    position: countOf(value.position),
    bytesMax: countOf(value.bytesMax),
  }
}

function fetchSnapshotResponseFrom(value: wire.FetchSnapshotResponse): Content {
  return {
    kind: 'fetch-snapshot-response',
    sequence: countOf(value.sequence),
    leaderId: leaderOf(value),
    result: snapshotResultFrom(required(value.result, 'result')),
  }
}

function snapshotResultFrom(result: NonNullable<wire.FetchSnapshotResponse['result']>): FetchSnapshotResult {
  if (result.kind === 'error') return { kind: 'error', error: result.value }
  const { id, position, bytes, totalBytes } = result.value
  return {
    kind: 'piece',
    id: snapshotIdFrom(required(id, 'id')),
    position: countOf(position),
    bytes,
    totalBytes: countOf(totalBytes),
  }
}

function entryFrom(entry: wire.Entry): Entry {
  const { offset, epoch, kind, payload } = entry
  return { offset: offsetOf(offset), epoch: epochOf(epoch), kind: required(kind, 'kind'), payload }
}

function snapshotIdFrom(id: wire.SnapshotId): SnapshotId {
  return { offset: offsetOf(id.offset), epoch: epochOf(id.epoch) }
}

function leaderOf(value: { readonly leaderId: number | null }): NodeId | null {
  return value.leaderId === null ? null : nodeIdOf(value.leaderId)
}

function countOf(value: number): number {
  if (value < 0) throw new WireDecodeError(`negative number ${value}`)
  return value
}

function nodeIdOf(value: number): NodeId {
  return countOf(value) as NodeId
}

function epochOf(value: number): LeaderEpoch {
  return countOf(value) as LeaderEpoch
}

function offsetOf(value: number): Offset {
  return countOf(value) as Offset
}
