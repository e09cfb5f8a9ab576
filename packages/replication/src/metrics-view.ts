import type { DeleteRecordsPath } from './requests/delete-records-path.ts'
import type { FetchPath } from './requests/fetch-path.ts'
import type { FollowerFetchers } from './streams/follower-fetchers.ts'
import type { Partition } from './partition/partition.ts'
import type { ProducePath } from './requests/produce-path.ts'
import type { ReplicationCounters } from './replication-counters.ts'

/** What `/metrics` reads of replication. Counters are kept; gauges are counted when asked. */
export interface ReplicationMetricsView {
  readonly counters: Readonly<ReplicationCounters>
  /** Replicas here, led or followed. */
  readonly partitionCount: number
  readonly leaderCount: number
  readonly underReplicatedCount: number
  readonly underMinIsrCount: number
  readonly atMinIsrCount: number
  readonly offlineReplicaCount: number
  readonly reassigningCount: number
  /** Records that the farthest follower of a partition led here lacks. */
  readonly lagRecordsMax: number
  readonly producePurgatorySize: number
  readonly fetchPurgatorySize: number
  readonly deleteRecordsPurgatorySize: number
  /** Partitions that fetchers try again and again. */
  readonly troubledPartitionCount: number
}

export interface MetricsSources {
  readonly partitions: () => Iterable<Partition>
  readonly counters: ReplicationCounters
  readonly produce: ProducePath
  readonly fetch: FetchPath
  readonly deletions: DeleteRecordsPath
  readonly fetchers: FollowerFetchers
}

/** One pass over the partitions. */
export function readMetrics(sources: MetricsSources): ReplicationMetricsView {
  const tally = { partitionCount: 0, leaderCount: 0, offlineReplicaCount: 0, reassigningCount: 0 }
  const isr = { underReplicatedCount: 0, underMinIsrCount: 0, atMinIsrCount: 0, lagRecordsMax: 0 }
  for (const partition of sources.partitions()) {
    tally.partitionCount++
    if (partition.role === 'offline') tally.offlineReplicaCount++
    const state = partition.leaderState
    if (state === null) continue
    tally.leaderCount++
    if (partition.isReassigning) tally.reassigningCount++
    if (partition.isUnderReplicated) isr.underReplicatedCount++
    if (state.isUnderMinIsr) isr.underMinIsrCount++
    if (state.isAtMinIsr) isr.atMinIsrCount++
    isr.lagRecordsMax = Math.max(isr.lagRecordsMax, state.lagRecordsMax)
  }
  return {
    ...tally,
    ...isr,
    counters: sources.counters,
    producePurgatorySize: sources.produce.purgatory.size,
    fetchPurgatorySize: sources.fetch.purgatory.size,
    deleteRecordsPurgatorySize: sources.deletions.purgatory.size,
    troubledPartitionCount: sources.fetchers.troubledPartitions,
  }
}
