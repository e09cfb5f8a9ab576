/** Leader and follower sides of a partition. */
export type {
  AppendEntry,
  AppendRequest,
  AppendResult,
  CurrentLeader,
  FetchParameters,
  FetchPartition,
  FetchPartitionResult,
  LeaderEpochAnswer,
  LeaderEpochQuery,
  LeadershipListener,
  OffsetAnswer,
  OffsetQuery,
  PartitionView,
  ReplicaManager,
} from './api.ts'
export type {
  FollowerFrame,
  FollowerHello,
  FollowerPosition,
  FollowerStream,
  FollowerStreamEvents,
  LeaderFrame,
  LeaderPartitionFrame,
  LeaderStream,
  LeaderStreamEvents,
  PartitionKey,
  ReplicationTransport,
} from './ports.ts'
export { ReplicaManagerShell } from './replica-manager.ts'
export type { ReplicaManagerDependencies, ReplicaManagerOptions } from './replica-manager.ts'
export type { LogStore } from './log-store.ts'
export type { ReplicationMetricsView } from './metrics-view.ts'
export type { ReplicationCounters } from './replication-counters.ts'
export { Purgatory } from './core/purgatory.ts'
export type { ParkedRequest, PurgatoryOptions } from './core/purgatory.ts'
export { PurgatoryTimer } from './requests/purgatory-timer.ts'
export { FetchSessionCache } from './core/fetch-session-cache.ts'
export type {
  FetchContext,
  FetchSessionCacheOptions,
  FetchSessionRequest,
  SessionResponse,
} from './core/fetch-session-cache.ts'
export { FINAL_FETCH_EPOCH, FULL_FETCH_EPOCH, NO_SESSION_ID } from './core/fetch-session.ts'
export type {
  SessionFetchPartition,
  SessionNaming,
  SessionPartitionName,
  SessionPartitionResult,
} from './core/fetch-session.ts'
