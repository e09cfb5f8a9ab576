/** The table of requests that the active controller answers: API key → what to decide. */
import type { Scheduler } from '@kavka/kernel'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type {
  AllocateProducerIdsRequest,
  AlterConfigsRequest,
  AlterPartitionReassignmentsRequest,
  AlterPartitionRequest,
  AssignReplicasToDirsRequest,
  BrokerEpoch,
  BrokerHeartbeatRequest,
  BrokerRegistrationRequest,
  ControllerRegistrationRequest,
  CreatePartitionsRequest,
  CreateTopicsRequest,
  DeleteTopicsRequest,
  DescribeQuorumRequest,
  ElectLeadersRequest,
  IncrementalAlterConfigsRequest,
  ListPartitionReassignmentsRequest,
  NodeId,
  UnregisterBrokerRequest,
  UpdateFeaturesRequest,
} from '@kavka/protocol'
import type { BrokerSessions } from '../metadata/brokers/broker-sessions.ts'
import { decideHeartbeat } from '../metadata/brokers/heartbeat.ts'
import { decideRegisterBroker } from '../metadata/brokers/register-broker.ts'
import { decideRegisterController } from '../metadata/brokers/register-controller.ts'
import { decideUnregisterBroker } from '../metadata/brokers/unregister-broker.ts'
import { decideAlterConfigs, decideIncrementalAlterConfigs } from '../metadata/configs/alter-configs.ts'
import type { Decision, DecisionContext } from '../metadata/decision.ts'
import { decided } from '../metadata/decision.ts'
import { decideUpdateFeatures } from '../metadata/features/update-features.ts'
import { decideAlterPartition } from '../metadata/partitions/alter-partition.ts'
import { decideAlterReassignments } from '../metadata/partitions/alter-reassignments.ts'
import { decideAssignReplicasToDirs } from '../metadata/partitions/assign-replicas-to-dirs.ts'
import { decideElectLeaders } from '../metadata/partitions/elect-leaders.ts'
import { listReassignments } from '../metadata/partitions/list-reassignments.ts'
import { decideAllocateProducerIds } from '../metadata/producer-ids/allocate-producer-ids.ts'
import { decideCreatePartitions } from '../metadata/topics/create-partitions.ts'
import { decideCreateTopics } from '../metadata/topics/create-topics.ts'
import { decideDeleteTopics } from '../metadata/topics/delete-topics.ts'
import type { QuorumState } from '../quorum/driver-contract.ts'
import { describeQuorum } from './describe-quorum.ts'
import type { Assurance } from './operation.ts'

/** What requests need besides the image. */
export interface RequestServices {
  readonly sessions: BrokerSessions
  readonly scheduler: Scheduler
  readonly quorum: { readonly state: QuorumState }
}

type Decide = (
  context: DecisionContext,
  body: never,
  version: number,
  services: RequestServices,
) => Decision<unknown>

const table: ReadonlyMap<number, Decide> = new Map<number, Decide>([
  [ApiKey.BrokerRegistration, decideRegistrationAndOpenSession],
  [ApiKey.BrokerHeartbeat, decideHeartbeatOfSession],
  [
    ApiKey.UnregisterBroker,
    (context, body: UnregisterBrokerRequest) => decideUnregisterBroker(context, body),
  ],
  [
    ApiKey.ControllerRegistration,
    (context, body: ControllerRegistrationRequest) => decideRegisterController(context, body),
  ],
  [
    ApiKey.AllocateProducerIds,
    (context, body: AllocateProducerIdsRequest) => decideAllocateProducerIds(context, body),
  ],
  [
    ApiKey.AlterPartition,
    (context, body: AlterPartitionRequest, version) => decideAlterPartition(context, body, version),
  ],
  [
    ApiKey.AssignReplicasToDirs,
    (context, body: AssignReplicasToDirsRequest) => decideAssignReplicasToDirs(context, body),
  ],
  [
    ApiKey.AlterPartitionReassignments,
    (context, body: AlterPartitionReassignmentsRequest) => decideAlterReassignments(context, body),
  ],
  [
    ApiKey.ListPartitionReassignments,
    ({ image }, body: ListPartitionReassignmentsRequest) => decided([], listReassignments(image, body)),
  ],
  [ApiKey.ElectLeaders, (context, body: ElectLeadersRequest) => decideElectLeaders(context, body)],
  [ApiKey.CreateTopics, (context, body: CreateTopicsRequest) => decideCreateTopics(context, body)],
  [
    ApiKey.DeleteTopics,
    (context, body: DeleteTopicsRequest, version) => decideDeleteTopics(context, body, version),
  ],
  [
    ApiKey.CreatePartitions,
    (context, body: CreatePartitionsRequest) => decideCreatePartitions(context, body),
  ],
  [ApiKey.AlterConfigs, (context, body: AlterConfigsRequest) => decideAlterConfigs(context, body)],
  [
    ApiKey.IncrementalAlterConfigs,
    (context, body: IncrementalAlterConfigsRequest) => decideIncrementalAlterConfigs(context, body),
  ],
  [
    ApiKey.UpdateFeatures,
    (context, body: UpdateFeaturesRequest, version) => decideUpdateFeatures(context, body, version),
  ],
  [
    ApiKey.DescribeQuorum,
    ({ image }, body: DescribeQuorumRequest, version, { quorum }) => {
      return decided([], describeQuorum(body, version, quorum.state, image))
    },
  ],
])

/** Requests that `QuorumController.handle` answers with more than UNSUPPORTED_VERSION. */
export const controllerApiKeys: readonly number[] = [...table.keys()]

/**
 * Heartbeats come all the time, and who lives by their answers (a coordinator's own lease) allows for more than the voters' lease can be
 * wrong by. What DescribeQuorum tells is this leader's own view.
 */
export function assuranceOf(apiKey: number): Assurance {
  return apiKey === ApiKey.BrokerHeartbeat || apiKey === ApiKey.DescribeQuorum ? 'lease' : 'commit'
}

/** An API that is not in the table has UNSUPPORTED_VERSION at the top of its response. */
export function decideRequest(
  context: DecisionContext,
  request: { readonly apiKey: number; readonly apiVersion: number; readonly body: unknown },
  services: RequestServices,
): Decision<unknown> {
  const decide = table.get(request.apiKey)
  if (decide === undefined) return decided([], { errorCode: ErrorCode.UNSUPPORTED_VERSION })
  return decide(context, request.body as never, request.apiVersion, services)
}

function decideRegistrationAndOpenSession(
  context: DecisionContext,
  body: BrokerRegistrationRequest,
  _version: number,
  { sessions, scheduler }: RequestServices,
): Decision<unknown> {
  const decision = decideRegisterBroker(context, body, sessions, scheduler.monotonicMs())
  if (decision.records.length === 0) return decision
  return {
    ...decision,
    respond: (offset) => {
      const response = decision.respond(offset)
      sessions.registered(
        body.brokerId as NodeId,
        response.brokerEpoch as BrokerEpoch,
        scheduler.monotonicMs(),
      )
      return response
    },
  }
}

function decideHeartbeatOfSession(
  context: DecisionContext,
  body: BrokerHeartbeatRequest,
  _version: number,
  { sessions, scheduler }: RequestServices,
): Decision<unknown> {
  const brokerId = body.brokerId as NodeId
  const broker = context.image.brokers.get(brokerId)
  if (broker !== undefined && broker.epoch === body.brokerEpoch) {
    sessions.heartbeat(brokerId, broker.epoch, body.currentMetadataOffset, scheduler.monotonicMs())
  }
  const { next, ...decision } = decideHeartbeat(context, body, sessions)
  if (broker?.fenced === false && (next === 'fenced' || next === 'may-stop')) sessions.fencing(brokerId)
  return {
    ...decision,
    respond: (offset) => {
      const moved = decision.records.length > 0 || sessions.controlledShutdownOffset(brokerId) === null
      if (next === 'controlled-shutdown' && moved) sessions.shutdownRecordsAt(brokerId, offset)
      // Its successor may register at once.
      if (next === 'may-stop') sessions.ended(brokerId)
      return decision.respond(offset)
    },
  }
}
