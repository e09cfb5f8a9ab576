/** Fetches that the leader holds because it has nothing to answer yet: at most one a replica. */
import { assert } from '@kavka/kernel'
import { envelope, epochOf } from './context.ts'
import type { RaftContext } from './context.ts'
import type { FetchRequest, FetchResult } from './messages.ts'
import type { Progress } from './progress.ts'
import { leaderOf } from './roles.ts'
import type { LeaderRole } from './roles.ts'

export function* replicasOf(role: LeaderRole): Iterable<Progress> {
  yield* role.voters.values()
  yield* role.observers.values()
}

/** Answers a fetch. The epoch and the leader of the answer are this node's, whatever its role. */
export function answerFetch(context: RaftContext, request: FetchRequest, result: FetchResult): void {
  context.outbox.send({
    ...envelope(context, request.from),
    kind: 'fetch-response',
    sequence: request.sequence,
    leaderId: leaderOf(context.role, context.options.nodeId),
    highWatermark: context.highWatermark,
    result,
  })
}

/** Entries from where the replica stands; none when it has them all. */
export function answerWithEntries(context: RaftContext, request: FetchRequest): void {
  const { log, options } = context
  const bytesMax = Math.min(request.bytesMax, options.fetchBytesMax)
  answerFetch(context, request, { kind: 'entries', entries: log.slice(request.fetchOffset, log.endOffset, bytesMax) })
}

export function parkFetch(context: RaftContext, progress: Progress, request: FetchRequest): void {
  progress.parked = { request, deadlineMs: context.nowMs + context.options.fetchWaitMsMax }
}

/**
 * A replica has one fetch under way, so an older one still parked is either lost for it or, reordered, the one it waits for:
 * an empty answer serves both.
 */
export function answerReplacedFetch(context: RaftContext, progress: Progress): void {
  const parked = progress.parked
  if (parked === null) return
  progress.parked = null
  answerFetch(context, parked.request, { kind: 'entries', entries: [] })
}

/** Answers every parked fetch that there is news for: entries, or a higher high watermark. */
export function answerNews(context: RaftContext, role: LeaderRole): void {
  role.news = false
  for (const progress of replicasOf(role)) {
    const parked = progress.parked
    if (parked === null) continue
    const { request } = parked
    assert(request.epoch === epochOf(context), 'a fetch of another epoch was parked')
    if (request.fetchOffset >= context.log.endOffset && request.highWatermark >= context.highWatermark) continue
    progress.parked = null
    // The log may have been trimmed past a replica that was parked at its end for a moment; it will learn on its next fetch.
    if (request.fetchOffset < context.log.start.offset) answerFetch(context, request, { kind: 'entries', entries: [] })
    else answerWithEntries(context, request)
  }
}

/** Answers those that have waited long enough. */
export function expireParkedFetches(context: RaftContext, role: LeaderRole): void {
  for (const progress of replicasOf(role)) {
    if (progress.parked !== null && progress.parked.deadlineMs <= context.nowMs) answerReplacedFetch(context, progress)
  }
}

export function releaseParkedFetches(context: RaftContext, role: LeaderRole): void {
  for (const progress of replicasOf(role)) {
    const parked = progress.parked
    if (parked === null) continue
    progress.parked = null
    answerFetch(context, parked.request, { kind: 'error', error: 'not-leader' })
  }
}

/** When the first of them has waited long enough. */
export function nextParkedDeadlineMs(role: LeaderRole): number {
  let deadlineMs = Infinity
  for (const { parked } of replicasOf(role)) {
    if (parked !== null && parked.deadlineMs < deadlineMs) deadlineMs = parked.deadlineMs
  }
  return deadlineMs
}
