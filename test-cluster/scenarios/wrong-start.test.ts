import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../process/eventually.ts'
import type { NodeProcess } from '../process/node-process.ts'
import { ProcessCluster } from '../process/process-cluster.ts'

async function refusal(node: NodeProcess): Promise<string> {
  node.launch()
  await eventually(() => !node.isRunning, { what: 'the node refuses to start' })
  expect(node.exitCode).toBe(1)
  return node.log()
}

test('a data directory of another cluster is refused by name', async () => {
  const cluster = await ProcessCluster.start({ nodes: 1 })
  try {
    await cluster.node(1).signal('SIGTERM')
    expect(cluster.node(1).exitCode).toBe(0)
    appendFileSync(cluster.node(1).propertiesFile, 'kavka.cluster.id=AnotherClusterEntirely\n')
    const log = await refusal(cluster.node(1))
    expect(log).toContain('meta.properties')
    expect(log).toContain('AnotherClusterEntirely')
  } finally {
    await cluster.dispose()
  }
}, 60_000)

test('a port in use is named', async () => {
  const cluster = await ProcessCluster.create({ nodes: 2 })
  try {
    appendFileSync(cluster.node(2).propertiesFile, `listeners=PLAINTEXT://127.0.0.1:${cluster.ports[0]!.client},CONTROLLER://127.0.0.1:${cluster.ports[1]!.controller}\n`)
    cluster.node(1).launch()
    cluster.node(2).launch()
    await eventually(() => cluster.nodes.some((node) => !node.isRunning), { what: 'one of the two gives way' })
    const loser = cluster.nodes.find((node) => !node.isRunning)!
    expect(loser.log()).toContain(String(cluster.ports[0]!.client))
    expect(loser.exitCode).toBe(1)
  } finally {
    await cluster.dispose()
  }
}, 60_000)

test('a metadata log with a wrong bit is refused by file and place; once it is moved away the others give all of it back', async () => {
  const cluster = await ProcessCluster.start()
  try {
    const node = cluster.node(3)
    await node.signal('SIGKILL')
    const folder = join(cluster.dataDirectory(3), '__cluster_metadata-0')
    const file = readdirSync(folder).find((name) => name.endsWith('.log'))!
    const bytes = readFileSync(join(folder, file))
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(join(folder, file), bytes)
    const log = await refusal(node)
    expect(log).toMatch(new RegExp(`metadata log cannot be used .*move ${folder} away.*${file} has .* at byte \\d+`))
    rmSync(folder, { recursive: true })
    node.launch()
    await node.serving()
  } finally {
    await cluster.dispose()
  }
}, 60_000)

test.each([
  ['log.segment.bytes=12', 'log.segment.bytes=12 is not allowed: Value must be at least 1048576'],
  ['advertised.listeners=PLAINTEXT://0.0.0.0:9092', 'clients cannot connect to 0.0.0.0; write the name or address'],
  ['controller.quorum.voters=1@nowhere', 'controller.quorum.voters=1@nowhere is not allowed'],
])('%s stops the start with a sentence', async (line, sentence) => {
  const cluster = await ProcessCluster.create({ nodes: 1 })
  try {
    appendFileSync(cluster.node(1).propertiesFile, `${line}\n`)
    expect(await refusal(cluster.node(1))).toContain(sentence)
  } finally {
    await cluster.dispose()
  }
})
