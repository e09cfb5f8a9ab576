import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../process/eventually.ts'
import { freePorts } from '@kavka/testkit'
import { javaArguments, loggingFlag, runTool } from './kafka-tools.ts'

/** How the JVM of a broker is started: as Kafka's own start script does, or tuned for a quick start. */
export const brokerFlags = {
  stock: ['-Xmx1g', '-Xms1g', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:InitiatingHeapOccupancyPercent=35', '-XX:+ExplicitGCInvokesConcurrent'],
  quickStart: ['-Xmx512m', '-Xms256m', '-Xss512k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:MaxDirectMemorySize=256m'],
} as const

export interface KafkaClusterOptions {
  readonly nodes?: number
  readonly flags?: readonly string[]
  readonly properties?: Readonly<Record<string, string>>
}

interface Member {
  readonly nodeId: number
  readonly port: number
  readonly propertiesFile: string
  readonly logFile: string
  readonly dataDirectory: string
}

/** Apache Kafka itself, from its jars, on free ports and in a temporary folder: what Kavka is compared with. */
export class KafkaCluster {
  readonly directory: string
  readonly bootstrap: string
  readonly #members: readonly Member[]
  readonly #flags: readonly string[]
  readonly #processes = new Map<number, ChildProcess>()

  private constructor(directory: string, members: readonly Member[], flags: readonly string[]) {
    this.directory = directory
    this.bootstrap = members.map(({ port }) => `127.0.0.1:${port}`).join(',')
    this.#members = members
    this.#flags = flags
  }

  /** Formats the nodes; nothing runs yet. */
  static async create({ nodes = 3, flags = brokerFlags.quickStart, properties = {} }: KafkaClusterOptions = {}): Promise<KafkaCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'apache-kafka-'))
    const ports = await freePorts(nodes * 2)
    const voters = Array.from({ length: nodes }, (_, index) => `${index + 1}@127.0.0.1:${ports[nodes + index]!}`).join(',')
    const members = Array.from({ length: nodes }, (_, index): Member => {
      const nodeId = index + 1
      const dataDirectory = join(directory, `data-${nodeId}`)
      mkdirSync(dataDirectory)
      const all: Record<string, string> = {
        ...nodeProperties(nodeId, ports[index]!, ports[nodes + index]!, voters, dataDirectory, Math.min(3, nodes)), ...properties,
      }
      const propertiesFile = join(directory, `node-${nodeId}.properties`)
      writeFileSync(propertiesFile, Object.entries(all).map(([key, value]) => `${key}=${value}\n`).join(''))
      return { nodeId, port: ports[index]!, propertiesFile, logFile: join(directory, `node-${nodeId}.log`), dataDirectory }
    })
    const clusterId = (await runTool('kafka-storage', ['random-uuid'])).stdout.trim()
    for (const { propertiesFile } of members) await runTool('kafka-storage', ['format', '-t', clusterId, '-c', propertiesFile, '--ignore-formatted'])
    return new KafkaCluster(directory, members, flags)
  }

  /** Formats and starts the nodes; resolves when all are unfenced. */
  static async start(options: KafkaClusterOptions = {}): Promise<KafkaCluster> {
    const cluster = await KafkaCluster.create(options)
    for (const nodeId of cluster.nodeIds) cluster.launch(nodeId)
    await cluster.#ready()
    return cluster
  }

  get nodeIds(): readonly number[] {
    return this.#members.map(({ nodeId }) => nodeId)
  }

  /** Starts the process without waiting for it to serve. */
  launch(nodeId: number): void {
    const { propertiesFile, logFile } = this.#member(nodeId)
    const log = openSync(logFile, 'a')
    const args = javaArguments('kafka-server-start', [propertiesFile], [...this.#flags, loggingFlag])
    this.#processes.set(nodeId, spawn('java', args, { stdio: ['ignore', log, log] }))
    closeSync(log)
  }

  isRunning(nodeId: number): boolean {
    const running = this.#processes.get(nodeId)
    return running !== undefined && running.exitCode === null && running.signalCode === null
  }

  pid(nodeId: number): number {
    const pid = this.#processes.get(nodeId)?.pid
    if (pid === undefined || !this.isRunning(nodeId)) throw new Error(`Apache Kafka's node ${nodeId} does not run:\n${this.log(nodeId).slice(-3000)}`)
    return pid
  }

  /** Sends a signal that ends the process; resolves when it is gone. */
  async end(nodeId: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const running = this.#processes.get(nodeId)
    if (running === undefined || !this.isRunning(nodeId)) return
    const exited = new Promise((resolve) => {
      running.once('exit', resolve)
    })
    running.kill(signal)
    await exited
  }

  dataDirectory(nodeId: number): string {
    return this.#member(nodeId).dataDirectory
  }

  log(nodeId: number): string {
    const { logFile } = this.#member(nodeId)
    return existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''
  }

  async dispose(): Promise<void> {
    await Promise.all(this.nodeIds.map((nodeId) => this.end(nodeId, 'SIGKILL')))
    rmSync(this.directory, { recursive: true, force: true })
  }

  #member(nodeId: number): Member {
    const member = this.#members.find((one) => one.nodeId === nodeId)
    if (member === undefined) throw new Error(`no node ${nodeId}`)
    return member
  }

  async #ready(): Promise<void> {
    await eventually(async () => {
      const { stdout } = await runTool('kafka-broker-api-versions', ['--bootstrap-server', this.bootstrap])
      return [...stdout.matchAll(/\(id: \d+ rack/g)].length === this.#members.length
    }, { what: `Apache Kafka serves: ${this.log(1).slice(-500)}`, withinMs: 90_000, everyMs: 500 })
  }
}

function nodeProperties(id: number, port: number, controllerPort: number, voters: string, data: string, copies: number): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': voters,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
    'default.replication.factor': String(copies),
    'offsets.topic.replication.factor': String(copies),
    'offsets.topic.num.partitions': '6',
    'transaction.state.log.replication.factor': String(copies),
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': String(copies),
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.cleaner.dedupe.buffer.size': '16777216',
  }
}
