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
export { emptyImage, resourceKey } from './metadata/image.ts'
export type {
  BrokerRegistration, ConfigResourceKey, ConfigResourceType, ControllerRegistration, Endpoint, MetadataChanges, MetadataImage,
  MetadataPublisher, PartitionRegistration, TopicImage, TopicsImage,
} from './metadata/image.ts'
export type { ControllerChannel, ControllerReply, ControllerRequest, ControllerService, LivenessProbe } from './ports.ts'
export type { RecordCodec } from './metadata/record-codec.ts'
export type {
  BrokerChangeRecord, ConfigRecord, FeatureLevelRecord, MetadataRecord, NoOpRecord, PartitionChangeRecord, PartitionRecord,
  ProducerIdsRecord, RegisterBrokerRecord, RegisterControllerRecord, RemoveTopicRecord, SupportedFeature, TopicRecord,
  UnregisterBrokerRecord,
} from './metadata/records.ts'
