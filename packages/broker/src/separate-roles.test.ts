import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { ApiVersionsResponse, CreateTopicsResponse, DescribeClusterResponse, DescribeQuorumResponse } from '@kavka/protocol'
import { KafkaTestClient } from './testing/kafka-test-client.ts'
import { TestNodes } from './testing/test-nodes.ts'

/** Node 1 is the only controller; 2 and 3 are brokers that follow its log as observers. */
const cluster = new TestNodes({}, (nodeId) => (nodeId === 1 ? 'controller' : 'broker'))

beforeAll(() => cluster.startAll(3), 30_000)
afterAll(() => cluster.clear(), 30_000)

test('brokers without a vote serve, a controller without a broker governs', async () => {
  const client = await KafkaTestClient.connect(cluster.nodes.get(2)!.port)
  const topics = [{ name: 'apart', numPartitions: 2, replicationFactor: 2, assignments: [], configs: [] }]
  const created = await client.ask<CreateTopicsResponse>(ApiKey.CreateTopics, 7, { topics, timeoutMs: 5_000 })
  expect(created.topics[0]!.errorCode).toBe(ErrorCode.NONE)
  const described = await client.ask<DescribeClusterResponse>(ApiKey.DescribeCluster, 1, {})
  expect(described.brokers.map(({ brokerId }) => brokerId)).toEqual([2, 3])
  const asked = { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }
  const quorum = await client.ask<DescribeQuorumResponse>(ApiKey.DescribeQuorum, 2, asked)
  const { leaderId, currentVoters, observers } = quorum.topics[0]!.partitions[0]!
  expect([leaderId, currentVoters.map(({ replicaId }) => replicaId)]).toEqual([1, [1]])
  expect(observers.map(({ replicaId }) => replicaId).toSorted()).toEqual([2, 3])
  await client.close()
})

test('the controller serves no clients of brokers and is ready', async () => {
  const admin = await KafkaTestClient.connect(cluster.nodes.get(1)!.controllerPort)
  const versions = await admin.ask<ApiVersionsResponse>(ApiKey.ApiVersions, 0, {})
  expect(versions.apiKeys.map(({ apiKey }) => apiKey)).not.toContain(ApiKey.Metadata)
  await admin.close()
  const { node } = cluster.nodes.get(1)!
  expect((await fetch(`http://127.0.0.1:${node.httpPort}/readyz`)).status).toBe(200)
  const text = await (await fetch(`http://127.0.0.1:${node.httpPort}/metrics`)).text()
  expect(text).toContain('\nkafka_controller_kafkacontroller_activebrokercount 2')
})

test('data of another cluster is refused with a sentence', async () => {
  await cluster.stop(3)
  const { startNode } = await import('./start-node.ts')
  const { createMetrics, nodeFileSystem, silentLogger, systemRandom, systemScheduler } = await import('@kavka/kernel')
  const settings = { ...cluster.settings(3), clusterId: '5L6g3nShT-eMCtK--X86sw' }
  const deps = { version: 'test', fs: nodeFileSystem, scheduler: systemScheduler, random: systemRandom, metrics: createMetrics(), logger: silentLogger }
  const started = await startNode(settings, deps)
  expect(started).toMatchObject({ ok: false })
  expect(started.ok ? '' : started.error).toContain('4L6g3nShT-eMCtK--X86sw')
  await cluster.start(3)
})

test('a port in use is told, and nothing is left running', async () => {
  await cluster.stop(3)
  const { startNode } = await import('./start-node.ts')
  const { createMetrics, nodeFileSystem, silentLogger, systemRandom, systemScheduler } = await import('@kavka/kernel')
  const taken = cluster.settings(3)
  const listeners = taken.layout.listeners.map((listener) => ({ ...listener, bindPort: cluster.nodes.get(2)!.port }))
  const settings = { ...taken, layout: { ...taken.layout, listeners } }
  const deps = { version: 'test', fs: nodeFileSystem, scheduler: systemScheduler, random: systemRandom, metrics: createMetrics(), logger: silentLogger }
  const started = await startNode(settings, deps)
  expect(started.ok ? '' : started.error).toContain('EADDRINUSE')
  await cluster.start(3)
})
