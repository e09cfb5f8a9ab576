/** `kafka_topic_partition_*` and friends, with the names of kafka_exporter; each series from exactly one node: partitions from their leader, the cluster from its active controller. */
import type { GaugeSample, Metrics } from '@kavka/kernel'
import type { MetadataImage, PartitionRegistration } from '@kavka/controller'
import type { PartitionView } from '@kavka/replication'
import { isLed } from './partition-metrics.ts'

export interface TopicPartitionMetricsSource {
  partitions(): Iterable<PartitionView>
  image(): MetadataImage
  isActiveController(): boolean
  readonly interBrokerListener: string
}

const LABELS = ['topic', 'partition'] as const

export function registerTopicPartitionMetrics(metrics: Metrics, source: TopicPartitionMetricsSource): void {
  registerLedPartitions(metrics, source)
  registerCluster(metrics, source)
}

function registerLedPartitions(metrics: Metrics, source: TopicPartitionMetricsSource): void {
  const gauge = (name: string, help: string, valueOf: (view: PartitionView) => number): void => {
    metrics.gauge({
      name: `kafka_topic_partition_${name}`, help, labels: LABELS,
      collect: function* (): Iterable<GaugeSample> {
        for (const view of source.partitions()) {
          if (isLed(view)) yield [valueOf(view), view.topicPartition.topic, String(view.topicPartition.partition)]
        }
      },
    })
  }
  gauge('current_offset', 'High watermark: offset after the last record that consumers may read.', (view) => view.highWatermark)
  gauge('oldest_offset', 'First offset.', (view) => view.log.logStartOffset)
  gauge('leader', 'Node id of the leader.', (view) => view.leaderId ?? -1)
  gauge('replicas', 'Replicas.', (view) => view.replicas.length)
  gauge('in_sync_replica', 'In-sync replicas.', (view) => view.isr.length)
  gauge('leader_is_preferred', '1 when the first replica leads.', (view) => Number(view.replicas[0] === view.leaderId))
  gauge('under_replicated_partition', '1 when replicas are missing from the in-sync set.', (view) => Number(view.isUnderReplicated))
}

function registerCluster(metrics: Metrics, source: TopicPartitionMetricsSource): void {
  const whenActive = (collect: (image: MetadataImage) => Iterable<GaugeSample>) => (): Iterable<GaugeSample> =>
    source.isActiveController() ? collect(source.image()) : []
  metrics.gauge({
    name: 'kafka_brokers', help: 'Unfenced brokers.',
    collect: whenActive((image) => [[[...image.brokers.values()].filter(({ fenced }) => !fenced).length]]),
  })
  metrics.gauge({
    name: 'kafka_broker_info', help: 'Brokers and where they are.', labels: ['id', 'address'],
    collect: whenActive((image) => brokerInfos(image, source.interBrokerListener)),
  })
  metrics.gauge({
    name: 'kafka_topic_partitions', help: 'Partitions of a topic.', labels: ['topic'],
    collect: whenActive((image) => Array.from(image.topics.byName.values(), ({ name, partitions }) => [partitions.length, name])),
  })
}

function brokerInfos(image: MetadataImage, listener: string): GaugeSample[] {
  return Array.from(image.brokers.values(), ({ id, endpoints }) => {
    const endpoint = endpoints.find((one) => one.listener === listener) ?? endpoints[0]
    return [1, String(id), endpoint === undefined ? '' : `${endpoint.host}:${endpoint.port}`]
  })
}

/** Is the partition on its way to other replicas? */
export function isReassigning({ addingReplicas, removingReplicas }: PartitionRegistration): boolean {
  return addingReplicas.length > 0 || removingReplicas.length > 0
}
