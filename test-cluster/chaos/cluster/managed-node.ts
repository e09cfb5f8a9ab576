import type { NodeProcess } from '../../process/node-process.ts'
import { eventually } from '../../process/eventually.ts'
import type { LoopDisk } from '../machine/loop-disk.ts'
import type { NodeClock } from '../machine/node-clock.ts'
import type { ChaosNode } from './chaos-cluster.ts'

const SERVES_MS_MAX = 60_000
const STOPS_MS_MAX = 60_000

export interface ManagedNodeParts {
  readonly process: NodeProcess
  readonly dataDirectory: string
  readonly disk: LoopDisk | null
  readonly clock: NodeClock | null
  readonly ports: readonly number[]
}

/** A real process of ours. */
export class ManagedNode implements ChaosNode {
  readonly nodeId: number
  readonly dataDirectory: string
  readonly disk: LoopDisk | null
  readonly clock: NodeClock | null
  readonly ports: readonly number[]
  readonly process: NodeProcess
  /** Unexpected ends and stops that took too long. */
  readonly problems: string[] = []

  constructor({ process, dataDirectory, disk, clock, ports }: ManagedNodeParts) {
    this.ports = ports
    this.process = process
    this.nodeId = process.nodeId
    this.dataDirectory = dataDirectory
    this.disk = disk
    this.clock = clock
  }

  get pid(): number | null {
    return this.isRunning ? this.process.pid : null
  }

  get isRunning(): boolean {
    return this.process.isRunning
  }

  async kill(): Promise<void> {
    await this.process.signal('SIGKILL')
  }

  async terminate(): Promise<void> {
    const ended = this.process.signal('SIGTERM')
    await eventually(() => !this.isRunning, { what: `node ${this.nodeId} stops when asked`, withinMs: STOPS_MS_MAX }).catch((error: unknown) => {
      this.problems.push(String(error))
      return this.kill()
    })
    await ended
    if (this.process.exitCode !== 0) this.problems.push(`node ${this.nodeId} was asked to stop and ended with exit code ${this.process.exitCode}`)
  }

  async start(): Promise<void> {
    if (this.isRunning) return
    this.process.launch()
    await this.process.serving(SERVES_MS_MAX)
  }
}
