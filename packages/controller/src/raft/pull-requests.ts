/** What followers and observers ask, and what they make of silence and refusal. */
import { assert } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { envelope, withJitter } from './context.ts'
import type { RaftContext } from './context.ts'
import type { ReplicaRole } from './roles.ts'
import { becomeLeaderless, fetchDeadlineMs } from './transitions.ts'

/** How long a replica waits before it asks again somebody who could not help. */
export const RETRY_WAIT_MS = 50

export function isReplica(role: RaftContext['role']): role is ReplicaRole {
  return role.kind === 'follower' || role.kind === 'observer'
}

/** Sends the fetch that acknowledges all of this node's log; it leaves when the log is synced. */
export function sendFetch(context: RaftContext, role: ReplicaRole): void {
  const { log, options, nowMs } = context
  const from = role.leaderId ?? anyVoter(context)
  const sequence = context.nextSequence++
  role.pull = { kind: 'fetching', sequence, from, retryMs: nowMs + options.fetchRetryMs }
  context.outbox.send({
    ...envelope(context, from),
    kind: 'fetch-request',
    sequence,
    fetchOffset: log.endOffset,
    lastFetchedEpoch: log.lastEpoch,
    bytesMax: options.fetchBytesMax,
    highWatermark: context.highWatermark,
  })
}

/** One in so many questions goes to a suspect too: an observer would not learn otherwise that it is back. */
const SUSPECT_ODDS = 8

/** An observer without a leader asks anybody who seems to be there. */
function anyVoter({ voters, suspects, random }: RaftContext): NodeId {
  const trusted = random.below(SUSPECT_ODDS) === 0 ? voters.ids : voters.ids.filter((id) => !suspects.has(id))
  const candidates = trusted.length > 0 ? trusted : voters.ids
  const chosen = candidates[random.below(candidates.length)]
  assert(chosen !== undefined, 'there is always a voter to ask')
  return chosen
}

/** The leader has not answered in time, or is known to be gone. */
export function loseLeader(context: RaftContext, electionWaitMs: number): void {
  assert(isReplica(context.role), 'only a replica has a leader to lose')
  becomeLeaderless(context, electionWaitMs)
}

/** `from` does not lead. If it was thought to, nobody does; an observer asks elsewhere after a moment. */
export function handleFetchError(context: RaftContext, role: ReplicaRole, from: NodeId): void {
  const waitMs = withJitter(context, RETRY_WAIT_MS)
  if (role.leaderId === from) return loseLeader(context, waitMs)
  role.pull = { kind: 'waiting', untilMs: role.leaderId === null ? context.nowMs + waitMs : context.nowMs }
}

export function noteLeaderAnswered(context: RaftContext, role: ReplicaRole): void {
  role.fetchDeadlineMs = fetchDeadlineMs(context)
  if (role.kind === 'follower') role.hasFetched = true
}
