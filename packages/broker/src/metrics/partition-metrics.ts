/** `kafka_server_replicamanager_*`, `kafka_cluster_partition_*`, `kafka_log_*`: the replicas of this broker, pulled on scrape. */
import type { GaugeSample, Metrics } from '@kavka/kernel'
import type { PartitionView } from '@kavka/replication'

export interface PartitionMetricsSource {
  partitions(): Iterable<PartitionView>
  offlineLogDirectories(): number
  /** Partitions led here that are being reassigned. */
  reassigning(): number
}

const PARTITION_LABELS = ['topic', 'partition'] as const

export function registerPartitionMetrics(metrics: Metrics, source: PartitionMetricsSource): void {
  registerCounts(metrics, source)
  registerLeaderViews(metrics, source)
  registerLogs(metrics, source)
}

function registerCounts(metrics: Metrics, source: PartitionMetricsSource): void {
  const count = (name: string, help: string, matches: (view: PartitionView) => boolean): void => {
    metrics.gauge({ name: `kafka_server_replicamanager_${name}`, help, collect: () => [[countOf(source.partitions(), matches)]] })
  }
  count('partitioncount', 'Replicas hosted here.', () => true)
  count('leadercount', 'Partitions led here.', isLed)
  count('underreplicatedpartitions', 'Led partitions with replicas outside the in-sync set.', (view) => isLed(view) && view.isUnderReplicated)
  count('underminisrpartitioncount', 'Led partitions with fewer in-sync replicas than min.insync.replicas.', (view) => isLed(view) && view.isUnderMinIsr)
  count('atminisrpartitioncount', 'Led partitions with exactly min.insync.replicas in sync.', (view) => isLed(view) && view.isAtMinIsr)
  count('offlinereplicacount', 'Replicas whose log directory failed.', ({ role }) => role === 'offline')
  metrics.gauge({
    name: 'kafka_server_replicamanager_reassigningpartitions', help: 'Led partitions that are being reassigned.',
    collect: () => [[source.reassigning()]],
  })
  metrics.gauge({
    name: 'kafka_log_logmanager_offlinelogdirectorycount', help: 'Log directories that failed.',
    collect: () => [[source.offlineLogDirectories()]],
  })
}

function registerLeaderViews(metrics: Metrics, source: PartitionMetricsSource): void {
  const gauge = (name: string, help: string, valueOf: (view: PartitionView) => number): void => {
    metrics.gauge({
      name: `kafka_cluster_partition_${name}`, help, labels: PARTITION_LABELS,
      collect: () => samplesOf(source.partitions(), isLed, valueOf),
    })
  }
  gauge('underreplicated', '1 when replicas are missing from the in-sync set.', (view) => Number(view.isUnderReplicated))
  gauge('underminisr', '1 when fewer replicas are in sync than min.insync.replicas.', (view) => Number(view.isUnderMinIsr))
  gauge('atminisr', '1 when exactly min.insync.replicas are in sync.', (view) => Number(view.isAtMinIsr))
  gauge('replicascount', 'Replicas of a partition led here.', (view) => view.replicas.length)
  gauge('insyncreplicascount', 'In-sync replicas of a partition led here.', (view) => view.isr.length)
  gauge('laststableoffsetlag', 'High watermark minus last stable offset.', (view) => view.highWatermark - view.log.lastStableOffset)
}

function registerLogs(metrics: Metrics, source: PartitionMetricsSource): void {
  const gauge = (name: string, help: string, valueOf: (view: PartitionView) => number): void => {
    metrics.gauge({
      name: `kafka_log_log_${name}`, help, labels: PARTITION_LABELS,
      collect: () => samplesOf(source.partitions(), ({ role }) => role !== 'offline', valueOf),
    })
  }
  gauge('size', 'Bytes on disk.', ({ log }) => log.sizeBytes)
  gauge('numlogsegments', 'Segments.', ({ log }) => log.segmentCount)
  gauge('logstartoffset', 'First offset.', ({ log }) => log.logStartOffset)
  gauge('logendoffset', 'Offset that the next record gets.', ({ log }) => log.logEndOffset)
}

export function isLed({ role }: PartitionView): boolean {
  return role === 'leader'
}

function countOf(views: Iterable<PartitionView>, matches: (view: PartitionView) => boolean): number {
  let count = 0
  for (const view of views) if (matches(view)) count++
  return count
}

function* samplesOf(
  views: Iterable<PartitionView>,
  matches: (view: PartitionView) => boolean,
  valueOf: (view: PartitionView) => number,
): Iterable<GaugeSample> {
  for (const view of views) {
    const { topic, partition } = view.topicPartition
    if (matches(view)) yield [valueOf(view), topic, String(partition)]
  }
}
