export { ENTRY_BYTES_MAX } from './raft/messages.ts'
export type {
  BeginQuorumEpoch, BeginQuorumEpochResponse, EndQuorumEpoch, Entry, EntryKind, Envelope, FetchRequest, FetchResponse,
  FetchResult, FetchSnapshotRequest, FetchSnapshotResponse, FetchSnapshotResult, QuorumError, RaftMessage, SnapshotId,
  VotePhase, VoteRequest, VoteResponse,
} from './raft/messages.ts'
export type { HardState, RoleState, Snapshot } from './raft/ready.ts'
export type { QuorumPeers } from './quorum/peers.ts'
export type {
  AcceptedProposals, ProposalError, Quorum, QuorumState, QuorumStateMachine, ReplicaState,
} from './quorum/driver-contract.ts'
