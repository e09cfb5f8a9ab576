import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaClasspath, runTool } from '../../foreign/kafka-tools.ts'
import type { KafkaTool } from '../../foreign/kafka-tools.ts'
import { eventually } from '../../process/eventually.ts'
import { NodeProcess } from '../../process/node-process.ts'
import { freePorts } from '@kavka/testkit'
import { succeeded } from '../check.ts'
import type { CompatSuite } from '../check.ts'

interface Layout {
  readonly brokers: string
  readonly controllers: string
}

/** Separate roles, node ids from 0, listener names of one's own, and tools that ask the controllers directly (KIP-919). */
export const layoutsSuite: CompatSuite = {
  name: "Apache Kafka's tools on separate roles",
  pace: 'quick',
  install: () => {
    kafkaClasspath()
    return Promise.resolve()
  },
  checks: [{ name: 'controller 0, brokers 5 and 7, listeners CLIENTS and QUORUM; --bootstrap-controller', run: () => withLayout(ask) }],
}

async function ask({ brokers, controllers }: Layout): Promise<void> {
  const B = ['--bootstrap-server', brokers]
  const C = ['--bootstrap-controller', controllers]
  await expectOutput('kafka-topics', [...B, '--create', '--topic', 'letters', '--partitions', '2', '--replication-factor', '2'], /Created topic letters/)
  await expectOutput('kafka-topics', [...B, '--describe', '--topic', 'letters'], /Isr: (5,7|7,5)/)
  await expectOutput('kafka-metadata-quorum', [...C, 'describe', '--status'], /LeaderId:\s+0/)
  await expectOutput('kafka-metadata-quorum', [...B, 'describe', '--replication'], /Leader/)
  await expectOutput('kafka-cluster', ['cluster-id', ...C], /Cluster ID: \S{22}/)
  await expectOutput('kafka-cluster', ['list-endpoints', ...C], /127\.0\.0\.1/)
  await expectOutput('kafka-configs', [...C, '--alter', '--entity-type', 'brokers', '--entity-default', '--add-config', 'message.max.bytes=1500000'], /Completed updating default config/)
  await expectOutput('kafka-configs', [...C, '--describe', '--entity-type', 'brokers', '--entity-default'], /message\.max\.bytes=1500000/)
  await expectOutput('kafka-log-dirs', [...B, '--describe', '--topic-list', 'letters'], /"partition":"letters-0"/)
}

async function expectOutput(tool: KafkaTool, args: readonly string[], expected: RegExp): Promise<void> {
  const output = succeeded(await runTool(tool, args))
  if (!expected.test(output)) throw new Error(`${tool} ${args.join(' ')}: expected ${expected.source} in\n${output}`)
}

async function withLayout(body: (layout: Layout) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'kavka-layout-'))
  const ports = await freePorts(6)
  const [controllerPort, fifthPort, seventhPort] = ports as [number, number, number]
  const node = (nodeId: number, http: number, lines: readonly string[]): NodeProcess => {
    const propertiesFile = join(directory, `node-${nodeId}.properties`)
    writeFileSync(propertiesFile, [
      `node.id=${nodeId}`, `controller.quorum.voters=0@127.0.0.1:${controllerPort}`, 'controller.listener.names=QUORUM', 'inter.broker.listener.name=CLIENTS',
      'listener.security.protocol.map=CLIENTS:PLAINTEXT,QUORUM:PLAINTEXT', `kavka.http.port=${http}`, `log.dirs=${join(directory, `data-${nodeId}`)}`, ...lines, '',
    ].join('\n'))
    return new NodeProcess({ nodeId, propertiesFile, logFile: join(directory, `node-${nodeId}.log`) })
  }
  const nodes = [
    node(0, ports[3]!, ['process.roles=controller', `listeners=QUORUM://127.0.0.1:${controllerPort}`]),
    node(5, ports[4]!, ['process.roles=broker', `listeners=CLIENTS://127.0.0.1:${fifthPort}`]),
    node(7, ports[5]!, ['process.roles=broker', `listeners=CLIENTS://127.0.0.1:${seventhPort}`]),
  ]
  try {
    for (const one of nodes) one.launch()
    await Promise.all(nodes.map((one) => one.serving()))
    await body({ brokers: `127.0.0.1:${fifthPort},127.0.0.1:${seventhPort}`, controllers: `127.0.0.1:${controllerPort}` })
    for (const one of nodes.toReversed()) {
      await one.signal('SIGTERM')
      await eventually(() => one.exitCode === 0, { what: `node ${one.nodeId} stops cleanly` })
    }
  } finally {
    await Promise.all(nodes.map((one) => one.signal('SIGKILL')))
    rmSync(directory, { recursive: true, force: true })
  }
}
