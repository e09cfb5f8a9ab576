/** Declares the metrics of a node over its parts; what is scraped is read from them at that moment. */
import type { Metrics } from '@kavka/kernel'
import type { MetadataImage } from '@kavka/controller'
import { nodeId as brandedNodeId } from '@kavka/protocol'
import type { NodeId, TopicPartition } from '@kavka/protocol'
import { brokerStateNumber } from '../lifecycle/broker-state.ts'
import type { BrokerLifecycle } from '../lifecycle/broker-lifecycle.ts'
import { registerControllerMetrics, registerRaftMetrics } from '../metrics/controller-metrics.ts'
import { registerProcessMetrics } from '../metrics/event-loop-metrics.ts'
import { registerGroupMetrics } from '../metrics/group-metrics.ts'
import { createLeaderOffsetsClient } from '../metrics/leader-offsets-client.ts'
import { registerNetworkMetrics } from '../metrics/network-metrics.ts'
import { registerPartitionMetrics } from '../metrics/partition-metrics.ts'
import { RemoteEndOffsets } from '../metrics/remote-end-offsets.ts'
import { registerReplicationMetrics } from '../metrics/replication-metrics.ts'
import { registerTopicPartitionMetrics } from '../metrics/topic-partition-metrics.ts'
import type { Listener } from '../net/listener.ts'
import type { BrokerSide } from './broker-side.ts'
import type { MetadataSide } from './metadata-side.ts'
import type { NodeDependencies, NodeSettings } from './node-settings.ts'

/** The text of a scrape; what other brokers must be asked for is asked first. */
export interface Scrape {
  text(): Promise<string>
  readonly contentType: string
}

export function registerNodeMetrics(
  settings: NodeSettings,
  deps: NodeDependencies,
  metadata: MetadataSide,
  listeners: readonly Listener[],
): void {
  const { metrics, version } = deps
  registerProcessMetrics(metrics)
  registerNetworkMetrics(metrics, listeners)
  registerRaftMetrics(metrics, { state: () => metadata.quorumState() })
  if (metadata.controller !== null) registerControllerMetrics(metrics, metadata.controller.metrics)
  metrics.gauge({
    name: 'kavka_build_info', help: 'Version of this node.', labels: ['version', 'node_id'],
    collect: () => [[1, version, String(settings.config.nodeId)]],
  })
}

export function registerBrokerMetrics(
  settings: NodeSettings,
  deps: NodeDependencies,
  metadata: MetadataSide,
  broker: BrokerSide,
  lifecycle: BrokerLifecycle,
): Scrape {
  const { metrics } = deps
  const image = (): MetadataImage => metadata.loader.publishedImage
  const interBrokerListener = settings.layout.interBrokerListener
  registerPartitionMetrics(metrics, {
    partitions: () => broker.replicas.partitions(),
    offlineLogDirectories: () => broker.logs.directories.filter(({ state }) => state === 'offline').length,
    reassigning: () => broker.replicas.metrics.reassigningCount,
  })
  registerReplicationMetrics(metrics, () => broker.replicas.metrics)
  registerTopicPartitionMetrics(metrics, {
    partitions: () => broker.replicas.partitions(),
    image,
    isActiveController: () => metadata.controller?.isActive ?? false,
    interBrokerListener,
  })
  registerBrokerState(metrics, broker, lifecycle, metadata)
  return registerLag(settings, deps, image, broker)
}

function registerBrokerState(metrics: Metrics, broker: BrokerSide, lifecycle: BrokerLifecycle, metadata: MetadataSide): void {
  metrics.gauge({
    name: 'kafka_server_kafkaserver_brokerstate', help: '3 when running; 1 starting, 6 leaving, 7 shutting down.',
    collect: () => [[brokerStateNumber(lifecycle.state)]],
  })
  metrics.gauge({
    name: 'kafka_server_fetchsessioncache_numincrementalfetchsessions', help: 'Incremental fetch sessions kept.',
    collect: () => [[broker.fetchSessions.size]],
  })
  metrics.gauge({
    name: 'kafka_server_fetchsessioncache_numincrementalfetchpartitionscached', help: 'Partitions of those sessions.',
    collect: () => [[broker.fetchSessions.partitionsCached]],
  })
  metrics.observedCounter({
    name: 'kafka_server_fetchsessioncache_incrementalfetchsessionevictions_total', help: 'Sessions that gave way to others.',
    collect: () => [[broker.fetchSessions.evictionsTotal]],
  })
  metrics.gauge({
    name: 'kafka_server_brokermetadatametrics_last_applied_record_offset', help: 'Newest metadata record in force here.',
    collect: () => [[metadata.loader.publishedImage.offset]],
  })
}

/** The coordinator of a group knows its offsets, the leaders of its partitions know where they end. */
function registerLag(settings: NodeSettings, deps: NodeDependencies, image: () => MetadataImage, broker: BrokerSide): Scrape {
  const nodeId: NodeId = brandedNodeId(settings.config.nodeId)
  const client = createLeaderOffsetsClient({ scheduler: deps.scheduler })
  const remote = new RemoteEndOffsets(
    { nodeId, interBrokerListener: settings.layout.interBrokerListener }, { clock: deps.scheduler, client, image },
  )
  registerGroupMetrics(deps.metrics, {
    groups: () => broker.groups.groups(),
    endOffset: (topicPartition) => localEndOffset(broker, topicPartition) ?? remote.get(topicPartition),
  })
  return {
    contentType: deps.metrics.contentType,
    text: async () => {
      await remote.refresh(committedPartitions(broker))
      return deps.metrics.text()
    },
  }
}

function localEndOffset(broker: BrokerSide, topicPartition: TopicPartition): number | null {
  const view = broker.replicas.partition(topicPartition)
  return view?.role === 'leader' ? view.highWatermark : null
}

function* committedPartitions(broker: BrokerSide): Iterable<TopicPartition> {
  for (const { offsets } of broker.groups.groups()) for (const { topic, partition } of offsets) yield { topic, partition }
}
