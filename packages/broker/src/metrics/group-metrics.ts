/**
 * `kafka_consumergroup_*` (names of kafka_exporter) and `kafka_coordinator_group_*`: each group from its coordinator alone.
 * Lag is end offset minus committed offset; the end is read after the committed offset, and a lag is never negative.
 */
import type { GaugeSample, Metrics } from '@kavka/kernel'
import type { TopicPartition } from '@kavka/protocol'
import type { GroupStateName, GroupView } from '../groups/group-coordinator-api.ts'

export interface GroupMetricsSource {
  groups(): Iterable<GroupView>
  /** High watermark as last known: exact for partitions led here; null when no leader has told it yet. */
  endOffset(topicPartition: TopicPartition): number | null
}

interface PartitionLag {
  readonly group: string
  readonly topic: string
  readonly partition: string
  readonly committed: number
  readonly lag: number | null
}

const stateByMetric: ReadonlyArray<readonly [suffix: string, state: GroupStateName]> = [
  ['stable', 'Stable'],
  ['empty', 'Empty'],
  ['dead', 'Dead'],
  ['preparingrebalance', 'PreparingRebalance'],
  ['completingrebalance', 'CompletingRebalance'],
]

export function registerGroupMetrics(metrics: Metrics, source: GroupMetricsSource): void {
  registerPartitionLags(metrics, source)
  registerSums(metrics, source)
  metrics.gauge({
    name: 'kafka_consumergroup_members', help: 'Members of a group.', labels: ['consumergroup'],
    collect: () => Array.from(source.groups(), ({ groupId, memberCount }): GaugeSample => [memberCount, groupId]),
  })
  registerGroupCounts(metrics, source)
}

function registerPartitionLags(metrics: Metrics, source: GroupMetricsSource): void {
  const labels = ['consumergroup', 'topic', 'partition'] as const
  metrics.gauge({
    name: 'kafka_consumergroup_current_offset', help: 'Committed offset.', labels,
    collect: () => lagsOf(source).map((one): GaugeSample => [one.committed, one.group, one.topic, one.partition]),
  })
  metrics.gauge({
    name: 'kafka_consumergroup_lag', help: 'Records after the committed offset.', labels,
    collect: () => known(lagsOf(source)).map((one): GaugeSample => [one.lag, one.group, one.topic, one.partition]),
  })
}

function registerSums(metrics: Metrics, source: GroupMetricsSource): void {
  const labels = ['consumergroup', 'topic'] as const
  metrics.gauge({
    name: 'kafka_consumergroup_current_offset_sum', help: 'Sum of the committed offsets of a topic.', labels,
    collect: () => sums(lagsOf(source), ({ committed }) => committed),
  })
  metrics.gauge({
    name: 'kafka_consumergroup_lag_sum', help: 'Records of a topic after the committed offsets.', labels,
    collect: () => sums(known(lagsOf(source)), ({ lag }) => lag),
  })
}

function registerGroupCounts(metrics: Metrics, source: GroupMetricsSource): void {
  const name = 'kafka_coordinator_group_groupmetadatamanager_numgroups'
  metrics.gauge({ name, help: 'Groups coordinated here.', collect: () => [[[...source.groups()].length]] })
  for (const [suffix, state] of stateByMetric) {
    metrics.gauge({
      name: `${name}${suffix}`, help: `Groups in state ${state}.`,
      collect: () => [[[...source.groups()].filter((group) => group.state === state).length]],
    })
  }
}

function lagsOf(source: GroupMetricsSource): PartitionLag[] {
  const lags: PartitionLag[] = []
  for (const { groupId, offsets } of source.groups()) {
    for (const { topic, partition, committedOffset } of offsets) {
      const end = source.endOffset({ topic, partition })
      const lag = end === null ? null : Math.max(0, end - committedOffset)
      lags.push({ group: groupId, topic, partition: String(partition), committed: committedOffset, lag })
    }
  }
  return lags
}

function known(lags: readonly PartitionLag[]): (PartitionLag & { readonly lag: number })[] {
  return lags.filter((one): one is PartitionLag & { readonly lag: number } => one.lag !== null)
}

function sums<T extends PartitionLag>(lags: readonly T[], valueOf: (lag: T) => number): GaugeSample[] {
  const byTopic = new Map<string, { value: number; readonly group: string; readonly topic: string }>()
  for (const lag of lags) {
    const key = `${lag.group}\u0000${lag.topic}`
    const sum = byTopic.get(key) ?? { value: 0, group: lag.group, topic: lag.topic }
    sum.value += valueOf(lag)
    byTopic.set(key, sum)
  }
  return Array.from(byTopic.values(), ({ value, group, topic }) => [value, group, topic])
}
