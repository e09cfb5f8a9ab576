/** Nodes in this process for tests: real sockets and disks, short times, everything removed afterwards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createMetrics, layoutOf, loadBrokerConfig, nodeFileSystem, silentLogger, systemRandom, systemScheduler,
} from '@kavka/kernel'
import type { Logger } from '@kavka/kernel'
import { freePorts } from '@kavka/testkit'
import type { NodeSettings, RunningNode } from '../node/node-settings.ts'
import { startNode } from '../start-node.ts'

const CLUSTER_ID = '4L6g3nShT-eMCtK--X86sw'
const ADDRESS = '127.0.0.1'

export interface TestNode {
  readonly nodeId: number
  readonly port: number
  readonly controllerPort: number
  readonly node: RunningNode
}

/** What a node of a test is given: the machine itself, and a register of its own. */
export function nodeDependencies(logger: Logger = silentLogger): Parameters<typeof startNode>[1] {
  return { version: 'test', fs: nodeFileSystem, scheduler: systemScheduler, random: systemRandom, metrics: createMetrics(), logger }
}

export class TestNodes {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kavka-broker-test-'))
  readonly #overrides: ReadonlyMap<string, string>
  readonly #directoryCount: number
  readonly #rolesOf: (nodeId: number) => string
  readonly #controllerPorts: number[] = []
  readonly #clientPorts: number[] = []
  readonly nodes = new Map<number, TestNode>()
  logger: Logger = silentLogger

  constructor(
    overrides: Readonly<Record<string, string>> = {},
    rolesOf: (nodeId: number) => string = () => 'broker,controller',
    directoryCount = 1,
  ) {
    this.#directoryCount = directoryCount
    this.#overrides = new Map(Object.entries(overrides))
    this.#rolesOf = rolesOf
  }

  /** Starts nodes 1 to `count`, all at once. */
  async startAll(count: number): Promise<void> {
    const ports = await freePorts(count * 2)
    this.#controllerPorts.push(...ports.slice(0, count))
    this.#clientPorts.push(...ports.slice(count))
    await Promise.all(Array.from({ length: count }, (_, index) => this.start(index + 1)))
  }

  async start(nodeId: number): Promise<TestNode> {
    const started = await startNode(this.settings(nodeId), nodeDependencies(this.logger))
    if (!started.ok) throw new Error(started.error)
    const [port, controllerPort] = [this.#clientPorts[nodeId - 1]!, this.#controllerPorts[nodeId - 1]!]
    const node = { nodeId, port, controllerPort, node: started.value }
    this.nodes.set(nodeId, node)
    return node
  }

  async stop(nodeId: number): Promise<void> {
    await this.nodes.get(nodeId)!.node.stop()
    this.nodes.delete(nodeId)
  }

  /** Stops what runs and removes the data. */
  async clear(): Promise<void> {
    await Promise.all([...this.nodes.keys()].map((nodeId) => this.stop(nodeId)))
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** The first holds the metadata too. */
  directories(nodeId: number): string[] {
    return Array.from({ length: this.#directoryCount }, (_, i) => join(this.#folder, `node-${nodeId}${i === 0 ? '' : `-disk-${i}`}`))
  }

  settings(nodeId: number): NodeSettings {
    const loaded = loadBrokerConfig(this.#properties(nodeId))
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
    const { config, explicit } = loaded.value
    const layout = layoutOf(config, ADDRESS)
    if (!layout.ok) throw new Error(JSON.stringify(layout.error))
    return { config, explicit, layout: layout.value, clusterId: CLUSTER_ID }
  }

  #properties(nodeId: number): ReadonlyMap<string, string> {
    const roles = this.#rolesOf(nodeId)
    const voters = this.#controllerPorts
      .map((port, index) => `${index + 1}@${ADDRESS}:${port}`)
      .filter((_, index) => this.#rolesOf(index + 1).includes('controller'))
    const listeners = [
      ...(roles.includes('broker') ? [`PLAINTEXT://${ADDRESS}:${this.#clientPorts[nodeId - 1]}`] : []),
      ...(roles.includes('controller') ? [`CONTROLLER://${ADDRESS}:${this.#controllerPorts[nodeId - 1]}`] : []),
    ]
    return new Map([
      ['process.roles', roles],
      ['node.id', String(nodeId)],
      ['controller.quorum.voters', voters.join(',')],
      ['listeners', listeners.join(',')],
      ['controller.listener.names', 'CONTROLLER'],
      ['log.dirs', this.directories(nodeId).join(',')],
      ['kavka.http.port', '0'],
      ['offsets.topic.num.partitions', '3'],
      ['offsets.topic.replication.factor', String(this.#controllerPorts.length)],
      ['group.initial.rebalance.delay.ms', '0'],
      ...this.#overrides,
    ])
  }
}
