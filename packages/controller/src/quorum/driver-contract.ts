/** What the metadata controller sees of the quorum: `QuorumDriver` implements it, tests may fake it. */
import type { Result } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import type { Entry, RaftMessage } from '../raft/messages.ts'
import type { RoleState } from '../raft/ready.ts'

/** The replicated state machine. Calls come one at a time, in log order. */
export interface QuorumStateMachine {
  /**
   * Committed entries, in order, each offset exactly once. `leader-change` entries are passed too: when one carries the epoch
   * in which this node leads, everything committed before its leadership has been applied and it may start to decide.
   */
  onCommitted(entries: readonly Entry[]): void
  /** Replace everything by this: the effect of all entries below `offset`; comes at start and when this node was far behind. */
  onSnapshot(bytes: Uint8Array, offset: Offset, epoch: LeaderEpoch): void
  /** The state after the last entry passed to `onCommitted`, as bytes for `onSnapshot`. */
  snapshotState(): Uint8Array
  /** Always before the entries committed under the new role. */
  onRoleChange(role: RoleState): void
}

/**
 * `not-leader`: this node does not lead, or does not lead in the epoch named. After an append was accepted it means that
 * leadership ended before the fate was known: the entries may or may not become committed.
 * `too-many-pending`: the named bound of uncommitted proposals is reached; nothing was appended.
 */
export type ProposalError = 'not-leader' | 'too-many-pending'

/** Proposals that were appended at `baseOffset…`; `committed` settles exactly once and never rejects. */
export interface AcceptedProposals {
  readonly baseOffset: Offset
  readonly epoch: LeaderEpoch
  /** Of the last of them. */
  readonly committed: Promise<Result<{ readonly offset: Offset }, 'not-leader'>>
}

/** One replica as the leader sees it; for DescribeQuorum. Times are wall-clock milliseconds, -1 when unknown. */
export interface ReplicaState {
  readonly nodeId: NodeId
  readonly logEndOffset: Offset | -1
  readonly lastFetchMs: number
  readonly lastCaughtUpMs: number
}

export interface QuorumState extends RoleState {
  readonly highWatermark: Offset
  readonly logEndOffset: Offset
  /** Ids of the voter set, sorted. */
  readonly voterIds: readonly NodeId[]
  /** Filled at the leader only. */
  readonly voters: readonly ReplicaState[]
  readonly observers: readonly ReplicaState[]
}

export interface Quorum {
  /** Loads the durable state, passes the snapshot to the state machine, then takes part. */
  start(): Promise<void>
  /** Hands over leadership when it has it, lets the write under way finish, then is silent. */
  stop(): Promise<void>
  readonly state: QuorumState
  /**
   * Appends one entry a payload, if this node leads in `epoch`: synchronous, so that the offsets are known at once.
   * Passing the epoch a decision was made in fences decisions of an earlier leadership.
   */
  append(epoch: LeaderEpoch, payloads: readonly Uint8Array[]): Result<AcceptedProposals, ProposalError>
  /** `append` in the current epoch; resolves when committed or when that cannot be known any more. Never rejects. */
  propose(payload: Uint8Array): Promise<Result<{ readonly offset: Offset }, ProposalError>>
  /** The same for several, all pipelined; resolves with the offset of the last. */
  proposeAll(payloads: readonly Uint8Array[]): Promise<Result<{ readonly offset: Offset }, ProposalError>>
  /** A message came in from another node. */
  receive(message: RaftMessage): void
  /** A connection to the node was made (again). */
  peerReachable(nodeId: NodeId): void
  /** The connection to the node broke *and* a new one was refused: its process is gone. */
  peerUnreachable(nodeId: NodeId): void
}
