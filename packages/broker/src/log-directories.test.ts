/** Brokers with several log directories: one fails, comes back empty, cannot be used at the start (KIP-112, KIP-858). */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { CreateTopicsResponse, DescribeLogDirsResponse, MetadataResponse, ProduceResponse } from '@kavka/protocol'
import { KafkaTestClient } from './testing/kafka-test-client.ts'
import { TestNodes } from './testing/test-nodes.ts'
import { batchOf } from './testing/test-records.ts'

const PARTITIONS = 6
const soon = { 'replica.high.watermark.checkpoint.interval.ms': '100', 'broker.heartbeat.interval.ms': '60000', 'broker.session.timeout.ms': '120000' }

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await holds()) return
    await sleep(50)
  }
  throw new Error(`never: ${what}`)
}

async function createOrders(client: KafkaTestClient, replicationFactor: number): Promise<void> {
  const topics = [{ name: 'orders', numPartitions: PARTITIONS, replicationFactor, assignments: [], configs: [] }]
  const response = await client.ask<CreateTopicsResponse>(ApiKey.CreateTopics, 7, { topics, timeoutMs: 5_000 })
  expect(response.topics[0]!.errorCode).toBe(ErrorCode.NONE)
}

async function partitions(client: KafkaTestClient): Promise<MetadataResponse['topics'][number]['partitions']> {
  const { topics } = await client.ask<MetadataResponse>(ApiKey.Metadata, 12, { topics: [{ name: 'orders' }] })
  return topics[0]!.partitions.toSorted((one, other) => one.partitionIndex - other.partitionIndex)
}

/** Partitions of `orders` by directory, as the broker says. */
async function placesOn(client: KafkaTestClient): Promise<{ path: string; errorCode: number; partitions: number[] }[]> {
  const { results } = await client.ask<DescribeLogDirsResponse>(ApiKey.DescribeLogDirs, 4, { topics: null })
  return results.map(({ logDir, errorCode, topics }) => ({
    path: logDir, errorCode, partitions: topics.filter(({ name }) => name === 'orders').flatMap((topic) => topic.partitions.map((one) => one.partitionIndex)),
  }))
}

/** One record to each partition; the answers' codes. */
async function produceToAll(cluster: TestNodes, client: KafkaTestClient): Promise<number[]> {
  const codes: number[] = []
  for (const { partitionIndex, leaderId } of await partitions(client)) {
    if (leaderId < 0) continue
    const leader = await KafkaTestClient.connect(cluster.nodes.get(leaderId)!.port)
    const topicData = [{ name: 'orders', partitionData: [{ index: partitionIndex, records: batchOf('a') }] }]
    const answer = await leader.ask<ProduceResponse>(ApiKey.Produce, 12, { acks: -1, timeoutMs: 5_000, topicData })
    codes.push(answer.responses[0]!.partitionResponses[0]!.errorCode)
    await leader.close()
  }
  return codes
}

test('a directory that fails takes its replicas out of service, not its broker, and they come back on a new disk', async () => {
  const cluster = new TestNodes({ ...soon, 'min.insync.replicas': '2' }, undefined, 2)
  await cluster.startAll(3)
  const client = await KafkaTestClient.connect(cluster.nodes.get(1)!.port)
  try {
    await createOrders(client, 3)
    const failing = cluster.directories(2)[1]!
    const own = await KafkaTestClient.connect(cluster.nodes.get(2)!.port)
    await until('all replicas have their logs', async () => (await placesOn(own)).reduce((sum, one) => sum + one.partitions.length, 0) === PARTITIONS)
    const lost = new Set((await placesOn(own)).find(({ path }) => path === failing)!.partitions)
    expect([lost.size > 0, lost.size < PARTITIONS]).toEqual([true, true])

    rmSync(failing, { recursive: true })
    await until('its replicas left the in-sync sets, the others stayed', async () => {
      // Somebody has to write to it, or nobody notices.
      await produceToAll(cluster, client)
      return (await partitions(client)).every(({ partitionIndex, isrNodes, leaderId }) => {
        return isrNodes.includes(2) !== lost.has(partitionIndex) && !(lost.has(partitionIndex) && leaderId === 2)
      })
    })
    expect((await placesOn(own)).find(({ path }) => path === failing)).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    expect(await produceToAll(cluster, client)).toEqual(Array.from({ length: PARTITIONS }, () => ErrorCode.NONE))
    await own.close()

    await cluster.stop(2)
    mkdirSync(failing, { recursive: true })
    await cluster.start(2)
    await until('everything is in sync again', async () => (await partitions(client)).every(({ isrNodes }) => isrNodes.length === 3))
  } finally {
    await client.close()
    await cluster.clear()
  }
}, 60_000)

test('a node starts without the directory that cannot be used', async () => {
  const cluster = new TestNodes({}, undefined, 2)
  const [, unusable] = cluster.directories(1)
  writeFileSync(unusable!, 'in the way')
  await cluster.startAll(1)
  const client = await KafkaTestClient.connect(cluster.nodes.get(1)!.port)
  try {
    await createOrders(client, 1)
    await until('all partitions are led', async () => (await partitions(client)).every(({ leaderId }) => leaderId === 1))
    expect(await placesOn(client)).toMatchObject([
      { errorCode: ErrorCode.NONE, partitions: { length: PARTITIONS } },
      { path: unusable, errorCode: ErrorCode.KAFKA_STORAGE_ERROR, partitions: [] },
    ])
  } finally {
    await client.close()
    await cluster.clear()
  }
}, 30_000)
