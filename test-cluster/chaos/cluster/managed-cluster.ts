import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProcessCluster } from '../../process/process-cluster.ts'
import { alarmsIn } from '../checkers/clean-logs.ts'
import { LoopDisk } from '../machine/loop-disk.ts'
import type { Machine } from '../machine/machine.ts'
import { faketimeLibrary, NodeClock } from '../machine/node-clock.ts'
import { NodeNetwork } from '../machine/node-network.ts'
import type { ChaosCluster } from './chaos-cluster.ts'
import { ManagedNode } from './managed-node.ts'

export interface ManagedClusterOptions {
  readonly nodes: number
  readonly properties: Readonly<Record<string, string>>
  /** What the chosen nemeses need, if the machine has it. */
  readonly wants: { readonly network: boolean; readonly disks: boolean; readonly clocks: boolean }
}

const DISK_MEGABYTES = 512

/** A cluster of our own, each node in its own network namespace, on its own disk and with its own clock where that is wanted and possible. */
export class ManagedCluster implements ChaosCluster {
  readonly isManaged = true
  readonly nodes: readonly ManagedNode[]
  readonly network: NodeNetwork | null
  readonly #cluster: ProcessCluster
  readonly #directory: string

  private constructor(cluster: ProcessCluster, nodes: readonly ManagedNode[], network: NodeNetwork | null, directory: string) {
    this.#cluster = cluster
    this.nodes = nodes
    this.network = network
    this.#directory = directory
  }

  static async start(options: ManagedClusterOptions, machine: Machine): Promise<ManagedCluster> {
    const { nodes: count, properties, wants } = options
    const directory = mkdtempSync(join(tmpdir(), 'kavka-chaos-'))
    const network = wants.network && machine.network === null ? NodeNetwork.create(count) : null
    const ids = Array.from({ length: count }, (_, index) => index + 1)
    const library = wants.clocks ? faketimeLibrary() : null
    const clocks = ids.map((nodeId) => (library === null ? null : new NodeClock({ file: join(directory, `clock-${nodeId}`), library })))
    const cluster = await ProcessCluster.create({
      nodes: count, properties, directory,
      ...(network === null ? {} : { hosts: ids.map((nodeId) => network.host(nodeId)) }),
      launching: (nodeId) => ({ wrapper: network?.wrapper(nodeId) ?? [], environment: clocks[nodeId - 1]?.environment() ?? {} }),
    })
    const nodes = cluster.nodes.map((process, index) => {
      const dataDirectory = cluster.dataDirectory(process.nodeId)
      const disk = wants.disks && machine.disks === null
        ? LoopDisk.create(dataDirectory, join(directory, `disk-${process.nodeId}.img`), DISK_MEGABYTES)
        : null
      const { client, controller } = cluster.ports[index]!
      return new ManagedNode({ process, dataDirectory, disk, clock: clocks[index] ?? null, ports: [client, controller] })
    })
    const managed = new ManagedCluster(cluster, nodes, network, directory)
    try {
      await Promise.all(nodes.map((node) => node.start()))
      return managed
    } catch (error) {
      await managed.dispose()
      throw error
    }
  }

  get bootstrap(): string {
    return this.#cluster.bootstrap
  }

  problems(): readonly string[] {
    return this.nodes.flatMap((node) => [
      ...node.problems,
      ...alarmsIn(node.process.log()).map((alarm) => `node ${node.nodeId}: ${alarm}`),
    ])
  }

  /** Every node's log, for a run that went wrong. */
  saveLogs(file: string): void {
    for (const node of this.nodes) appendFileSync(file, `=== node ${node.nodeId}\n${readFileSync(node.process.logFile, 'utf8')}\n`)
  }

  async dispose(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.process.signal('SIGCONT')))
    await this.#cluster.dispose()
    for (const node of this.nodes) node.disk?.remove()
    this.network?.remove()
    if (existsSync(this.#directory)) rmSync(this.#directory, { recursive: true, force: true })
  }
}
