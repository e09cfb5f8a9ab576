/** What handlers work with: one object for the life of the node, built by `node.ts`. */
import type { BrokerConfig, Logger, QuorumVoter, Random, Scheduler } from '@kavka/kernel'
import type { MetadataImage, SupportedFeature } from '@kavka/controller'
import type { NodeId, TopicPartition } from '@kavka/protocol'
import type { FetchSessionCache, ReplicaManager } from '@kavka/replication'
import type { ControllerGateway } from '../controller-gateway/controller-gateway.ts'
import type { GroupCoordinator } from '../groups/group-coordinator-api.ts'
import type { ProducerIds } from '../producer-ids/producer-ids.ts'
import type { LoggerLevels } from '../configs/logger-levels.ts'
import type { TopicMeters } from '../metrics/topic-meters.ts'
import type { Authorizer } from '../security/authorizer.ts'
import type { TopicCreation } from '../topic-creation/topic-creation.ts'
import type { ApiTable } from './api-table.ts'

/** Any node, on any listener. */
export interface NodeServices {
  readonly nodeId: NodeId
  readonly clusterId: string
  readonly config: BrokerConfig
  /** Keys set in the file or environment of this node, with their text. */
  readonly explicitConfig: ReadonlyMap<string, string>
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  readonly authorizer: Authorizer
  /** The newest metadata image that this node has replayed. */
  image(): MetadataImage
  readonly controller: ControllerGateway
  readonly loggers: LoggerLevels
  /** Feature levels that this version can do. */
  readonly supportedFeatures: readonly SupportedFeature[]
  /** The table that the request's listener serves: ApiVersions is computed from it. */
  apiTable(): ApiTable
  /** Controllers as `controller.quorum.voters` names them, for those that have not registered endpoints. */
  readonly voters: readonly QuorumVoter[]
}

/** A node with the broker role, on its client listeners. */
export interface BrokerServices extends NodeServices {
  readonly replicas: ReplicaManager
  readonly fetchSessions: FetchSessionCache
  readonly topicCreation: TopicCreation
  readonly topicMeters: TopicMeters
  readonly logDirectories: LogDirectories
  readonly groups: GroupCoordinator
  readonly producerIds: ProducerIds
}

/** The data directories, for DescribeLogDirs and metrics. */
export interface LogDirectories {
  list(): readonly LogDirectoryView[]
}

export interface LogDirectoryView {
  readonly path: string
  readonly state: 'online' | 'offline'
  readonly totalBytes: number
  readonly usableBytes: number
  readonly replicas: readonly { readonly topicPartition: TopicPartition; readonly sizeBytes: number; readonly offsetLag: number }[]
}

