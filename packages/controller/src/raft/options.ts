import { assert } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'

/** Times are milliseconds. Defaults in `RAFT_DEFAULTS`; the first four carry the names of Kafka's keys (`controller.quorum.…`). */
export interface RaftOptions {
  readonly nodeId: NodeId
  readonly clusterId: string
  /** `controller.quorum.voters`. A node that is not among them is an observer. */
  readonly voterIds: readonly NodeId[]
  /** Wait, plus a random part as long again, of a voter that knows no leader, and of a candidate for its votes. */
  readonly electionTimeoutMs: number
  /** Bound of the wait between two attempts to be elected. */
  readonly electionBackoffMsMax: number
  /** A follower without a successful fetch for so long stands for election; one and a half of it is the leader's patience. */
  readonly fetchTimeoutMs: number
  /** Payload bytes of one fetch response; a single larger entry passes. */
  readonly fetchBytesMax: number
  /** Election timeout of a voter that has just started: pre-vote keeps an impatient one from doing harm. */
  readonly electionTimeoutAtStartMs: number
  /** Random wait before a voter stands whose leader's process is known to be gone. */
  readonly leaderGoneJitterMs: number
  /** How long the leader holds a fetch that it has nothing to answer to. */
  readonly fetchWaitMsMax: number
  /** A fetch without any answer for so long is sent again. */
  readonly fetchRetryMs: number
  readonly snapshotPieceBytesMax: number
  /** A larger snapshot is not loaded from the leader. */
  readonly snapshotBytesMax: number
  /** Payload bytes kept in the log below a new snapshot, for replicas that are a little behind. */
  readonly logRetainedBytes: number
  /** Observers whose progress is kept; the one silent for longest makes room. */
  readonly observersMax: number
  /** An observer silent for so long is forgotten. */
  readonly observerSessionMs: number
}

export const RAFT_DEFAULTS = {
  electionTimeoutMs: 1000,
  electionBackoffMsMax: 1000,
  fetchTimeoutMs: 2000,
  fetchBytesMax: 1024 * 1024,
  electionTimeoutAtStartMs: 50,
  leaderGoneJitterMs: 20,
  fetchWaitMsMax: 500,
  fetchRetryMs: 1000,
  snapshotPieceBytesMax: 1024 * 1024,
  snapshotBytesMax: 1024 * 1024 * 1024,
  logRetainedBytes: 4 * 1024 * 1024,
  observersMax: 10_000,
  observerSessionMs: 300_000,
} as const

/** Stops on options under which the protocol would not work. */
export function assertRaftOptions(options: RaftOptions): void {
  assert(options.voterIds.length > 0, 'a quorum needs a voter')
  assert(new Set(options.voterIds).size === options.voterIds.length, 'voter ids must be distinct')
  assert(options.clusterId !== '', 'a quorum needs a cluster id')
  assert(options.electionTimeoutMs > 0, 'election timeout must be positive')
  // A parked fetch is the follower's sign of life from the leader: it must come back well before the follower gives up.
  assert(options.fetchWaitMsMax < options.fetchRetryMs, 'a fetch must be answered before it is sent again')
  assert(options.fetchRetryMs < options.fetchTimeoutMs, 'a fetch must be sent again before the follower gives up')
}
