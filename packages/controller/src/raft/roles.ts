/**
 * The roles of a node and what each knows. Transitions (see transitions.ts):
 *
 *   unattached ──timeout / leader gone──▶ prospective ──majority of pre-votes──▶ candidate ──majority of votes──▶ leader
 *        ▲                                     │  ▲                                  │                              │
 *        │                                     ▼  └── votes refused, or timeout ─────┘                              │
 *        │◀─── leader gone or resigned ── follower ◀── any of them learns the leader of its epoch                   │
 *        │                                     └──── no fetch answered in time ──▶ prospective                      │
 *        └◀── any of them sees a higher epoch                    prospective ◀──timeout── resigned ◀──no quorum─────┘
 *
 * A node that is no voter is an `observer` throughout.
 */
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import type { SnapshotId } from './messages.ts'
import type { Progress } from './progress.ts'
import type { RoleState } from './ready.ts'

/** A voter that knows no leader in its epoch, and may have voted in it. */
export interface UnattachedRole {
  readonly kind: 'unattached'
  electionDeadlineMs: number
}

/** Asks whether it would be elected, at its current epoch, disturbing nobody (KIP-996). */
export interface ProspectiveRole {
  readonly kind: 'prospective'
  readonly granted: Set<NodeId>
  attempt: number
  nextAttemptMs: number
}

/** Stands for election in a new epoch. */
export interface CandidateRole {
  readonly kind: 'candidate'
  readonly attempt: number
  /** Includes itself only when its own vote is durable. */
  readonly granted: Set<NodeId>
  readonly refused: Set<NodeId>
  readonly roundDeadlineMs: number
  resends: number
  nextResendMs: number
}

export interface LeaderRole {
  readonly kind: 'leader'
  /** Where this epoch's first entry is: the high watermark moves only beyond it (Raft 5.4.2). */
  readonly epochStartOffset: Offset
  /** The other voters. */
  readonly voters: ReadonlyMap<NodeId, Progress>
  /** In the order of their last fetch. */
  readonly observers: Map<NodeId, Progress>
  /** Voters that fetched since the last time a majority had. */
  readonly fetchedSinceQuorum: Set<NodeId>
  /** By then a majority must have fetched again (check quorum). */
  quorumDeadlineMs: number
  nextAnnouncementMs: number
  /** Parked fetches may have an answer now. */
  news: boolean
}

export interface FollowerRole {
  readonly kind: 'follower'
  readonly leaderId: NodeId
  /** The leader answered in this epoch: it is alive, and pre-votes of others are refused. */
  hasFetched: boolean
  fetchDeadlineMs: number
  pull: Pull
}

/** Was the leader of the epoch, until no majority fetched any more or it was told to stop. */
export interface ResignedRole {
  readonly kind: 'resigned'
  readonly electionDeadlineMs: number
}

export interface ObserverRole {
  readonly kind: 'observer'
  /** Null: it asks any voter. */
  leaderId: NodeId | null
  fetchDeadlineMs: number
  pull: Pull
}

export type Role =
  | UnattachedRole
  | ProspectiveRole
  | CandidateRole
  | LeaderRole
  | FollowerRole
  | ResignedRole
  | ObserverRole

/** What a replica is asking for; one request at a time. */
export type Pull =
  | { readonly kind: 'waiting'; readonly untilMs: number }
  | { readonly kind: 'fetching'; readonly sequence: number; readonly from: NodeId; readonly retryMs: number }
  | {
      readonly kind: 'downloading'
      readonly sequence: number
      readonly from: NodeId
      readonly retryMs: number
      readonly id: SnapshotId
      /** What has come so far, in order. */
      readonly pieces: readonly Uint8Array[]
      readonly position: number
    }

/** The roles that pull. */
export type ReplicaRole = FollowerRole | ObserverRole

/** The leader of the epoch as this role knows it. */
export function leaderOf(role: Role, nodeId: NodeId): NodeId | null {
  if (role.kind === 'leader') return nodeId
  return role.kind === 'follower' || role.kind === 'observer' ? role.leaderId : null
}

export function roleStateOf(role: Role, epoch: LeaderEpoch, nodeId: NodeId): RoleState {
  return { kind: role.kind, epoch, leaderId: leaderOf(role, nodeId) }
}
