/** Counters and queues of replication: ISR changes, bytes between brokers, purgatories. */
import type { Metrics } from '@kavka/kernel'
import type { ReplicationMetricsView } from '@kavka/replication'

export function registerReplicationMetrics(metrics: Metrics, view: () => ReplicationMetricsView): void {
  const counter = (name: string, help: string, valueOf: (view: ReplicationMetricsView) => number): void =>
    metrics.observedCounter({ name, help, collect: () => [[valueOf(view())]] })
  counter('kafka_server_replicamanager_isrshrinks_total', 'Replicas that left an in-sync set.', ({ counters }) => counters.isrShrinks)
  counter('kafka_server_replicamanager_isrexpands_total', 'Replicas that joined an in-sync set.', ({ counters }) => counters.isrExpands)
  counter('kafka_server_replicamanager_failedisrupdates_total', 'Changes of in-sync sets that the controller refused.', ({ counters }) => counters.failedIsrUpdates)
  counter('kafka_server_brokertopicmetrics_replicationbytesin_total', 'Bytes received as a follower.', ({ counters }) => counters.bytesIn)
  counter('kafka_server_brokertopicmetrics_replicationbytesout_total', 'Bytes sent to followers.', ({ counters }) => counters.bytesOut)
  metrics.gauge({
    name: 'kafka_server_replicafetchermanager_maxlag', help: 'Records that the farthest follower of a partition led here lacks.',
    labels: ['client_id'], collect: () => [[view().lagRecordsMax, 'Replica']],
  })
  metrics.gauge({
    name: 'kafka_server_replicafetchermanager_failedpartitionscount', help: 'Partitions that fetchers try again and again.',
    labels: ['client_id'], collect: () => [[view().troubledPartitionCount, 'Replica']],
  })
  metrics.gauge({
    name: 'kafka_server_delayedoperationpurgatory_purgatorysize', help: 'Requests parked.', labels: ['delayed_operation'],
    collect: () => {
      const { producePurgatorySize, fetchPurgatorySize, deleteRecordsPurgatorySize } = view()
      return [[producePurgatorySize, 'Produce'], [fetchPurgatorySize, 'Fetch'], [deleteRecordsPurgatorySize, 'DeleteRecords']]
    },
  })
}
