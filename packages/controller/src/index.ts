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
export { DRIVER_DEFAULTS, QuorumDriver } from './quorum/quorum-driver.ts'
export type { QuorumDriverDependencies, QuorumDriverOptions } from './quorum/quorum-driver.ts'
export { RAFT_DEFAULTS } from './raft/options.ts'
export type { RaftOptions } from './raft/options.ts'
export { describeMessage, describeRole } from './raft/describe.ts'
export { emptyImage, resourceKey } from './metadata/image.ts'
export type {
  BrokerRegistration, ConfigResourceKey, ConfigResourceType, ControllerRegistration, Endpoint, MetadataChanges, MetadataImage,
  MetadataPublisher, PartitionRegistration, TopicImage, TopicsImage,
} from './metadata/image.ts'
export type { ControllerChannel, ControllerReply, ControllerRequest, ControllerService, LivenessProbe } from './ports.ts'
export { LeaderSessions } from './leader-sessions.ts'
export { nodeRequest } from './node-request.ts'
export type { RecordCodec } from './metadata/record-codec.ts'
export type {
  BrokerChangeRecord, ConfigRecord, FeatureLevelRecord, MetadataRecord, NoOpRecord, PartitionChangeRecord, PartitionRecord,
  ProducerIdsRecord, RegisterBrokerRecord, RegisterControllerRecord, RemoveTopicRecord, SupportedFeature, TopicRecord,
  UnregisterBrokerRecord,
} from './metadata/records.ts'
export { MetadataLoader } from './loader/metadata-loader.ts'
export type { MetadataLoaderDependencies, ReplayObserver } from './loader/metadata-loader.ts'
export { QuorumController } from './quorum-controller/quorum-controller.ts'
export type { QuorumControllerDependencies } from './quorum-controller/quorum-controller.ts'
export { controllerApiKeys } from './quorum-controller/request-operations.ts'
export type { ControllerMetricsView } from './quorum-controller/metrics-view.ts'
export type { ControllerSettings } from './metadata/decision.ts'
export type { IndexedImage, PartitionIndex } from './metadata/partition-index.ts'
export { METADATA_VERSION, supportedFeatures } from './metadata/features/supported-features.ts'
export { groupConfigKey, groupConfigKeys, validateGroupConfig } from './metadata/configs/group-config-keys.ts'
export type { GroupConfigKey } from './metadata/configs/group-config-keys.ts'
export { directoryOf, hasOnlineDirectory, isReservedDirectory, LOST_DIRECTORY, UNASSIGNED_DIRECTORY } from './metadata/directories.ts'
export { allowsUncleanElection, minInsyncReplicas } from './metadata/configs/effective.ts'
