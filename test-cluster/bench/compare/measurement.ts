import type { ClusterClient } from '../../client/cluster-client.ts'
import type { ComparedCluster, Side } from './clusters/compared-cluster.ts'

/** Values of one run of a measurement by the key of their row. */
export type Figures = Readonly<Record<string, number>>

/** One line of the table. */
export interface Row {
  readonly title: string
  readonly unit: 'MB/s' | 'ms' | 's' | 'MB' | 'kB' | 'CPU s/GB' | '% of a core' | 'bytes/byte' | 'ms of CPU'
  readonly better: 'higher' | 'lower'
  /** What Kavka ÷ Kafka is to be: at least this where more is better, at most this where less is. */
  readonly target?: number
  /** What Kavka's own median may be at most, whatever Kafka's is. */
  readonly kavkaMax?: number
  /** What it is called in the picture, when it is one of the few that are there. */
  readonly inPicture?: string
}

/**
 * When in the life of a cluster something is measured, in this order:
 *
 * - `start`: the cluster is made but not started; the measurement starts it
 * - `fresh`: it runs and has had no load
 * - `warm`: its code is compiled and its memory touched
 * - `own`: it gets a cluster of its own, started and fresh, and may break it
 */
export type Phase = 'start' | 'fresh' | 'warm' | 'own'

/** The smallest selection that a measurement is part of: the core rows, the whole table, or every combination. */
export type Profile = 'quick' | 'full' | 'matrix'

export interface Measurement {
  /** What `--only` chooses by. */
  readonly name: string
  /** Heading in the table. */
  readonly group: string
  readonly phase: Phase
  readonly profile: Profile
  readonly sides: readonly Side[]
  /** Nodes of a cluster of its own; default three. */
  readonly nodes?: number
  readonly rows: Readonly<Record<string, Row>>
  measure(bench: Bench): Promise<Figures>
}

/** How much is done, from the command line. */
export interface Sizes {
  /** What a produce or consume measurement moves. */
  readonly megabytes: number
  /** One step of warming up a cluster, see warmUp; also what the consumers read. */
  readonly warmMegabytes: number
  /** How long a steady rate is held. */
  readonly seconds: number
  /** How long nothing is done where idling is measured. */
  readonly idleSeconds: number
  /** What is recovered after a kill. */
  readonly recoveryMegabytes: number
}

/** What a measurement works with. */
export interface Bench {
  readonly side: Side
  readonly round: number
  readonly cluster: ComparedCluster
  readonly client: ClusterClient
  readonly sizes: Sizes
  /** Topics of the measurement that runs: they go when it ends, as a kept cluster must not fill the disk. */
  readonly topics: string[]
  /** What the consumers read; empty before the cluster is warm. */
  readonly warmTopic: string
}

export const bothSides: readonly Side[] = ['kafka', 'kavka']
