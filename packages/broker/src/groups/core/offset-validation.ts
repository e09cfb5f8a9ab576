import { ErrorCode } from '@kavka/protocol'
import type { ClassicGroup } from './classic-group.ts'
import { memberErrorOf } from './classic-join.ts'

/** Who commits, as the request says. */
export interface Committer {
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/**
 * GROUP_ID_NOT_FOUND came with this version (KIP-848); before, a lost group looked like a lost generation.
 */
const GROUP_ID_NOT_FOUND_FROM = 9

/**
 * May this committer commit for the group? Only its members in the current generation, or anybody while it is
 * empty (admin tools, consumers with assigned partitions). PreparingRebalance accepts the generation that
 * ends, so that members can commit what they give up.
 */
export function commitErrorOf(group: ClassicGroup, committer: Committer): number {
  const { generationId, memberId, groupInstanceId } = committer
  if (group.state.kind === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  if (generationId < 0 && group.state.kind === 'Empty') return ErrorCode.NONE
  const anonymous = generationId < 0 && memberId === '' && groupInstanceId === null
  if (anonymous) return ErrorCode.UNKNOWN_MEMBER_ID
  const memberError = memberErrorOf(group, memberId, groupInstanceId)
  if (memberError !== ErrorCode.NONE) return memberError
  if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  return group.state.kind === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

/**
 * The same for an offset of a transaction: the producer's own fencing guards it, so that old clients, which
 * name no member, and a group that awaits its assignment are let through (KIP-447).
 */
export function transactionalCommitErrorOf(group: ClassicGroup, committer: Committer): number {
  const { generationId, memberId, groupInstanceId } = committer
  if (group.state.kind === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  if (generationId < 0 && group.state.kind === 'Empty') return ErrorCode.NONE
  if (generationId < 0 && memberId === '' && groupInstanceId === null) return ErrorCode.NONE
  const memberError = memberErrorOf(group, memberId, groupInstanceId)
  if (memberError !== ErrorCode.NONE) return memberError
  return generationId === group.generationId ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
}

/** A commit for a group that does not exist makes a simple group of it, unless it claims a generation. */
export function absentGroupErrorOf(generationId: number, apiVersion: number): number {
  if (generationId < 0) return ErrorCode.NONE
  return apiVersion >= GROUP_ID_NOT_FOUND_FROM ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION
}

/**
 * May offsets of the group be deleted one by one? The topics that a consumer group subscribes to are refused
 * later.
 */
export function offsetDeleteErrorOf(group: ClassicGroup): number {
  if (group.state.kind === 'Dead') return ErrorCode.GROUP_ID_NOT_FOUND
  if (group.state.kind === 'Empty' || group.protocolType === 'consumer') return ErrorCode.NONE
  return ErrorCode.NON_EMPTY_GROUP
}

/** May the group be deleted whole? */
export function deleteErrorOf(group: ClassicGroup): number {
  if (group.state.kind === 'Dead') return ErrorCode.GROUP_ID_NOT_FOUND
  return group.state.kind === 'Empty' ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP
}
