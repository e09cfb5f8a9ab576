import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ChaosCluster, ChaosNode } from './chaos-cluster.ts'

export interface ExternalClusterOptions {
  readonly bootstrap: string
  readonly nodeIds: readonly number[]
  /** Shell commands in which `{node}` stands for a node's id; null: that cannot be done. */
  readonly startCommand: string | null
  readonly stopCommand: string | null
  /** A stop without mercy, if it differs. */
  readonly killCommand: string | null
}

/** Somebody's cluster, which commands of theirs can stop and start. */
export class ExternalCluster implements ChaosCluster {
  readonly isManaged = false
  readonly network = null
  readonly bootstrap: string
  readonly nodes: readonly ChaosNode[]

  constructor(options: ExternalClusterOptions) {
    this.bootstrap = options.bootstrap
    this.nodes = options.nodeIds.map((nodeId) => new ExternalNode(nodeId, options))
  }

  problems(): readonly string[] {
    return []
  }

  dispose(): Promise<void> {
    return Promise.resolve()
  }
}

class ExternalNode implements ChaosNode {
  readonly nodeId: number
  readonly pid = null
  readonly dataDirectory = null
  readonly disk = null
  readonly clock = null
  readonly ports: readonly number[] = []
  readonly #options: ExternalClusterOptions
  #running = true

  constructor(nodeId: number, options: ExternalClusterOptions) {
    this.nodeId = nodeId
    this.#options = options
  }

  get isRunning(): boolean {
    return this.#running
  }

  kill(): Promise<void> {
    return this.#stop(this.#options.killCommand ?? this.#options.stopCommand)
  }

  terminate(): Promise<void> {
    return this.#stop(this.#options.stopCommand)
  }

  async start(): Promise<void> {
    await this.#run(this.#options.startCommand)
    this.#running = true
  }

  async #stop(command: string | null): Promise<void> {
    await this.#run(command)
    this.#running = false
  }

  /** Clients go on meanwhile. */
  async #run(command: string | null): Promise<void> {
    if (command === null) throw new Error('no command was given to stop or start nodes')
    const text = command.replaceAll('{node}', String(this.nodeId))
    const [code] = (await once(spawn('/bin/sh', ['-c', text], { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit')) as [number | null]
    if (code !== 0) throw new Error(`${text}: exit code ${code}`)
  }
}
