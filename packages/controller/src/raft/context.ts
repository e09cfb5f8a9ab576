/** The state that the parts of the core share. Only functions of this folder touch it. */
import type { Random } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import type { RaftOptions } from './options.ts'
import type { Outbox } from './outbox.ts'
import type { VoterSet } from './quorum.ts'
import type { RaftLog } from './raft-log.ts'
import type { HardState, Snapshot } from './ready.ts'
import type { Role } from './roles.ts'

export interface RaftContext {
  readonly options: RaftOptions
  readonly random: Random
  readonly voters: VoterSet
  readonly log: RaftLog
  readonly outbox: Outbox
  nowMs: number
  /** Change it through `setHardState` of the outbox only. */
  hardState: HardState
  role: Role
  /** Known to be committed below this. */
  highWatermark: Offset
  /** The newest; what `fetch-snapshot` serves. */
  snapshot: Snapshot | null
  /**
   * Nodes whose processes are said to be gone, and for a voter the leader that has not answered in time. Only a message from
   * the node itself, or a new connection to it, proves the contrary; what others say of it may be old.
   */
  readonly suspects: Set<NodeId>
  /** Of the next request this node sends. Starts anywhere, so that answers to an earlier run are not taken for its own. */
  nextSequence: number
}

export function epochOf(context: RaftContext): LeaderEpoch {
  return context.hardState.epoch
}

/** `baseMs` plus a random part as long again: voters that wait the same do not stand at the same time. */
export function withJitter(context: RaftContext, baseMs: number): number {
  return baseMs + context.random.unit() * baseMs
}

/** The other fields of a message to `to`. */
export function envelope(
  context: RaftContext,
  to: NodeId,
): { readonly clusterId: string; readonly from: NodeId; readonly to: NodeId; readonly epoch: LeaderEpoch } {
  const { clusterId, nodeId } = context.options
  return { clusterId, from: nodeId, to, epoch: context.hardState.epoch }
}
