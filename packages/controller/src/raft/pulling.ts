/** The side of followers and observers: ask, append or truncate, sync, ask again. */
import { assert } from '@kavka/kernel'
import type { Offset } from '@kavka/protocol'
import { epochOf } from './context.ts'
import type { RaftContext } from './context.ts'
import type { EndQuorumEpoch, FetchResponse, FetchResult } from './messages.ts'
import { RETRY_WAIT_MS, handleFetchError, isReplica, loseLeader, noteLeaderAnswered, sendFetch } from './pull-requests.ts'
import type { ReplicaRole } from './roles.ts'
import { continueDownload, startDownload } from './snapshot-download.ts'

/** The time of the request under way is over. */
export function retryPull(context: RaftContext, role: ReplicaRole): void {
  if (role.pull.kind === 'downloading') continueDownload(context, role, role.pull)
  else sendFetch(context, role)
}

export function handleFetchResponse(context: RaftContext, response: FetchResponse): void {
  const { role } = context
  if (!isReplica(role) || role.pull.kind !== 'fetching') return
  if (role.pull.sequence !== response.sequence || role.pull.from !== response.from) return
  if (response.result.kind === 'error') return handleFetchError(context, role, response.from)
  if (response.epoch !== epochOf(context) || response.leaderId !== response.from) return
  noteLeaderAnswered(context, role)
  applyResult(context, role, response.result, response.highWatermark)
}

function applyResult(
  context: RaftContext,
  role: ReplicaRole,
  result: Exclude<FetchResult, { kind: 'error' }>,
  leaderHighWatermark: Offset,
): void {
  const { log } = context
  if (result.kind === 'snapshot') return startDownload(context, role, result.id)
  if (result.kind === 'diverging') truncate(context, result)
  else {
    log.append(result.entries)
    // The leader found everything up to the fetch offset equal to its own log, so its high watermark holds for this one.
    context.highWatermark = Math.max(context.highWatermark, Math.min(leaderHighWatermark, log.endOffset)) as Offset
  }
  sendFetch(context, role)
}

/** Drops what the leader does not have: all beyond the end of the last epoch that both know (KIP-101, KIP-595). */
function truncate(context: RaftContext, diverging: Extract<FetchResult, { kind: 'diverging' }>): void {
  const { log } = context
  const own = log.endOfEpoch(diverging.epoch)
  const ownEnd = own?.endOffset ?? log.start.offset
  const offset = own?.epoch === diverging.epoch && diverging.endOffset < ownEnd ? diverging.endOffset : ownEnd
  assert(offset >= context.highWatermark, 'a committed entry diverges', { offset, highWatermark: context.highWatermark })
  assert(offset < log.endOffset, 'a divergence without an end', { offset, end: log.endOffset })
  log.truncateTo(offset)
}

/** The leader gives up: the voters it names first stand first, each later one a little later (KIP-595). */
export function handleEndQuorumEpoch(context: RaftContext, message: EndQuorumEpoch): void {
  const { role, options } = context
  if (message.epoch !== epochOf(context)) return
  const place = message.preferredSuccessors.indexOf(options.nodeId)
  const places = place === -1 ? message.preferredSuccessors.length : place
  const waitMs = places * RETRY_WAIT_MS + context.random.unit() * options.leaderGoneJitterMs
  if (isReplica(role) && role.leaderId === message.from) loseLeader(context, waitMs)
  if (role.kind === 'unattached') role.electionDeadlineMs = Math.min(role.electionDeadlineMs, context.nowMs + waitMs)
}
