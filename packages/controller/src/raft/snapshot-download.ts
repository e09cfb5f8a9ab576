/** Pulling the leader's snapshot by byte position (KIP-630), and putting it in the place of the log. */
import { assert } from '@kavka/kernel'
import { envelope, epochOf } from './context.ts'
import type { RaftContext } from './context.ts'
import type { FetchSnapshotResponse, FetchSnapshotResult, SnapshotId } from './messages.ts'
import { handleFetchError, isReplica, noteLeaderAnswered, sendFetch } from './pull-requests.ts'
import type { Pull, ReplicaRole } from './roles.ts'

type Download = Extract<Pull, { kind: 'downloading' }>
type Piece = Extract<FetchSnapshotResult, { kind: 'piece' }>

export function startDownload(context: RaftContext, role: ReplicaRole, id: SnapshotId): void {
  assert(role.leaderId !== null, 'only a leader offers a snapshot')
  assert(id.offset > context.highWatermark, 'a snapshot of what this node has', { offset: id.offset })
  const download = { kind: 'downloading', from: role.leaderId, id, pieces: [], position: 0, sequence: 0, retryMs: 0 } as const
  continueDownload(context, role, download)
}

/** Asks for the piece at the position reached. */
export function continueDownload(context: RaftContext, role: ReplicaRole, download: Download): void {
  const { options, nowMs } = context
  const sequence = context.nextSequence++
  role.pull = { ...download, sequence, retryMs: nowMs + options.fetchRetryMs }
  context.outbox.send({
    ...envelope(context, download.from),
    kind: 'fetch-snapshot-request',
    sequence,
    id: download.id,
    position: download.position,
    bytesMax: options.snapshotPieceBytesMax,
  })
}

export function handleFetchSnapshotResponse(context: RaftContext, response: FetchSnapshotResponse): void {
  const { role } = context
  if (!isReplica(role) || role.pull.kind !== 'downloading') return
  if (role.pull.sequence !== response.sequence || role.pull.from !== response.from) return
  const { result } = response
  if (result.kind === 'piece') return takePiece(context, role, role.pull, response, result)
  if (result.error === 'not-leader') return handleFetchError(context, role, response.from)
  // The leader has a newer snapshot by now, or lost count with us: begin again with a fetch.
  sendFetch(context, role)
}

function takePiece(
  context: RaftContext,
  role: ReplicaRole,
  download: Download,
  response: FetchSnapshotResponse,
  piece: Piece,
): void {
  if (response.epoch !== epochOf(context) || response.leaderId !== response.from) return
  noteLeaderAnswered(context, role)
  const position = download.position + piece.bytes.length
  const fits = piece.position === download.position && position <= piece.totalBytes
  const advances = piece.bytes.length > 0 || position === piece.totalBytes
  // Anything else leaves the request unanswered, and so it is sent again after its time.
  if (!fits || !advances || piece.totalBytes > context.options.snapshotBytesMax) return
  const next = { ...download, pieces: [...download.pieces, piece.bytes], position }
  if (position < piece.totalBytes) continueDownload(context, role, next)
  else install(context, role, next)
}

function install(context: RaftContext, role: ReplicaRole, download: Download): void {
  const { id } = download
  assert(context.role.kind !== 'leader', 'a leader never loads a snapshot')
  assert(id.offset > context.highWatermark, 'a snapshot takes nothing back')
  const snapshot = { ...id, bytes: join(download.pieces, download.position) }
  context.log.resetTo(id)
  context.snapshot = snapshot
  context.highWatermark = id.offset
  context.outbox.installSnapshot(snapshot)
  sendFetch(context, role)
}

function join(pieces: readonly Uint8Array[], totalBytes: number): Uint8Array {
  const bytes = new Uint8Array(totalBytes)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
