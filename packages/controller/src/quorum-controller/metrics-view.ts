import type { MetadataImage } from '../metadata/image.ts'
import type { IndexedImage } from '../metadata/partition-index.ts'

/**
 * Plain numbers for whoever registers metrics; all but the first and the counters are the same on every
 * controller.
 */
export interface ControllerMetricsView {
  /** 1 while this controller is the active one. */
  readonly activeControllerCount: 0 | 1
  readonly activeBrokerCount: number
  readonly fencedBrokerCount: number
  readonly controlledShutdownBrokerCount: number
  readonly globalTopicCount: number
  readonly globalPartitionCount: number
  /** Partitions without a leader. */
  readonly offlinePartitionsCount: number
  /** Partitions that another replica than the first leads, or none. */
  readonly preferredReplicaImbalanceCount: number
  /** Publishers on this node that failed to apply metadata. */
  readonly metadataErrorCount: number
  /** Last metadata offset replayed on this node. */
  readonly lastAppliedRecordOffset: number
  /** Counters of this process, from 0 at its start. */
  readonly uncleanLeaderElectionsTotal: number
  readonly newActiveControllersTotal: number
  readonly operationsStartedTotal: number
  /** Brokers fenced because they were silent for the session time-out. */
  readonly timedOutBrokerHeartbeatTotal: number
  /** Operations decided but not committed yet. */
  readonly operationsPending: number
}

/** What the shell counts. */
export interface ControllerCounters {
  uncleanLeaderElections: number
  newActiveControllers: number
  operationsStarted: number
  timedOutBrokerHeartbeats: number
}

/** Reads through to the present state at each access: nothing is computed until a scrape asks. */
export function metricsView(sources: {
  readonly image: () => IndexedImage
  readonly counters: Readonly<ControllerCounters>
  readonly isActive: () => boolean
  readonly pending: () => number
  readonly publisherErrors: () => number
}): ControllerMetricsView {
  const { image, counters } = sources
  return {
    get activeControllerCount() {
      return sources.isActive() ? 1 : 0
    },
    get activeBrokerCount() {
      return countBrokers(image(), ({ fenced }) => !fenced)
    },
    get fencedBrokerCount() {
      return countBrokers(image(), ({ fenced }) => fenced)
    },
    get controlledShutdownBrokerCount() {
      return countBrokers(image(), (broker) => !broker.fenced && broker.inControlledShutdown)
    },
    get globalTopicCount() {
      return image().topics.byId.size
    },
    get globalPartitionCount() {
      return image().index.partitionCount
    },
    get offlinePartitionsCount() {
      return image().index.leaderless.size
    },
    get preferredReplicaImbalanceCount() {
      return image().index.imbalanced.size
    },
    get metadataErrorCount() {
      return sources.publisherErrors()
    },
    get lastAppliedRecordOffset() {
      return image().offset
    },
    get uncleanLeaderElectionsTotal() {
      return counters.uncleanLeaderElections
    },
    get newActiveControllersTotal() {
      return counters.newActiveControllers
    },
    get operationsStartedTotal() {
      return counters.operationsStarted
    },
    get timedOutBrokerHeartbeatTotal() {
      return counters.timedOutBrokerHeartbeats
    },
    get operationsPending() {
      return sources.pending()
    },
  }
}

type Broker = MetadataImage['brokers'] extends ReadonlyMap<unknown, infer B> ? B : never

function countBrokers({ brokers }: MetadataImage, wanted: (broker: Broker) => boolean): number {
  let count = 0
  for (const broker of brokers.values()) if (wanted(broker)) count++
  return count
}
