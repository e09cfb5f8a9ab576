/** The part of a node with the role broker: logs, replicas, coordinators, and its membership in the cluster. */
import { failure, success } from '@kavka/kernel'
import type { BrokerConfig, Result } from '@kavka/kernel'
import type { MetadataChanges, MetadataImage, MetadataPublisher } from '@kavka/controller'
import { nodeId as brandedNodeId } from '@kavka/protocol'
import type { BrokerEpoch } from '@kavka/protocol'
import { FetchSessionCache, ReplicaManagerShell } from '@kavka/replication'
import { logManagerDefaults, LogManager } from '@kavka/storage'
import { GrpcReplicationTransport, plaintext } from '@kavka/transport'
import type { DynamicConfig } from '../configs/dynamic-config.ts'
import type { LoggerLevels } from '../configs/logger-levels.ts'
import { LogBackedGroupCoordinator } from '../groups/group-coordinator.ts'
import { ProducerIdManager } from '../producer-ids/producer-ids.ts'
import type { MetadataSide } from './metadata-side.ts'
import type { NodeDependencies, NodeSettings } from './node-settings.ts'

/** Requests parked in each purgatory. */
const PARKED_MAX = 100_000
/** So that a frame fits the memory a follower reads into. */
const REPLICA_FRAME_BYTES_MAX = 448 * 1024
/** Few, so that what a busy follower has not handled yet comes in fewer and larger frames. */
const REPLICA_FRAMES_IN_FLIGHT_MAX = 3
const REPLICA_BACKOFF_MS_MIN = 20
const FETCH_SESSION_EVICTION_MS = 120_000
const RACK_AWARE_SELECTOR = 'org.apache.kafka.common.replica.RackAwareReplicaSelector'
const FLUSH_CHECK_INTERVAL_MS = 1_000

export interface BrokerSide {
  readonly logs: LogManager
  readonly replicas: ReplicaManagerShell
  readonly transport: GrpcReplicationTransport
  readonly groups: LogBackedGroupCoordinator
  readonly producerIds: ProducerIdManager
  readonly fetchSessions: FetchSessionCache
  readonly dynamicConfig: DynamicConfig
}

interface BrokerSideDependencies extends NodeDependencies {
  readonly loggers: LoggerLevels
  brokerEpoch(): BrokerEpoch
  /** See BrokerLifecycle. */
  isCountedIn(): boolean
}

/** Opens and recovers the logs. The error is a sentence for the operator. */
export async function openLogs(
  settings: NodeSettings,
  dynamicConfig: DynamicConfig,
  deps: NodeDependencies & { readonly loggers: LoggerLevels },
): Promise<Result<LogManager, string>> {
  const { config, layout, clusterId } = settings
  const opened = await LogManager.open(
    {
      ...logManagerDefaults,
      logDirs: layout.dataDirectories,
      clusterId,
      nodeId: brandedNodeId(config.nodeId),
      configOf: (topic) => dynamicConfig.topicConfig(topic),
      retentionCheckIntervalMs: config.logRetentionCheckIntervalMs,
      highWatermarkCheckpointIntervalMs: config.replicaHighWatermarkCheckpointIntervalMs,
      recoveryPointCheckpointIntervalMs: Math.max(FLUSH_CHECK_INTERVAL_MS, config.logFlushOffsetCheckpointIntervalMs),
      logStartOffsetCheckpointIntervalMs: Math.max(FLUSH_CHECK_INTERVAL_MS, config.logFlushStartOffsetCheckpointIntervalMs),
      recoveriesAtOnceMax: config.numRecoveryThreadsPerDataDir,
      flushCheckIntervalMs: Math.min(FLUSH_CHECK_INTERVAL_MS, config.logFlushSchedulerIntervalMs),
      producerIdExpirationMs: config.producerIdExpirationMs,
      producerIdExpirationCheckIntervalMs: config.producerIdExpirationCheckIntervalMs,
      tailCacheBytesMax: config.kavkaTailCacheBytes,
      openFilesMax: config.kavkaOpenFilesMax,
    },
    { fs: deps.fs, scheduler: deps.scheduler, random: deps.random, logger: deps.loggers.get('kafka.log.LogManager') },
  )
  return opened.ok ? success(opened.value) : failure(opened.error.message)
}

export function createBrokerSide(
  settings: NodeSettings,
  metadata: MetadataSide,
  opened: { readonly logs: LogManager; readonly dynamicConfig: DynamicConfig },
  deps: BrokerSideDependencies,
): BrokerSide {
  const { config, clusterId } = settings
  const { scheduler, random, loggers } = deps
  const { logs, dynamicConfig } = opened
  const nodeId = brandedNodeId(config.nodeId)
  const transport = new GrpcReplicationTransport(
    { clusterId, nodeId },
    { scheduler, logger: loggers.get('kafka.server.ReplicaFetcherManager'), credentialsOf: plaintext },
  )
  const replicas = new ReplicaManagerShell(replicaManagerOptions(settings), {
    logs,
    transport,
    controller: metadata.channel,
    scheduler,
    random,
    logger: loggers.get('kafka.server.ReplicaManager'),
    brokerEpoch: () => deps.brokerEpoch(),
    // The dynamic configuration is updated before the replica manager is told of the same image.
    logConfigOf: (topic) => dynamicConfig.topicConfig(topic),
  })
  const groups = new LogBackedGroupCoordinator(config, {
    replicas, scheduler, random, logger: loggers.get('org.apache.kafka.coordinator.group.GroupCoordinatorService'),
    image: () => metadata.loader.publishedImage,
    isCountedIn: () => deps.isCountedIn(),
  })
  const fetchSessions = new FetchSessionCache(
    { sessionsMax: config.maxIncrementalFetchSessionCacheSlots, evictionMs: FETCH_SESSION_EVICTION_MS }, { random },
  )
  return { logs, replicas, transport, groups, producerIds: createProducerIds(settings, metadata, deps), fetchSessions, dynamicConfig }
}

function createProducerIds({ config }: NodeSettings, { channel }: MetadataSide, deps: BrokerSideDependencies): ProducerIdManager {
  const logger = deps.loggers.get('org.apache.kafka.coordinator.transaction.RPCProducerIdManager')
  const { scheduler } = deps
  return new ProducerIdManager({ nodeId: brandedNodeId(config.nodeId) }, { channel, scheduler, logger, brokerEpoch: () => deps.brokerEpoch() })
}

function replicaManagerOptions({ config, layout, clusterId }: NodeSettings): ConstructorParameters<typeof ReplicaManagerShell>[0] {
  return {
    nodeId: brandedNodeId(config.nodeId),
    clusterId,
    interBrokerListener: layout.interBrokerListener,
    rack: config.brokerRack,
    replicaLagTimeMsMax: config.replicaLagTimeMaxMs,
    fetchBytesMax: config.fetchMaxBytes,
    replicaFrameBytesMax: Math.min(config.replicaFetchMaxBytes, REPLICA_FRAME_BYTES_MAX),
    replicaFramesInFlightMax: REPLICA_FRAMES_IN_FLIGHT_MAX,
    replicaBackoff: { delayMsMin: Math.min(REPLICA_BACKOFF_MS_MIN, config.replicaFetchBackoffMs), delayMsMax: Math.max(1, config.replicaFetchBackoffMs) },
    replicaSelector: config.replicaSelectorClass === RACK_AWARE_SELECTOR ? 'rack-aware' : 'leader',
    controllerRequestTimeoutMs: config.requestTimeoutMs,
    parkedMax: PARKED_MAX,
  }
}

export interface BrokerPublisherEvents {
  brokerConfigChanged(config: BrokerConfig): void
  topicsDeleted(names: readonly string[]): void
  /** Everything of this image is in force on this broker. */
  applied(image: MetadataImage, changes: MetadataChanges): void
}

/** The order in which a broker acts on metadata: settings first, then replicas, then the coordinators on top of them. */
export function brokerPublisher(side: BrokerSide, events: BrokerPublisherEvents): MetadataPublisher {
  return {
    publish: (image: MetadataImage, changes: MetadataChanges, previous: MetadataImage) => {
      side.dynamicConfig.update(image, changes, { brokerChanged: (config) => events.brokerConfigChanged(config) })
      side.replicas.publish(image, changes, previous)
      side.groups.publish(image, changes)
      const deleted = Array.from(changes.topicsDeleted.values(), ({ name }) => name)
      if (deleted.length > 0) events.topicsDeleted(deleted.filter((name) => !image.topics.byName.has(name)))
      events.applied(image, changes)
    },
  }
}
