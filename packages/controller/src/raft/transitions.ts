/** How one role becomes another; each function leaves the context consistent and says what must be said at once. */
import { assert } from '@kavka/kernel'
import type { LeaderEpoch, NodeId } from '@kavka/protocol'
import { epochOf, withJitter } from './context.ts'
import type { RaftContext } from './context.ts'
import { releaseParkedFetches } from './parked-fetches.ts'
import type { HardState } from './ready.ts'
import type { Role } from './roles.ts'

/** Share of the fetch timeout added at random: followers of one leader heard from it at the same time, and should not all stand. */
const FETCH_TIMEOUT_JITTER = 0.1

/** When a replica that hears from its leader now gives it up. */
export function fetchDeadlineMs({ nowMs, options, random }: RaftContext): number {
  return nowMs + options.fetchTimeoutMs * (1 + FETCH_TIMEOUT_JITTER * random.unit())
}

/** The one place that changes the role. */
export function changeRole(context: RaftContext, role: Role): void {
  const previous = context.role
  context.role = role
  // Replicas that wait at a deposed leader learn at once that there is nothing more to come.
  if (previous.kind === 'leader') releaseParkedFetches(context, previous)
}

export function setHardState(context: RaftContext, hardState: HardState): void {
  context.outbox.setHardState(hardState)
  context.hardState = hardState
}

/** Moves to a higher epoch, in which this node has not voted. */
export function enterEpoch(context: RaftContext, epoch: LeaderEpoch): void {
  assert(epoch > epochOf(context), 'epochs only grow', { from: epochOf(context), to: epoch })
  setHardState(context, { epoch, votedFor: null, leaderId: null })
}

export function isVoter(context: RaftContext): boolean {
  return context.voters.has(context.options.nodeId)
}

/** No leader is known in the current epoch: a voter waits `electionWaitMs` for one, an observer goes and asks. */
export function becomeLeaderless(context: RaftContext, electionWaitMs: number): void {
  const { nowMs } = context
  if (isVoter(context)) {
    changeRole(context, { kind: 'unattached', electionDeadlineMs: nowMs + electionWaitMs })
    return
  }
  changeRole(context, {
    kind: 'observer',
    leaderId: null,
    fetchDeadlineMs: fetchDeadlineMs(context),
    pull: { kind: 'waiting', untilMs: nowMs + electionWaitMs },
  })
}

/** Follows the leader of the current epoch; the first fetch goes out when the clock is advanced next, which is at once. */
export function becomeFollower(context: RaftContext, leaderId: NodeId): void {
  const { nowMs, options } = context
  assert(leaderId !== options.nodeId, 'a node does not follow itself')
  assert(context.role.kind !== 'leader', 'a leader steps down only for a higher epoch')
  setHardState(context, { ...context.hardState, leaderId })
  const pulling = { fetchDeadlineMs: fetchDeadlineMs(context), pull: { kind: 'waiting', untilMs: nowMs } as const }
  changeRole(
    context,
    isVoter(context)
      ? { kind: 'follower', leaderId, hasFetched: false, ...pulling }
      : { kind: 'observer', leaderId, ...pulling },
  )
}

/** Takes note of the epoch, and the leader of it if known, that a message from `from` shows. */
export function observeEpoch(context: RaftContext, epoch: LeaderEpoch, leaderId: NodeId | null, from: NodeId): void {
  if (epoch < epochOf(context)) return
  const leader = leaderId === context.options.nodeId ? null : leaderId
  if (epoch > epochOf(context)) {
    enterEpoch(context, epoch)
    becomeLeaderless(context, withJitter(context, context.options.electionTimeoutMs))
    // A leader of a newer epoch was alive after whatever made it suspect.
    if (leader !== null) context.suspects.delete(leader)
  }
  if (leader !== null) observeLeader(context, leader, from)
}

function observeLeader(context: RaftContext, leaderId: NodeId, from: NodeId): void {
  const { role, hardState } = context
  const known = hardState.leaderId
  assert(known === null || known === leaderId, 'two leaders in one epoch', { epoch: epochOf(context), known, leaderId })
  assert(role.kind !== 'leader', 'the leader is told of another in its epoch', { leaderId })
  if (role.kind === 'follower' || (role.kind === 'observer' && role.leaderId !== null)) return
  // A peer that has not noticed yet goes on naming the leader that this node gave up: following it again would cost a whole
  // fetch timeout, in which that peer gives up, is told of the leader by this node, and so on for ever. Only the leader itself
  // can say that it lives; a voter asks it too when it asks for pre-votes.
  if (context.suspects.has(leaderId) && from !== leaderId) return
  becomeFollower(context, leaderId)
}
