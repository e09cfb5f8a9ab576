import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../process/eventually.ts'
import { freePorts } from '../process/ports.ts'
import { javaArguments, runTool } from './kafka-tools.ts'

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

/** Apache Kafka itself, from its jars, on free ports and in a temporary folder: what Kavka is compared with. */
export class KafkaCluster {
  readonly directory: string
  readonly bootstrap: string
  readonly #flags: readonly string[]
  #processes: ChildProcess[] = []

  private constructor(directory: string, ports: readonly number[], flags: readonly string[]) {
    this.directory = directory
    this.bootstrap = ports.map((port) => `127.0.0.1:${port}`).join(',')
    this.#flags = flags
  }

  /** Formats and starts the nodes; resolves when all are unfenced. */
  static async start({ nodes = 3, flags = brokerFlags.quickStart, properties = {} }: KafkaClusterOptions = {}): Promise<KafkaCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'apache-kafka-'))
    const ports = await freePorts(nodes * 2)
    const voters = Array.from({ length: nodes }, (_, index) => `${index + 1}@127.0.0.1:${ports[nodes + index]!}`).join(',')
    const files = Array.from({ length: nodes }, (_, index) => {
      const data = join(directory, `data-${index + 1}`)
      mkdirSync(data)
      const all: Record<string, string> = {
        ...nodeProperties(index + 1, ports[index]!, ports[nodes + index]!, voters, data, Math.min(3, nodes)), ...properties,
      }
      const file = join(directory, `node-${index + 1}.properties`)
      writeFileSync(file, Object.entries(all).map(([key, value]) => `${key}=${value}\n`).join(''))
      return file
    })
    const cluster = new KafkaCluster(directory, ports.slice(0, nodes), flags)
    const clusterId = (await runTool('kafka-storage', ['random-uuid'])).stdout.trim()
    for (const file of files) await runTool('kafka-storage', ['format', '-t', clusterId, '-c', file, '--ignore-formatted'])
    cluster.#processes = files.map((file, index) => cluster.#launch(file, index + 1))
    await cluster.#ready(nodes)
    return cluster
  }

  get pids(): readonly number[] {
    return this.#processes.map((process_) => process_.pid ?? -1)
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#processes.map((process_) => new Promise((resolve) => {
      if (process_.exitCode !== null || process_.signalCode !== null) resolve(null)
      process_.once('exit', resolve)
      process_.kill('SIGKILL')
    })))
    rmSync(this.directory, { recursive: true, force: true })
  }

  #launch(file: string, nodeId: number): ChildProcess {
    const log = openSync(join(this.directory, `node-${nodeId}.log`), 'a')
    return spawn('java', javaArguments('kafka-server-start', [file], [...this.#flags, ...loggingFlags()]), { stdio: ['ignore', log, log] })
  }

  async #ready(nodes: number): Promise<void> {
    await eventually(async () => {
      const { stdout } = await runTool('kafka-broker-api-versions', ['--bootstrap-server', this.bootstrap])
      return [...stdout.matchAll(/\(id: \d+ rack/g)].length === nodes
    }, { what: `Apache Kafka serves: ${readFileSync(join(this.directory, 'node-1.log'), 'utf8').slice(-500)}`, withinMs: 90_000, everyMs: 500 })
  }
}

function loggingFlags(): string[] {
  return javaArguments('kafka-storage', []).filter((flag) => flag.startsWith('-Dlog4j2'))
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
