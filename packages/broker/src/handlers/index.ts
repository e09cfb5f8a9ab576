/** THE table: every API that Kavka serves, by the role of the listener. ApiVersions is computed from it. */
import { controllerApiKeys } from '@kavka/controller'
import { apis } from '@kavka/protocol'
import { alterConfigsHandler } from './configs/alter-configs.ts'
import { alterPartitionReassignmentsHandler } from './forwarded/alter-partition-reassignments.ts'
import type { AnyApiHandler } from './api-table.ts'
import { apiVersionsHandler } from './cluster/api-versions.ts'
import { createPartitionsHandler } from './forwarded/create-partitions.ts'
import { createTopicsHandler } from './forwarded/create-topics.ts'
import { deleteGroupsHandler } from './groups/delete-groups.ts'
import { deleteRecordsHandler } from './records/delete-records.ts'
import { deleteTopicsHandler } from './forwarded/delete-topics.ts'
import { describeClusterHandler } from './cluster/describe-cluster.ts'
import { describeConfigsHandler } from './configs/describe-configs.ts'
import { describeGroupsHandler } from './groups/describe-groups.ts'
import { describeLogDirsHandler } from './cluster/describe-log-dirs.ts'
import { describeProducersHandler } from './records/describe-producers.ts'
import { describeQuorumHandler } from './forwarded/describe-quorum.ts'
import { describeTopicPartitionsHandler } from './cluster/describe-topic-partitions.ts'
import { electLeadersHandler } from './forwarded/elect-leaders.ts'
import { fetchHandler } from './records/fetch.ts'
import { findCoordinatorHandler } from './groups/find-coordinator.ts'
import { heartbeatHandler } from './groups/heartbeat.ts'
import { incrementalAlterConfigsHandler } from './configs/incremental-alter-configs.ts'
import { initProducerIdHandler } from './records/init-producer-id.ts'
import { joinGroupHandler } from './groups/join-group.ts'
import { leaveGroupHandler } from './groups/leave-group.ts'
import { listConfigResourcesHandler } from './configs/list-config-resources.ts'
import { listGroupsHandler } from './groups/list-groups.ts'
import { listOffsetsHandler } from './records/list-offsets.ts'
import { listPartitionReassignmentsHandler } from './forwarded/list-partition-reassignments.ts'
import { metadataHandler } from './cluster/metadata.ts'
import { offsetCommitHandler } from './groups/offset-commit.ts'
import { offsetDeleteHandler } from './groups/offset-delete.ts'
import { offsetFetchHandler } from './groups/offset-fetch.ts'
import { offsetForLeaderEpochHandler } from './records/offset-for-leader-epoch.ts'
import { produceHandler } from './records/produce.ts'
import type { BrokerServices, NodeServices } from './services.ts'
import { syncGroupHandler } from './groups/sync-group.ts'
import { unregisterBrokerHandler } from './forwarded/unregister-broker.ts'
import { updateFeaturesHandler } from './forwarded/update-features.ts'

/** Those that the controller of this version answers: what it does not have is not advertised. */
function answerable(handlers: readonly AnyApiHandler<NodeServices>[]): readonly AnyApiHandler<NodeServices>[] {
  return handlers.filter(({ apiKey }) => apis.get(apiKey)?.forwardedToController !== true || controllerApiKeys.includes(apiKey))
}

/** Served on both kinds of listener: forwarded by brokers, answered by controllers (KIP-919). */
const sharedHandlers: readonly AnyApiHandler<NodeServices>[] = answerable([
  apiVersionsHandler,
  createTopicsHandler,
  deleteTopicsHandler,
  createPartitionsHandler,
  describeConfigsHandler,
  alterConfigsHandler,
  incrementalAlterConfigsHandler,
  electLeadersHandler,
  alterPartitionReassignmentsHandler,
  listPartitionReassignmentsHandler,
  describeQuorumHandler,
  updateFeaturesHandler,
  describeClusterHandler,
  unregisterBrokerHandler,
])

export const controllerHandlers: readonly AnyApiHandler<NodeServices>[] = sharedHandlers

export const brokerHandlers: readonly AnyApiHandler<BrokerServices>[] = [
  ...sharedHandlers,
  produceHandler,
  fetchHandler,
  listOffsetsHandler,
  metadataHandler,
  offsetForLeaderEpochHandler,
  deleteRecordsHandler,
  describeLogDirsHandler,
  describeProducersHandler,
  describeTopicPartitionsHandler,
  listConfigResourcesHandler,
  deleteGroupsHandler,
  describeGroupsHandler,
  findCoordinatorHandler,
  heartbeatHandler,
  initProducerIdHandler,
  joinGroupHandler,
  leaveGroupHandler,
  listGroupsHandler,
  offsetCommitHandler,
  offsetDeleteHandler,
  offsetFetchHandler,
  syncGroupHandler,
]
