/**
 * What the nodes of the metadata quorum say to each other. Plain data: the transport maps it to its wire format and back.
 * The set follows KRaft (KIP-595, KIP-630, KIP-996): replicas pull, so there is no append message.
 */
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'

/** What every message carries. */
export interface Envelope {
  /** A message of another cluster is dropped. */
  readonly clusterId: string
  readonly from: NodeId
  readonly to: NodeId
  /** The sender's epoch when it sent this. A higher one than the receiver's always moves the receiver to it. */
  readonly epoch: LeaderEpoch
}

/** One entry of the metadata log. Offsets are dense from 0; `epoch` is that of the leader that appended it. */
export interface Entry {
  readonly offset: Offset
  readonly epoch: LeaderEpoch
  readonly kind: EntryKind
  /** Opaque here. At most `ENTRY_BYTES_MAX`. */
  readonly payload: Uint8Array
}

/**
 * `leader-change` is what a new leader writes first: nothing of older epochs counts as committed before it is (Raft 5.4.2).
 * Its payload is the leader's node id, 4 bytes big-endian. `data` is the state machine's.
 */
export type EntryKind = 'leader-change' | 'data'

/** The largest payload of one entry: Kafka's limit of a metadata batch. */
export const ENTRY_BYTES_MAX = 8 * 1024 * 1024

/** Names a snapshot: it holds the effect of all entries below `offset`; `epoch` is that of the last of them. */
export interface SnapshotId {
  readonly offset: Offset
  readonly epoch: LeaderEpoch
}

/** Asks for a vote, or, as pre-vote at the current epoch, whether a vote would be given (KIP-996). */
export interface VoteRequest extends Envelope {
  readonly kind: 'vote-request'
  readonly phase: VotePhase
  /** The end of the sender's log: epoch of its last entry (0 when empty) and the offset after it. */
  readonly lastEpoch: LeaderEpoch
  readonly logEndOffset: Offset
}

export type VotePhase = 'pre-vote' | 'vote'

export interface VoteResponse extends Envelope {
  readonly kind: 'vote-response'
  readonly phase: VotePhase
  readonly granted: boolean
  /** The leader of `epoch`, when the sender knows it. */
  readonly leaderId: NodeId | null
}

/** The new leader (`from`) announces itself; repeated to voters that do not fetch. */
export interface BeginQuorumEpoch extends Envelope {
  readonly kind: 'begin-quorum-epoch'
}

/** Only sent to a leader whose epoch is over, so that it learns of it. */
export interface BeginQuorumEpochResponse extends Envelope {
  readonly kind: 'begin-quorum-epoch-response'
  readonly leaderId: NodeId | null
}

/** The leader (`from`) gives up; the voters it names first should stand first. No answer. */
export interface EndQuorumEpoch extends Envelope {
  readonly kind: 'end-quorum-epoch'
  /** Voters by log end offset, the most advanced first. */
  readonly preferredSuccessors: readonly NodeId[]
}

/**
 * A replica pulls. Also its acknowledgment: everything below `fetchOffset` is synced on the sender.
 * The leader answers when it has something to say, at the latest after the time its options give.
 */
export interface FetchRequest extends Envelope {
  readonly kind: 'fetch-request'
  /** Pairs the response; grows with each request of one run of the sender. */
  readonly sequence: number
  readonly fetchOffset: Offset
  /** Epoch of the entry before `fetchOffset`; 0 when there is none. */
  readonly lastFetchedEpoch: LeaderEpoch
  /** Sum of payload bytes; one entry is always returned, however large. */
  readonly bytesMax: number
  /** What the sender knows: the leader answers at once when it knows a higher one (KIP-1166). */
  readonly highWatermark: Offset
}

export interface FetchResponse extends Envelope {
  readonly kind: 'fetch-response'
  readonly sequence: number
  readonly leaderId: NodeId | null
  readonly highWatermark: Offset
  readonly result: FetchResult
}

export type FetchResult =
  /** Follows `fetchOffset`; empty when only the high watermark moved or the wait is over. */
  | { readonly kind: 'entries'; readonly entries: readonly Entry[] }
  /** The logs part: the leader's largest epoch not above `lastFetchedEpoch`, and where that epoch ends. */
  | { readonly kind: 'diverging'; readonly epoch: LeaderEpoch; readonly endOffset: Offset }
  /** The log starts later than the fetch offset: this snapshot is to be loaded first. */
  | { readonly kind: 'snapshot'; readonly id: SnapshotId }
  | { readonly kind: 'error'; readonly error: QuorumError }

/** As Kafka's errors of the same names. */
export type QuorumError =
  | 'fenced-leader-epoch'
  | 'not-leader'
  | 'snapshot-not-found'
  | 'position-out-of-range'

/** Pulls one piece of a snapshot. */
export interface FetchSnapshotRequest extends Envelope {
  readonly kind: 'fetch-snapshot-request'
  readonly sequence: number
  readonly id: SnapshotId
  readonly position: number
  readonly bytesMax: number
}

export interface FetchSnapshotResponse extends Envelope {
  readonly kind: 'fetch-snapshot-response'
  readonly sequence: number
  readonly leaderId: NodeId | null
  readonly result: FetchSnapshotResult
}

export type FetchSnapshotResult =
  | {
      readonly kind: 'piece'
      readonly id: SnapshotId
      readonly position: number
      readonly bytes: Uint8Array
      readonly totalBytes: number
    }
  | { readonly kind: 'error'; readonly error: QuorumError }

export type RaftMessage =
  | VoteRequest
  | VoteResponse
  | BeginQuorumEpoch
  | BeginQuorumEpochResponse
  | EndQuorumEpoch
  | FetchRequest
  | FetchResponse
  | FetchSnapshotRequest
  | FetchSnapshotResponse
