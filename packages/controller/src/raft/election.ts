/** Votes: asking for them, giving them, counting them (Raft §5.2, §9.6; KIP-595; KIP-996). */
import { assert } from '@kavka/kernel'
import type { LeaderEpoch } from '@kavka/protocol'
import { envelope, epochOf, withJitter } from './context.ts'
import type { RaftContext } from './context.ts'
import { becomeLeader } from './leadership.ts'
import type { VotePhase, VoteRequest, VoteResponse } from './messages.ts'
import { leaderOf } from './roles.ts'
import type { CandidateRole } from './roles.ts'
import { becomeLeaderless, changeRole, enterEpoch, isVoter, setHardState } from './transitions.ts'

const BACKOFF_MS_MIN = 50

/** Wait before attempt `attempt + 1`: doubles, is bounded, and has jitter. */
function backoffMs(context: RaftContext, attempt: number): number {
  const baseMs = BACKOFF_MS_MIN * 2 ** Math.min(attempt, 10)
  return withJitter(context, Math.min(baseMs, context.options.electionBackoffMsMax / 2))
}

/** Asks all voters whether they would vote for this node; alone, it simply stands. */
export function startPreVote(context: RaftContext, attempt: number): void {
  const { nodeId } = context.options
  assert(isVoter(context), 'only voters stand for election')
  assert(context.role.kind !== 'leader', 'a leader does not stand for election')
  if (context.voters.isOnly(nodeId)) return becomeCandidate(context, attempt)
  changeRole(context, {
    kind: 'prospective',
    granted: new Set([nodeId]),
    attempt,
    nextAttemptMs: context.nowMs + backoffMs(context, attempt),
  })
  for (const to of context.voters.others(nodeId)) sendVoteRequest(context, to, 'pre-vote')
}

/** Stays out of it for a while, then asks again. */
function backOff(context: RaftContext, attempt: number): void {
  changeRole(context, {
    kind: 'prospective',
    granted: new Set(),
    attempt,
    nextAttemptMs: context.nowMs + backoffMs(context, attempt),
  })
}

function becomeCandidate(context: RaftContext, attempt: number): void {
  const { nodeId, electionTimeoutMs } = context.options
  enterEpoch(context, (epochOf(context) + 1) as LeaderEpoch)
  setHardState(context, { ...context.hardState, votedFor: nodeId })
  changeRole(context, {
    kind: 'candidate',
    attempt,
    granted: new Set(),
    refused: new Set(),
    roundDeadlineMs: context.nowMs + withJitter(context, electionTimeoutMs),
    resends: 0,
    nextResendMs: context.nowMs + backoffMs(context, attempt + 1),
  })
  for (const to of context.voters.others(nodeId)) sendVoteRequest(context, to, 'vote')
}

export function sendVoteRequest(context: RaftContext, to: VoteRequest['to'], phase: VotePhase): void {
  const { log } = context
  context.outbox.send({
    ...envelope(context, to),
    kind: 'vote-request',
    phase,
    lastEpoch: log.lastEpoch,
    logEndOffset: log.endOffset,
  })
}

/** A candidate asks again those that have not answered; once refused, it rather begins anew than waits for the silent ones. */
export function resendVoteRequests(context: RaftContext, role: CandidateRole): void {
  if (role.refused.size > 0) return backOff(context, role.attempt + 1)
  role.resends++
  role.nextResendMs = context.nowMs + backoffMs(context, role.resends + 1)
  for (const to of context.voters.others(context.options.nodeId)) {
    if (!role.granted.has(to) && !role.refused.has(to)) sendVoteRequest(context, to, 'vote')
  }
}

/** The candidate's own vote counts when it can no longer be forgotten. */
export function countOwnVote(context: RaftContext): void {
  const { role, options, outbox } = context
  if (role.kind !== 'candidate' || !outbox.hardStateIsDurable) return
  role.granted.add(options.nodeId)
  if (context.voters.isMajority(role.granted)) becomeLeader(context)
}

export function handleVoteRequest(context: RaftContext, request: VoteRequest): void {
  const upToDate = isUpToDate(context, request)
  const eligible =
    request.epoch === epochOf(context) && isVoter(context) && context.voters.has(request.from)
  const granted =
    eligible && upToDate && (request.phase === 'pre-vote' ? wouldVote(context) : mayVoteFor(context, request))
  if (granted && request.phase === 'vote') giveVote(context, request)
  if (granted && request.phase === 'pre-vote') deferElection(context, request)
  // Nobody with a shorter log can win while this node is needed for the majority: better to stand than to wait.
  if (eligible && !upToDate) hastenElection(context)
  context.outbox.send({
    ...envelope(context, request.from),
    kind: 'vote-response',
    phase: request.phase,
    granted,
    leaderId: leaderOf(context.role, context.options.nodeId),
  })
}

/** Raft §5.4.1: the log that ends in the higher epoch, or is longer in the same one, is more up to date. */
function isUpToDate({ log }: RaftContext, request: VoteRequest): boolean {
  if (request.lastEpoch !== log.lastEpoch) return request.lastEpoch > log.lastEpoch
  return request.logEndOffset >= log.endOffset
}

/** Whoever has a live leader would not vote: that is what keeps a node with a bad connection from deposing it. */
function wouldVote({ role }: RaftContext): boolean {
  return role.kind !== 'leader' && !(role.kind === 'follower' && role.hasFetched)
}

function mayVoteFor(context: RaftContext, request: VoteRequest): boolean {
  const { votedFor } = context.hardState
  if (votedFor !== null) return votedFor === request.from
  return leaderOf(context.role, context.options.nodeId) === null
}

function giveVote(context: RaftContext, request: VoteRequest): void {
  if (context.hardState.votedFor === request.from) return
  setHardState(context, { ...context.hardState, votedFor: request.from })
  becomeLeaderless(context, withJitter(context, context.options.electionTimeoutMs))
}

/**
 * Two voters that notice a dead leader at the same moment should not split the vote: who was asked first lets the other try.
 * When both ask at once, each grants the other's pre-vote and both would stand; so the one with the higher id takes its own
 * attempt back. It has granted the other's, so nothing is lost but a moment if the other fails.
 */
function deferElection(context: RaftContext, request: VoteRequest): void {
  const { role, nowMs, options } = context
  const notBeforeMs = nowMs + withJitter(context, BACKOFF_MS_MIN)
  if (role.kind === 'unattached') role.electionDeadlineMs = Math.max(role.electionDeadlineMs, notBeforeMs)
  if (role.kind !== 'prospective') return
  role.nextAttemptMs = Math.max(role.nextAttemptMs, notBeforeMs)
  if (request.from < options.nodeId) role.granted.clear()
}

function hastenElection(context: RaftContext): void {
  const { role, nowMs, options } = context
  const atLatestMs = nowMs + withJitter(context, options.leaderGoneJitterMs / 2)
  if (role.kind === 'unattached') role.electionDeadlineMs = Math.min(role.electionDeadlineMs, atLatestMs)
  if (role.kind === 'prospective') role.nextAttemptMs = Math.min(role.nextAttemptMs, atLatestMs)
}

export function handleVoteResponse(context: RaftContext, response: VoteResponse): void {
  const { role, voters } = context
  if (response.epoch !== epochOf(context) || !voters.has(response.from)) return
  if (response.phase === 'pre-vote' && role.kind === 'prospective' && response.granted) {
    role.granted.add(response.from)
    if (voters.isMajority(role.granted)) becomeCandidate(context, role.attempt)
  }
  if (response.phase === 'vote' && role.kind === 'candidate') countVote(context, role, response)
}

function countVote(context: RaftContext, role: CandidateRole, response: VoteResponse): void {
  // A vote is for exactly this epoch. A refusal may be of an earlier request, by a voter that was in this epoch before us:
  // counting it costs a moment, never safety; before our own request is out it is certainly not an answer to it.
  if (!response.granted && !context.outbox.hardStateIsDurable) return
  assert(context.outbox.hardStateIsDurable, 'a vote for a request that was not sent yet')
  // A refusal may be followed by a vote: the voter lost the unsynced end of its log in a crash. A vote is never taken back.
  if (response.granted) {
    role.granted.add(response.from)
    role.refused.delete(response.from)
  } else if (!role.granted.has(response.from)) role.refused.add(response.from)
  if (context.voters.isMajority(role.granted)) becomeLeader(context)
  else if (!response.granted && isHopeless(context, role)) backOff(context, role.attempt + 1)
}

/** Refused, and those that could still make a majority are said to be gone: waiting for them would only cost time. */
function isHopeless({ voters, suspects }: RaftContext, role: CandidateRole): boolean {
  const against = new Set(role.refused)
  for (const id of suspects) if (!role.granted.has(id)) against.add(id)
  return voters.isBlocked(against)
}
