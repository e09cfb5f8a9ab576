import type { BrokerConfig, FileSystem, Logger, Metrics, NodeLayout, Random, Scheduler } from '@kavka/kernel'

/** What a node is told before it starts; checked by whoever read it. */
export interface NodeSettings {
  readonly config: BrokerConfig
  /** The keys that were set, with their text. */
  readonly explicit: ReadonlyMap<string, string>
  readonly layout: NodeLayout
  /** 22 characters; the same on every node of the cluster. */
  readonly clusterId: string
}

/** The world of a node. */
export interface NodeDependencies {
  readonly version: string
  readonly fs: FileSystem
  readonly scheduler: Scheduler
  readonly random: Random
  /** Of this node alone: names are declared at the start. */
  readonly metrics: Metrics
  readonly logger: Logger
}

/** A node that serves. */
export interface RunningNode {
  /** What clients and operators are told, one line. */
  readonly servingLine: string
  /** Bound ports by listener name. */
  readonly ports: ReadonlyMap<string, number>
  readonly httpPort: number
  /** Resolves when the node cannot go on (no usable data directory, metadata that cannot be persisted); it is to be stopped then. */
  readonly failed: Promise<Error>
  /** Controlled shutdown: leaderships move, what is in flight is answered, logs are closed cleanly. A second call is the first. */
  stop(): Promise<void>
}
