/** `kafka_controller_*` and `kafka_server_raftmetrics_*`: from the metadata at the active controller, from the quorum at every node. */
import type { Counter, GaugeSample, Metrics } from '@kavka/kernel'
import type { MetadataImage, PartitionRegistration, QuorumState } from '@kavka/controller'

export interface ControllerMetricsSource {
  image(): MetadataImage
  /** Does this node lead the quorum, and has it taken over? */
  isActive(): boolean
}

export interface RaftMetricsSource {
  state(): QuorumState
}

/** Kafka exposes the counts at every controller; here a controller that is not active says 0, so that sums over nodes are right. */
export function registerControllerMetrics(metrics: Metrics, source: ControllerMetricsSource): { readonly uncleanElections: Counter } {
  const gauge = (name: string, help: string, valueOf: (image: MetadataImage) => number): void => {
    metrics.gauge({
      name: `kafka_controller_kafkacontroller_${name}`, help,
      collect: () => [[source.isActive() ? valueOf(source.image()) : 0]],
    })
  }
  gauge('activecontrollercount', '1 at the active controller.', () => 1)
  gauge('offlinepartitionscount', 'Partitions without a leader.', (image) => count(image, ({ leader }) => leader === null))
  gauge('preferredreplicaimbalancecount', 'Partitions whose first replica does not lead.', (image) => count(image, ({ leader, replicas }) => leader !== replicas[0]))
  gauge('globaltopiccount', 'Topics.', (image) => image.topics.byName.size)
  gauge('globalpartitioncount', 'Partitions.', (image) => count(image, () => true))
  gauge('activebrokercount', 'Unfenced brokers.', (image) => countBrokers(image, false))
  gauge('fencedbrokercount', 'Fenced brokers.', (image) => countBrokers(image, true))
  gauge('metadataerrorcount', 'Metadata records that could not be applied; such a node stops.', () => 0)
  const unclean = metrics.counter({
    name: 'kafka_controller_controllerstats_uncleanleaderelections_total', help: 'Elections of a leader outside the in-sync set.',
  })
  return { uncleanElections: unclean.child() }
}

/** Partitions that got a leader from outside the in-sync and eligible replicas of before: their records may be lost. */
export function uncleanElectionsBetween(previous: MetadataImage, image: MetadataImage): number {
  if (previous.topics === image.topics) return 0
  let elections = 0
  for (const [id, topic] of image.topics.byId) {
    const before = previous.topics.byId.get(id)
    if (before === undefined || before === topic) continue
    topic.partitions.forEach((partition, index) => {
      const old = before.partitions[index]
      if (old !== undefined && old !== partition && isUnclean(old, partition)) elections++
    })
  }
  return elections
}

function isUnclean(old: PartitionRegistration, { leader, leaderEpoch }: PartitionRegistration): boolean {
  if (leader === null || leaderEpoch === old.leaderEpoch) return false
  return !old.isr.includes(leader) && !old.elr.includes(leader)
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

function count(image: MetadataImage, matches: (partition: PartitionRegistration) => boolean): number {
  let found = 0
  for (const { partitions } of image.topics.byName.values()) for (const partition of partitions) if (matches(partition)) found++
  return found
}

function countBrokers(image: MetadataImage, isFenced: boolean): number {
  let found = 0
  for (const { fenced } of image.brokers.values()) if (fenced === isFenced) found++
  return found
}
