import { sleep, systemScheduler } from '@kavka/kernel'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { ApiVersionsResponse, CreateTopicsResponse, DescribeClusterResponse, DescribeQuorumResponse } from '@kavka/protocol'
import { startNode } from './start-node.ts'
import { KafkaTestClient } from './testing/kafka-test-client.ts'
import { nodeDependencies, TestNodes } from './testing/test-nodes.ts'

/** Node 1 is the only controller; 2 and 3 are brokers that follow its log as observers. */
const cluster = new TestNodes({}, (nodeId) => (nodeId === 1 ? 'controller' : 'broker'))

beforeAll(() => cluster.startAll(3), 30_000)
afterAll(() => cluster.clear(), 30_000)

test('brokers without a vote serve, a controller without a broker governs', async () => {
  const client = await KafkaTestClient.connect(cluster.nodes.get(2)!.port)
  const topics = [{ name: 'apart', numPartitions: 2, replicationFactor: 2, assignments: [], configs: [] }]
  const created = await client.ask<CreateTopicsResponse>(ApiKey.CreateTopics, 7, { topics, timeoutMs: 5_000 })
  expect(created.topics[0]!.errorCode).toBe(ErrorCode.NONE)
  // The controller has counted both in; the metadata of the node asked may be a moment behind.
  const brokers = async () => (await client.ask<DescribeClusterResponse>(ApiKey.DescribeCluster, 1, {})).brokers.map(({ brokerId }) => brokerId)
  while ((await brokers()).length < 2) await sleep(systemScheduler, 10)
  expect(await brokers()).toEqual([2, 3])
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

describe('a node that is down', () => {
  // Stopping and starting nodes is left to the hooks, with their limit: a busy disk takes seconds for it.
  beforeAll(() => cluster.stop(3), 30_000)
  // What was refused has left nothing running, and nothing locked.
  afterAll(() => cluster.start(3), 30_000)

  test('refuses data of another cluster with a sentence', async () => {
    const started = await startNode({ ...cluster.settings(3), clusterId: '5L6g3nShT-eMCtK--X86sw' }, nodeDependencies())
    expect(started).toMatchObject({ ok: false })
    expect(started.ok ? '' : started.error).toContain('4L6g3nShT-eMCtK--X86sw')
  })

  test('tells that its port is in use', async () => {
    const own = cluster.settings(3)
    const listeners = own.layout.listeners.map((listener) => ({ ...listener, bindPort: cluster.nodes.get(2)!.port }))
    const started = await startNode({ ...own, layout: { ...own.layout, listeners } }, nodeDependencies())
    expect(started.ok ? '' : started.error).toContain('EADDRINUSE')
  })
})
