/** The leader's answers to replicas that pull. */
import { assert } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { envelope, epochOf } from './context.ts'
import type { RaftContext } from './context.ts'
import { advanceHighWatermark, noteVoterFetched } from './leadership.ts'
import type { FetchRequest, FetchResult, FetchSnapshotRequest, FetchSnapshotResult } from './messages.ts'
import { answerFetch, answerReplacedFetch, answerWithEntries, parkFetch } from './parked-fetches.ts'
import { acknowledge, createProgress } from './progress.ts'
import type { Progress } from './progress.ts'
import { leaderOf } from './roles.ts'
import type { LeaderRole } from './roles.ts'

export function handleFetchRequest(context: RaftContext, request: FetchRequest): void {
  const { role } = context
  assert(request.epoch <= epochOf(context), 'the higher epoch was not taken note of')
  if (request.epoch < epochOf(context)) {
    return answerFetch(context, request, { kind: 'error', error: 'fenced-leader-epoch' })
  }
  if (role.kind !== 'leader') return answerFetch(context, request, { kind: 'error', error: 'not-leader' })
  const progress = progressOf(context, role, request.from)
  noteVoterFetched(context, role, request.from)
  answerReplacedFetch(context, progress)
  const difference = differenceFrom(context, request)
  if (difference === null) serve(context, role, progress, request)
  else {
    progress.lastFetchMs = context.nowMs
    answerFetch(context, request, difference)
  }
}

/** The position matches the leader's log: it is an acknowledgment, and asks for more. */
function serve(context: RaftContext, role: LeaderRole, progress: Progress, request: FetchRequest): void {
  const { log } = context
  acknowledge(progress, request.fetchOffset, log.endOffset, context.nowMs)
  advanceHighWatermark(context)
  if (request.fetchOffset < log.endOffset) return answerWithEntries(context, request)
  if (request.highWatermark < context.highWatermark) return answerWithEntries(context, request)
  assert(role === context.role, 'acknowledging does not depose')
  parkFetch(context, progress, request)
}

/** Why the replica cannot just go on from where it stands; null when it can (KIP-595, KIP-630). */
function differenceFrom(context: RaftContext, request: FetchRequest): FetchResult | null {
  const { log, snapshot } = context
  const startsAfresh = request.fetchOffset === 0 && snapshot !== null
  if (startsAfresh || request.fetchOffset < log.start.offset) return offerSnapshot(context)
  if (log.hasPrefix(request.fetchOffset, request.lastFetchedEpoch)) return null
  const end = log.endOfEpoch(request.lastFetchedEpoch)
  if (end === null) return offerSnapshot(context)
  return { kind: 'diverging', epoch: end.epoch, endOffset: end.endOffset }
}

function offerSnapshot({ snapshot, log }: RaftContext): FetchResult {
  assert(snapshot !== null, 'a log that was cut has a snapshot before it')
  assert(snapshot.offset >= log.start.offset, 'snapshot and log must meet')
  return { kind: 'snapshot', id: { offset: snapshot.offset, epoch: snapshot.epoch } }
}

export function handleFetchSnapshotRequest(context: RaftContext, request: FetchSnapshotRequest): void {
  const { role } = context
  if (request.epoch === epochOf(context) && role.kind === 'leader') {
    progressOf(context, role, request.from).lastFetchMs = context.nowMs
    noteVoterFetched(context, role, request.from)
  }
  context.outbox.send({
    ...envelope(context, request.from),
    kind: 'fetch-snapshot-response',
    sequence: request.sequence,
    leaderId: leaderOf(role, context.options.nodeId),
    result: snapshotPiece(context, request),
  })
}

function snapshotPiece(context: RaftContext, request: FetchSnapshotRequest): FetchSnapshotResult {
  const { snapshot, options } = context
  const { id, position } = request
  if (request.epoch < epochOf(context)) return { kind: 'error', error: 'fenced-leader-epoch' }
  if (context.role.kind !== 'leader') return { kind: 'error', error: 'not-leader' }
  if (snapshot === null || snapshot.offset !== id.offset || snapshot.epoch !== id.epoch) {
    return { kind: 'error', error: 'snapshot-not-found' }
  }
  const totalBytes = snapshot.bytes.length
  if (position < 0 || position > totalBytes) return { kind: 'error', error: 'position-out-of-range' }
  const length = Math.min(request.bytesMax, options.snapshotPieceBytesMax)
  return { kind: 'piece', id, position, totalBytes, bytes: snapshot.bytes.subarray(position, position + length) }
}

/** Moves an observer to the end of the map, which is therefore in the order of last fetches. */
function progressOf(context: RaftContext, role: LeaderRole, id: NodeId): Progress {
  const voter = role.voters.get(id)
  if (voter !== undefined) return voter
  const progress = role.observers.get(id) ?? createProgress(id)
  role.observers.delete(id)
  role.observers.set(id, progress)
  forgetObservers(context, role)
  return progress
}

function forgetObservers(context: RaftContext, role: LeaderRole): void {
  const { observersMax, observerSessionMs } = context.options
  for (const [id, progress] of role.observers) {
    const silent = progress.lastFetchMs >= 0 && progress.lastFetchMs < context.nowMs - observerSessionMs
    if (!silent && role.observers.size <= observersMax) return
    answerReplacedFetch(context, progress)
    role.observers.delete(id)
  }
}
