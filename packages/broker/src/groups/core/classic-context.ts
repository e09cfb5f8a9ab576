import type { EffectOutbox, Now } from '../../coordinators/coordinator-core.ts'
import type { DeadlineQueue } from '../../coordinators/deadline-queue.ts'
import type { ClassicGroup, ClassicMember, GroupTimer } from './classic-group.ts'
import type { JoinGroupAnswer, SyncGroupAnswer } from '../group-coordinator-api.ts'
import type { GroupOptions } from '../group-options.ts'
import { NO_BYTES } from './classic-group.ts'

/** What the steps of the classic protocol share. One for each partition of `__consumer_offsets`. */
export interface ClassicContext {
  readonly options: GroupOptions
  readonly outbox: EffectOutbox
  readonly timers: DeadlineQueue<GroupTimer>
  /** A UUID in Kafka's hyphenated form; the random part of member ids. */
  newUuid(): string
}

/** Restarts the member's session; `timeoutMs` differs from it only for a first JoinGroup. */
export function restartSession(context: ClassicContext, member: ClassicMember, now: Now, timeoutMs?: number): void {
  context.timers.schedule(member.session, now.monotonicMs + (timeoutMs ?? member.sessionTimeoutMs))
}

/** Answers a parked JoinGroup, if there is one. */
export function answerJoin(
  context: ClassicContext,
  group: ClassicGroup,
  member: ClassicMember,
  answer: JoinGroupAnswer,
): void {
  if (member.awaitingJoin === null) return
  context.outbox.reply(member.awaitingJoin, answer)
  group.parkJoin(member, null)
}

/** Answers a parked SyncGroup; true when there was one. */
export function answerSync(context: ClassicContext, member: ClassicMember, answer: SyncGroupAnswer): boolean {
  if (member.awaitingSync === null) return false
  context.outbox.reply(member.awaitingSync, answer)
  member.awaitingSync = null
  return true
}

export function joinError(errorCode: number, memberId: string): JoinGroupAnswer {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

export function syncError(errorCode: number): SyncGroupAnswer {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES }
}

/** The group's current generation as its member sees it; only a leader that is to assign gets the members. */
export function joinSuccess(group: ClassicGroup, memberId: string, view: 'with-members' | 'without-members'): JoinGroupAnswer {
  return {
    errorCode: 0,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId ?? '',
    skipAssignment: false,
    memberId,
    members: view === 'with-members' ? joinedMembers(group) : [],
  }
}

function joinedMembers(group: ClassicGroup): JoinGroupAnswer['members'] {
  return Array.from(group.members.values(), (member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: group.metadataOf(member),
  }))
}
