import type { LoopDisk } from '../machine/loop-disk.ts'
import type { NodeClock } from '../machine/node-clock.ts'
import type { NodeNetwork } from '../machine/node-network.ts'

/** A node as nemeses see it. */
export interface ChaosNode {
  readonly nodeId: number
  /** Null when the process is out of reach (somebody else's cluster). */
  readonly pid: number | null
  readonly isRunning: boolean
  readonly dataDirectory: string | null
  readonly disk: LoopDisk | null
  readonly clock: NodeClock | null
  /** Where it listens for clients and nodes. */
  readonly ports: readonly number[]
  /** At once, without any chance to tidy up. */
  kill(): Promise<void>
  /** As an operator would. */
  terminate(): Promise<void>
  /** Resolves when it serves; fails with its log when it ends instead. */
  start(): Promise<void>
}

/** The cluster under test and what of the machine belongs to it. */
export interface ChaosCluster {
  readonly bootstrap: string
  readonly nodes: readonly ChaosNode[]
  readonly network: NodeNetwork | null
  /** Ours to break in any way, not only by start and stop commands. */
  readonly isManaged: boolean
  /** Processes that ended without being told to, and alarming lines of logs. */
  problems(): readonly string[]
  dispose(): Promise<void>
}
