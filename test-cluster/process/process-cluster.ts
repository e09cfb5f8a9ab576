import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeProcess } from './node-process.ts'
import type { NodeProcessOptions } from './node-process.ts'
import { freePorts } from '@kavka/testkit'

export interface ProcessClusterOptions {
  readonly nodes?: number
  /** Properties of every node, over the defaults below; '' leaves a key out. */
  readonly properties?: Readonly<Record<string, string>>
  /** Where the folders go; default: a temporary folder that goes when the cluster is disposed of. */
  readonly directory?: string
  /** Where each node listens; default: all on loopback. */
  readonly hosts?: readonly string[]
  /** How each node is launched (see NodeProcess). */
  readonly launching?: (nodeId: number) => Pick<NodeProcessOptions, 'wrapper' | 'environment'>
}

/** Where a member can be reached. */
export interface MemberPorts {
  readonly host: string
  readonly client: number
  readonly controller: number
  readonly http: number
}

/** A cluster of real processes on free ports and temporary folders. */
export class ProcessCluster {
  readonly nodes: readonly NodeProcess[]
  readonly ports: readonly MemberPorts[]
  readonly directory: string
  readonly #temporary: boolean

  private constructor(directory: string, temporary: boolean, nodes: readonly NodeProcess[], ports: readonly MemberPorts[]) {
    this.directory = directory
    this.#temporary = temporary
    this.nodes = nodes
    this.ports = ports
  }

  /** Writes the properties files; nothing runs yet. */
  static async create(options: ProcessClusterOptions = {}): Promise<ProcessCluster> {
    const { nodes: count = 3, properties = {}, directory, hosts = [], launching = () => ({}) } = options
    const home = directory ?? mkdtempSync(join(tmpdir(), 'kavka-cluster-'))
    mkdirSync(home, { recursive: true })
    const free = await freePorts(count * 3)
    const ports = Array.from({ length: count }, (_, index): MemberPorts => ({
      host: hosts[index] ?? '127.0.0.1', client: free[index * 3]!, controller: free[index * 3 + 1]!, http: free[index * 3 + 2]!,
    }))
    const voters = ports.map(({ host, controller }, index) => `${index + 1}@${host}:${controller}`).join(',')
    const nodes = ports.map((port, index) => {
      const nodeId = index + 1
      const propertiesFile = join(home, `node-${nodeId}.properties`)
      const all = { ...defaults(nodeId, port, voters, count, home), ...properties }
      writeFileSync(propertiesFile, Object.entries(all).flatMap(([key, value]) => (value === '' ? [] : [`${key}=${value}\n`])).join(''))
      return new NodeProcess({ nodeId, propertiesFile, logFile: join(home, `node-${nodeId}.log`), ...launching(nodeId) })
    })
    return new ProcessCluster(home, directory === undefined, nodes, ports)
  }

  /** Creates and starts; resolves when every node serves. */
  static async start(options: ProcessClusterOptions = {}): Promise<ProcessCluster> {
    const cluster = await ProcessCluster.create(options)
    try {
      await cluster.startAll()
    } catch (error) {
      await cluster.dispose()
      throw error
    }
    return cluster
  }

  async startAll(): Promise<void> {
    for (const node of this.nodes) node.launch()
    await Promise.all(this.nodes.map((node) => node.serving()))
  }

  get bootstrap(): string {
    return this.ports.map(({ host, client }) => `${host}:${client}`).join(',')
  }

  node(nodeId: number): NodeProcess {
    const node = this.nodes.find((one) => one.nodeId === nodeId)
    if (node === undefined) throw new Error(`no node ${nodeId}`)
    return node
  }

  httpAddress(nodeId: number): string {
    return `http://127.0.0.1:${this.ports[nodeId - 1]!.http}`
  }

  dataDirectory(nodeId: number): string {
    return join(this.directory, `data-${nodeId}`)
  }

  /** Kills what still runs and removes the temporary folder. */
  async dispose(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.signal('SIGKILL')))
    if (this.#temporary) rmSync(this.directory, { recursive: true, force: true })
  }
}

function defaults(nodeId: number, port: MemberPorts, voters: string, count: number, home: string): Record<string, string> {
  const copies = String(Math.min(3, count))
  return {
    'process.roles': 'broker,controller',
    'node.id': String(nodeId),
    listeners: `PLAINTEXT://${port.host}:${port.client},CONTROLLER://${port.host}:${port.controller}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': voters,
    'kavka.http.port': String(port.http),
    'log.dirs': join(home, `data-${nodeId}`),
    'default.replication.factor': copies,
    'min.insync.replicas': String(Math.min(2, count)),
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': '6',
    'group.initial.rebalance.delay.ms': '0',
  }
}
