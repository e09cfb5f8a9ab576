/** What a measurement needs of a cluster, whoever made it. */

/** A column of the table. */
export type Side = 'kafka' | 'kafka-quick-start' | 'kavka'

export const sideTitles: Readonly<Record<Side, string>> = {
  kafka: 'Apache Kafka 4.3.1',
  'kafka-quick-start': 'Kafka tuned for starting',
  kavka: 'Kavka',
}

/** A cluster of real processes on this machine. */
export interface ComparedCluster {
  readonly side: Side
  /** `host:port` of every node, with commas. */
  readonly bootstrap: string
  readonly nodeIds: readonly number[]
  /** Starts the process of a node without waiting for it to serve. */
  launch(nodeId: number): void
  /** `kill -9`, or the signal after which a node leaves in order; resolves when the process is gone. */
  end(nodeId: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  isRunning(nodeId: number): boolean
  /** Throws with the log of the node when it does not run. */
  pid(nodeId: number): number
  dataDirectory(nodeId: number): string
  log(nodeId: number): string
  /** Kills what still runs and removes the data. */
  dispose(): Promise<void>
}

/** `host:port` of one node. */
export function addressOf(cluster: ComparedCluster, nodeId: number): string {
  return cluster.bootstrap.split(',')[cluster.nodeIds.indexOf(nodeId)]!
}
