/** Plain numbers that the parts of replication add to; read through `ReplicationMetricsView`. */
export interface ReplicationCounters {
  isrShrinks: number
  isrExpands: number
  failedIsrUpdates: number
  /** Received as a follower. */
  bytesIn: number
  /** Sent to followers. */
  bytesOut: number
  streamsBroken: number
}

/** All zero. */
export function createReplicationCounters(): ReplicationCounters {
  return { isrShrinks: 0, isrExpands: 0, failedIsrUpdates: 0, bytesIn: 0, bytesOut: 0, streamsBroken: 0 }
}
