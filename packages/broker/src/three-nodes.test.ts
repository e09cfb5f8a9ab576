import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { CreateTopicsResponse, DescribeQuorumResponse, FetchResponse, MetadataResponse, ProduceResponse, Uuid } from '@kavka/protocol'
import { KafkaTestClient } from './testing/kafka-test-client.ts'
import { TestNodes } from './testing/test-nodes.ts'
import { batchOf, valuesIn } from './testing/test-records.ts'

const cluster = new TestNodes()

beforeAll(() => cluster.startAll(3), 30_000)
afterAll(() => cluster.clear(), 30_000)

async function until<T>(attempt: () => Promise<T | null>, msMax = 10_000): Promise<T> {
  const deadlineMs = performance.now() + msMax
  for (;;) {
    const value = await attempt().catch(() => null)
    if (value !== null) return value
    if (performance.now() > deadlineMs) throw new Error('it did not come about')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function withClient<T>(nodeId: number, use: (client: KafkaTestClient) => Promise<T>): Promise<T> {
  const client = await KafkaTestClient.connect(cluster.nodes.get(nodeId)!.port)
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

type Partition = MetadataResponse['topics'][number]['partitions'][number]

function partitionAt(nodeId: number, topic: string): Promise<Partition | null> {
  return withClient(nodeId, async (client) => {
    const response = await client.ask<MetadataResponse>(ApiKey.Metadata, 12, { topics: [{ name: topic }] })
    return response.topics[0]?.partitions[0] ?? null
  })
}

function produce(leaderId: number, topicId: Uuid, value: string): Promise<ProduceResponse['responses'][number]['partitionResponses'][number]> {
  return withClient(leaderId, async (client) => {
    const topicData = [{ topicId, partitionData: [{ index: 0, records: batchOf(value) }] }]
    const response = await client.ask<ProduceResponse>(ApiKey.Produce, 13, { acks: -1, timeoutMs: 5_000, topicData })
    return response.responses[0]!.partitionResponses[0]!
  })
}

async function valuesAt(nodeId: number, topicId: Uuid): Promise<string[]> {
  return withClient(nodeId, async (client) => {
    const topics = [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }]
    const response = await client.ask<FetchResponse>(ApiKey.Fetch, 13, { maxWaitMs: 200, minBytes: 1, maxBytes: 1 << 20, topics, rackId: '' })
    return valuesIn(response.responses[0]!.partitions[0]!.records)
  })
}

test('three nodes elect, replicate, lose one, go on, and take it back', async () => {
  const topics = [{ name: 'replicated', numPartitions: 1, replicationFactor: 3, assignments: [], configs: [{ name: 'min.insync.replicas', value: '2' }] }]
  const created = await withClient(1, (client) => client.ask<CreateTopicsResponse>(ApiKey.CreateTopics, 7, { topics, timeoutMs: 10_000 }))
  expect(created.topics[0]!.errorCode ?? 0).toBe(ErrorCode.NONE)
  const { topicId } = created.topics[0]!
  const first = await until(async () => {
    const partition = await partitionAt(1, 'replicated')
    return partition !== null && partition.isrNodes.length === 3 ? partition : null
  })
  expect((await until(async () => noError(await produce(first.leaderId, topicId, 'before')))).baseOffset).toBe(0)
  const others = [1, 2, 3].filter((nodeId) => nodeId !== first.leaderId)
  const elsewhere = await produce(others[0]!, topicId, 'wrong broker')
  expect(elsewhere).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, currentLeader: { leaderId: first.leaderId } })

  await cluster.stop(first.leaderId)
  const survivor = others[0]!
  const second = await until(async () => {
    const partition = await partitionAt(survivor, 'replicated')
    return partition !== null && partition.leaderId !== first.leaderId && partition.leaderId >= 0 ? partition : null
  })
  expect(second.leaderEpoch).toBeGreaterThan(first.leaderEpoch)
  await until(async () => noError(await produce(second.leaderId, topicId, 'without one')))
  expect(await valuesAt(second.leaderId, topicId)).toEqual(['before', 'without one'])

  await cluster.start(first.leaderId)
  await until(async () => ((await partitionAt(survivor, 'replicated'))?.isrNodes.length === 3 ? true : null))
  const third = (await partitionAt(survivor, 'replicated'))!
  await until(async () => noError(await produce(third.leaderId, topicId, 'after')))
  expect(await valuesAt(third.leaderId, topicId)).toEqual(['before', 'without one', 'after'])
}, 60_000)

function noError<T extends { readonly errorCode: number }>(response: T): T | null {
  return response.errorCode === ErrorCode.NONE ? response : null
}

test('a request to any broker reaches the active controller', async () => {
  for (const nodeId of [1, 2, 3]) {
    const name = `created-at-${nodeId}`
    const topics = [{ name, numPartitions: 3, replicationFactor: 2, assignments: [], configs: [] }]
    const created = await withClient(nodeId, (client) => client.ask<CreateTopicsResponse>(ApiKey.CreateTopics, 7, { topics, timeoutMs: 10_000 }))
    expect(created.topics[0]!.errorCode ?? 0).toBe(ErrorCode.NONE)
    const asked = { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }
    const quorum = await withClient(nodeId, (client) => client.ask<DescribeQuorumResponse>(ApiKey.DescribeQuorum, 2, asked))
    expect(quorum.topics[0]!.partitions[0]!.currentVoters.map(({ replicaId }) => replicaId)).toEqual([1, 2, 3])
  }
})

test('one node of the cluster says that it is the active controller, every group and partition is counted once', async () => {
  const texts = await Promise.all(
    [...cluster.nodes.values()].map(async ({ node }) => (await fetch(`http://127.0.0.1:${node.httpPort}/metrics`)).text()),
  )
  const sum = (metric: string): number =>
    texts.reduce((total, text) => total + Number(new RegExp(`\\n${metric} (\\S+)`).exec(text)?.[1] ?? 0), 0)
  expect(sum('kafka_controller_kafkacontroller_activecontrollercount')).toBe(1)
  expect(sum('kafka_brokers')).toBe(3)
  const owners = texts.filter((text) => text.includes('kafka_topic_partition_current_offset{topic="replicated",partition="0"} 3'))
  expect(owners).toHaveLength(1)
})
