/** What the leader knows of each replica; learned from fetches alone (KIP-595). */
import type { NodeId, Offset } from '@kavka/protocol'
import type { FetchRequest } from './messages.ts'

export interface Progress {
  readonly nodeId: NodeId
  /** Everything below is synced on the replica and equal to the leader's log; null before its first matching fetch. */
  endOffset: Offset | null
  /** Core time; -1 before the first. */
  lastFetchMs: number
  /** When the replica last had everything that the leader had; -1 when never. */
  lastCaughtUpMs: number
  /** The leader's end at `lastFetchMs`. */
  leaderEndAtLastFetch: Offset
  /** A fetch that the leader has not answered yet. */
  parked: { readonly request: FetchRequest; readonly deadlineMs: number } | null
}

export function createProgress(nodeId: NodeId): Progress {
  return {
    nodeId,
    endOffset: null,
    lastFetchMs: -1,
    lastCaughtUpMs: -1,
    leaderEndAtLastFetch: 0 as Offset,
    parked: null,
  }
}

/** Takes note of a fetch whose position matches the leader's log. */
export function acknowledge(progress: Progress, fetchOffset: Offset, leaderEnd: Offset, nowMs: number): void {
  // As in Kafka: one that now has all that the leader had at its previous fetch was caught up then, however much came since.
  if (fetchOffset >= leaderEnd) progress.lastCaughtUpMs = nowMs
  else if (progress.lastFetchMs >= 0 && fetchOffset >= progress.leaderEndAtLastFetch) {
    progress.lastCaughtUpMs = Math.max(progress.lastCaughtUpMs, progress.lastFetchMs)
  }
  progress.lastFetchMs = nowMs
  progress.leaderEndAtLastFetch = leaderEnd
  // A late copy of an older fetch takes nothing back: within an epoch a matching log only grows.
  if (progress.endOffset === null || fetchOffset > progress.endOffset) progress.endOffset = fetchOffset
}
