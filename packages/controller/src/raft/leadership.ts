/** Being the leader, apart from answering fetches: epoch start, announcements, high watermark, check quorum, giving up. */
import { assert } from '@kavka/kernel'
import type { NodeId, Offset } from '@kavka/protocol'
import { envelope, epochOf, withJitter } from './context.ts'
import type { RaftContext } from './context.ts'
import type { EntryKind } from './messages.ts'
import { createProgress } from './progress.ts'
import { offsetAfter } from './raft-log.ts'
import type { LeaderRole } from './roles.ts'
import { changeRole, setHardState } from './transitions.ts'

/** A leader waits longer than its followers, so that they give up first (KIP-595). */
const QUORUM_PATIENCE = 1.5

export function becomeLeader(context: RaftContext): void {
  const { options, voters, log, nowMs } = context
  assert(context.role.kind === 'candidate', 'only a candidate becomes leader', { role: context.role.kind })
  assert(context.hardState.votedFor === options.nodeId, 'a leader has voted for itself')
  assert(context.outbox.hardStateIsDurable, 'a leader leads in an epoch it cannot forget')
  setHardState(context, { ...context.hardState, leaderId: options.nodeId })
  const others = voters.others(options.nodeId)
  changeRole(context, {
    kind: 'leader',
    epochStartOffset: log.endOffset,
    voters: new Map(others.map((id) => [id, createProgress(id)])),
    observers: new Map(),
    fetchedSinceQuorum: new Set(),
    quorumDeadlineMs: others.length === 0 ? Infinity : nowMs + QUORUM_PATIENCE * options.fetchTimeoutMs,
    nextAnnouncementMs: others.length === 0 ? Infinity : nowMs + options.fetchTimeoutMs / 2,
    news: false,
  })
  appendAsLeader(context, 'leader-change', [leaderChangePayload(options.nodeId)])
  for (const to of others) announce(context, to)
}

function leaderChangePayload(nodeId: NodeId): Uint8Array {
  return Uint8Array.of(nodeId >>> 24, nodeId >>> 16, nodeId >>> 8, nodeId)
}

/** Appends entries of the current epoch; returns the offset of the first. */
export function appendAsLeader(context: RaftContext, kind: EntryKind, payloads: readonly Uint8Array[]): Offset {
  const { log, role } = context
  assert(role.kind === 'leader', 'only a leader appends')
  const baseOffset = log.endOffset
  const epoch = epochOf(context)
  log.append(payloads.map((payload, i) => ({ offset: offsetAfter(baseOffset, i), epoch, kind, payload })))
  role.news = true
  return baseOffset
}

export function announce(context: RaftContext, to: NodeId): void {
  context.outbox.send({ ...envelope(context, to), kind: 'begin-quorum-epoch' })
}

/** Tells voters that do not fetch who leads; they may have missed it. */
export function announceToSilentVoters(context: RaftContext, role: LeaderRole): void {
  const intervalMs = context.options.fetchTimeoutMs / 2
  role.nextAnnouncementMs = context.nowMs + intervalMs
  for (const [id, progress] of role.voters) {
    if (progress.lastFetchMs < context.nowMs - intervalMs) announce(context, id)
  }
}

/** The majority rule (Raft §5.3, §5.4.2): what a majority of voters, this one included, has synced is committed. */
export function advanceHighWatermark(context: RaftContext): void {
  const { role, log, options } = context
  if (role.kind !== 'leader') return
  const reached = context.voters.majorityEndOffset((id) =>
    id === options.nodeId ? log.syncedEnd : (role.voters.get(id)?.endOffset ?? (0 as Offset)),
  )
  // Entries of older epochs are committed only along with the first of this one: a majority that holds them alone may still
  // lose them to a leader that does not (Raft figure 8).
  if (reached <= context.highWatermark || reached <= role.epochStartOffset) return
  assert(reached <= log.endOffset, 'committed beyond the log', { reached, end: log.endOffset })
  context.highWatermark = reached
  role.news = true
}

/** A voter fetched: the leader still leads somebody. */
export function noteVoterFetched(context: RaftContext, role: LeaderRole, id: NodeId): void {
  const { options, voters } = context
  if (!voters.has(id)) return
  role.fetchedSinceQuorum.add(id)
  role.fetchedSinceQuorum.add(options.nodeId)
  if (!voters.isMajority(role.fetchedSinceQuorum)) return
  role.fetchedSinceQuorum.clear()
  role.quorumDeadlineMs = context.nowMs + QUORUM_PATIENCE * options.fetchTimeoutMs
}

/** Gives up leadership in this epoch for good, and says so, naming the voters that should stand first. */
export function resign(context: RaftContext, role: LeaderRole): void {
  const { options, nowMs } = context
  const preferredSuccessors = [...role.voters.values()]
    .toSorted((a, b) => (b.endOffset ?? -1) - (a.endOffset ?? -1))
    .map(({ nodeId }) => nodeId)
  changeRole(context, {
    kind: 'resigned',
    electionDeadlineMs: nowMs + withJitter(context, options.electionTimeoutMs),
  })
  for (const to of preferredSuccessors) {
    context.outbox.send({ ...envelope(context, to), kind: 'end-quorum-epoch', preferredSuccessors })
  }
}
