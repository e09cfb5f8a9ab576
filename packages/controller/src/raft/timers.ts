/** What each role waits for. Time is an input: nothing here runs by itself. */
import type { RaftContext } from './context.ts'
import { resendVoteRequests, startPreVote } from './election.ts'
import { announceToSilentVoters, resign } from './leadership.ts'
import { expireParkedFetches, nextParkedDeadlineMs } from './parked-fetches.ts'
import { loseLeader } from './pull-requests.ts'
import { retryPull } from './pulling.ts'
import type { FollowerRole, LeaderRole, ObserverRole, Pull, Role } from './roles.ts'

/** When something falls due next in this role. */
export function nextDeadlineMs(role: Role): number {
  switch (role.kind) {
    case 'unattached':
    case 'resigned':
      return role.electionDeadlineMs
    case 'prospective':
      return role.nextAttemptMs
    case 'candidate':
      return Math.min(role.roundDeadlineMs, role.nextResendMs)
    case 'leader':
      return Math.min(role.quorumDeadlineMs, role.nextAnnouncementMs, nextParkedDeadlineMs(role))
    case 'follower':
    case 'observer':
      return Math.min(role.fetchDeadlineMs, pullDeadlineMs(role.pull))
  }
}

function pullDeadlineMs(pull: Pull): number {
  return pull.kind === 'waiting' ? pull.untilMs : pull.retryMs
}

/** A change of role may bring something that is due at once, and that another: but never many. */
const ROUNDS_MAX = 8

export function runDue(context: RaftContext): void {
  for (let round = 0; round < ROUNDS_MAX && nextDeadlineMs(context.role) <= context.nowMs; round++) runRole(context)
}

function runRole(context: RaftContext): void {
  const { role, nowMs } = context
  switch (role.kind) {
    case 'unattached':
    case 'resigned':
      return startPreVote(context, 0)
    case 'prospective':
      return startPreVote(context, role.attempt + 1)
    case 'candidate':
      if (role.roundDeadlineMs <= nowMs) return startPreVote(context, role.attempt + 1)
      return resendVoteRequests(context, role)
    case 'leader':
      return runLeader(context, role)
    case 'follower':
      return runFollower(context, role)
    case 'observer':
      return runObserver(context, role)
  }
}

function runLeader(context: RaftContext, role: LeaderRole): void {
  if (role.quorumDeadlineMs <= context.nowMs) return resign(context, role)
  if (role.nextAnnouncementMs <= context.nowMs) announceToSilentVoters(context, role)
  expireParkedFetches(context, role)
}

function runFollower(context: RaftContext, role: FollowerRole): void {
  if (role.fetchDeadlineMs > context.nowMs) return retryPull(context, role)
  context.suspects.add(role.leaderId)
  startPreVote(context, 0)
}

/** An observer that hears nothing looks for somebody else to ask. */
function runObserver(context: RaftContext, role: ObserverRole): void {
  if (role.fetchDeadlineMs <= context.nowMs) loseLeader(context, 0)
  else retryPull(context, role)
}
