/** `kafka_controller_*` and `kafka_server_raftmetrics_*`: from the metadata at the active controller, from the quorum at every node. */
import type { GaugeSample, Metrics } from '@kavka/kernel'
import type { ControllerMetricsView, QuorumState } from '@kavka/controller'

export interface RaftMetricsSource {
  state(): QuorumState
}

/** Kafka exposes the counts at every controller; here one that is not active says 0, so that sums over nodes are right. */
export function registerControllerMetrics(metrics: Metrics, view: ControllerMetricsView): void {
  const gauge = (name: string, help: string, valueOf: () => number): void => {
    const collect = (): GaugeSample[] => [[view.activeControllerCount === 1 ? valueOf() : 0]]
    metrics.gauge({ name: `kafka_controller_kafkacontroller_${name}`, help, collect })
  }
  gauge('activecontrollercount', '1 at the active controller.', () => 1)
  gauge('offlinepartitionscount', 'Partitions without a leader.', () => view.offlinePartitionsCount)
  gauge('preferredreplicaimbalancecount', 'Partitions whose first replica does not lead.', () => view.preferredReplicaImbalanceCount)
  gauge('globaltopiccount', 'Topics.', () => view.globalTopicCount)
  gauge('globalpartitioncount', 'Partitions.', () => view.globalPartitionCount)
  gauge('activebrokercount', 'Unfenced brokers.', () => view.activeBrokerCount)
  gauge('fencedbrokercount', 'Fenced brokers.', () => view.fencedBrokerCount)
  metrics.gauge({
    name: 'kafka_controller_kafkacontroller_metadataerrorcount', help: 'Steps of the metadata that a part of this node failed to apply.',
    collect: () => [[view.metadataErrorCount]],
  })
  registerCounters(metrics, view)
}

function registerCounters(metrics: Metrics, view: ControllerMetricsView): void {
  metrics.observedCounter({
    name: 'kafka_controller_controllerstats_uncleanleaderelections_total', help: 'Elections of a leader that may lack acknowledged records.',
    collect: () => [[view.uncleanLeaderElectionsTotal]],
  })
  metrics.observedCounter({
    name: 'kafka_controller_kafkacontroller_timedoutbrokerheartbeat_total', help: 'Brokers fenced because they were silent.',
    collect: () => [[view.timedOutBrokerHeartbeatTotal]],
  })
  metrics.observedCounter({
    name: 'kafka_controller_kafkacontroller_newactivecontrollers_total', help: 'Times that this node became the active controller.',
    collect: () => [[view.newActiveControllersTotal]],
  })
}

export function registerRaftMetrics(metrics: Metrics, source: RaftMetricsSource): void {
  const gauge = (name: string, help: string, valueOf: (state: QuorumState) => number): void => {
    metrics.gauge({ name: `kafka_server_raftmetrics_${name}`, help, collect: () => [[valueOf(source.state())]] })
  }
  gauge('current_leader', 'Node id of the leader of the quorum, -1 when unknown.', (state) => state.leaderId ?? -1)
  gauge('current_epoch', 'Epoch of the quorum.', (state) => state.epoch)
  gauge('high_watermark', 'Offset after the last committed metadata record.', (state) => state.highWatermark)
  gauge('log_end_offset', 'Offset after the last metadata record here.', (state) => state.logEndOffset)
  gauge('number_of_voters', 'Voters of the quorum.', (state) => state.voterIds.length)
  metrics.gauge({
    name: 'kafka_server_raftmetrics_current_state', help: 'Role in the quorum, as a label.', labels: ['current_state'],
    collect: (): GaugeSample[] => [[1, source.state().kind]],
  })
}
