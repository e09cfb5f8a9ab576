/** What the core wants done, with the duties of order in the types (after etcd's Ready). */
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import type { Entry, RaftMessage, SnapshotId } from './messages.ts'

/** What a voter must never forget, or it could vote twice. */
export interface HardState {
  readonly epoch: LeaderEpoch
  /** Whom this node voted for in `epoch`. */
  readonly votedFor: NodeId | null
  /** The leader of `epoch` when last written: a hint where to look after a restart. */
  readonly leaderId: NodeId | null
}

export interface Snapshot extends SnapshotId {
  readonly bytes: Uint8Array
}

/** Where the log begins: everything below `offset` is in the snapshot. */
export interface LogStart {
  readonly offset: Offset
  /** Epoch of the entry before `offset`; 0 when `offset` is 0. */
  readonly previousEpoch: LeaderEpoch
}

/** All the durable state of a node, as loaded at start. */
export interface PersistedState {
  readonly hardState: HardState
  readonly snapshot: Snapshot | null
  readonly logStart: LogStart
  /** Dense from `logStart.offset`. */
  readonly entries: readonly Entry[]
}

/** One atomic, durable write. Nulls mean "leave as is". The fields are applied in the order in which they stand. */
export interface Write {
  /** Given back through `persisted(id)`. There is never more than one write under way. */
  readonly id: number
  readonly hardState: HardState | null
  /** Replaces the previous snapshot. */
  readonly snapshot: Snapshot | null
  /** Entries below it go. */
  readonly logStart: LogStart | null
  /** Entries at this offset and above go, before `entries` are appended. */
  readonly truncateTo: Offset | null
  readonly entries: readonly Entry[]
}

/** Who this node is at the moment, as seen from outside. */
export interface RoleState {
  readonly kind: 'unattached' | 'prospective' | 'candidate' | 'leader' | 'follower' | 'resigned' | 'observer'
  readonly epoch: LeaderEpoch
  /** Itself, when `kind` is `leader`. */
  readonly leaderId: NodeId | null
}

/** Everything that came up since the last call of `ready()`. */
export interface Ready {
  /** Send now. */
  readonly messages: readonly RaftMessage[]
  /** To be persisted; report with `persisted(write.id)`. A failure to persist must stop the node (KAFKA-14644). */
  readonly write: Write | null
  /** They promise what `write` holds: send only when it is durable, before `persisted` is called. Empty without a write. */
  readonly messagesAfterSync: readonly RaftMessage[]
  /** The state machine's content is replaced by this; before `committed` is applied. */
  readonly snapshotToInstall: Snapshot | null
  /** To be applied, in order: each committed offset exactly once, none left out (except by an installed snapshot). */
  readonly committed: readonly Entry[]
  /** The role now, when it differs from the last one reported. */
  readonly roleChange: RoleState | null
}
