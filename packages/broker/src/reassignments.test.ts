/** Partitions move to other brokers while they are written to (KIP-455). */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type {
  AlterPartitionReassignmentsResponse, CreateTopicsResponse, FetchResponse, ListPartitionReassignmentsResponse, MetadataResponse, ProduceResponse,
} from '@kavka/protocol'
import { KafkaTestClient } from './testing/kafka-test-client.ts'
import { TestNodes } from './testing/test-nodes.ts'
import { batchOf, valuesIn } from './testing/test-records.ts'

const cluster = new TestNodes({ 'min.insync.replicas': '1', 'file.delete.delay.ms': '0', 'log.segment.delete.delay.ms': '0' })
let client: KafkaTestClient

beforeAll(async () => {
  await cluster.startAll(4)
  client = await KafkaTestClient.connect(cluster.nodes.get(1)!.port)
}, 30_000)

afterAll(async () => {
  await client?.close()
  await cluster.clear()
}, 20_000)

/** As soon as this broker knows a leader. */
async function partition(): Promise<MetadataResponse['topics'][number]['partitions'][number]> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const known = (await client.ask<MetadataResponse>(ApiKey.Metadata, 12, { topics: [{ name: 'orders' }] })).topics[0]!.partitions[0]
    if (known !== undefined && cluster.nodes.has(known.leaderId)) return known
    await sleep(10)
  }
  throw new Error('nobody leads')
}

async function atLeader<Response>(apiKey: number, version: number, body: object): Promise<Response> {
  const leader = await KafkaTestClient.connect(cluster.nodes.get((await partition()).leaderId)!.port)
  try {
    return await leader.ask<Response>(apiKey, version, body)
  } finally {
    await leader.close()
  }
}

/** As a client does: again, where the leader changed meanwhile. What the old one had taken may come twice then. */
async function produce(value: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const topicData = [{ name: 'orders', partitionData: [{ index: 0, records: batchOf(value) }] }]
    const answer = await atLeader<ProduceResponse>(ApiKey.Produce, 12, { acks: -1, timeoutMs: 5_000, topicData })
    const { errorCode } = answer.responses[0]!.partitionResponses[0]!
    if (errorCode === ErrorCode.NONE) return
    expect([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]).toContain(errorCode)
    await sleep(20)
  }
  throw new Error(`never appended: ${value}`)
}

async function reassign(replicas: readonly number[] | null): Promise<number> {
  const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, replicas }] }]
  const answer = await client.ask<AlterPartitionReassignmentsResponse>(ApiKey.AlterPartitionReassignments, 1, { timeoutMs: 5_000, topics })
  return answer.responses[0]!.partitions[0]!.errorCode
}

async function ongoing(): Promise<ListPartitionReassignmentsResponse['topics']> {
  return (await client.ask<ListPartitionReassignmentsResponse>(ApiKey.ListPartitionReassignments, 0, { timeoutMs: 5_000, topics: null })).topics
}

test('moves to other brokers and takes everything along; the old replicas are deleted', async () => {
  const topics = [{ name: 'orders', numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }], configs: [] }]
  expect((await client.ask<CreateTopicsResponse>(ApiKey.CreateTopics, 7, { topics, timeoutMs: 5_000 })).topics[0]!.errorCode).toBe(ErrorCode.NONE)
  const values = Array.from({ length: 20 }, (_, i) => `v${i}`)
  for (const value of values.slice(0, 10)) await produce(value)
  expect(await reassign(null)).toBe(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS)
  expect(await reassign([3, 4])).toBe(ErrorCode.NONE)
  for (const value of values.slice(10)) await produce(value)
  for (let attempt = 0; attempt < 200 && (await ongoing()).length > 0; attempt++) await sleep(25)
  expect(await ongoing()).toEqual([])
  const moved = await partition()
  expect([moved.leaderId, moved.replicaNodes, moved.isrNodes.toSorted()]).toEqual([3, [3, 4], [3, 4]])
  const read = { maxWaitMs: 500, minBytes: 1, maxBytes: 1 << 20, topics: [{ topic: 'orders', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }] }
  const fetched = await atLeader<FetchResponse>(ApiKey.Fetch, 12, read)
  expect([...new Set(valuesIn(fetched.responses[0]!.partitions[0]!.records))]).toEqual(values)
  const isThere = (id: number): boolean => existsSync(join(cluster.directories(id)[0]!, 'orders-0'))
  for (let attempt = 0; attempt < 200 && [1, 2].some(isThere); attempt++) await sleep(25)
  expect([1, 2, 3, 4].filter(isThere)).toEqual([3, 4])
}, 30_000)

test('is called off while a new replica cannot catch up', async () => {
  await cluster.stop(1)
  client = await KafkaTestClient.connect(cluster.nodes.get(2)!.port)
  expect(await reassign([3, 4, 1])).toBe(ErrorCode.NONE)
  expect(await ongoing()).toMatchObject([{ name: 'orders', partitions: [{ partitionIndex: 0, addingReplicas: [1], removingReplicas: [] }] }])
  expect(await reassign(null)).toBe(ErrorCode.NONE)
  expect([await ongoing(), (await partition()).replicaNodes]).toEqual([[], [3, 4]])
}, 30_000)
