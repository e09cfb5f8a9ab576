import { ApiKey, buildBatch, ErrorCode } from '@kavka/protocol'
import type {
  ApiVersionsResponse, CreateTopicsResponse, DeleteRecordsResponse, DeleteTopicsResponse, DescribeClusterResponse,
  DescribeConfigsResponse, DescribeLogDirsResponse, DescribeProducersResponse, DescribeQuorumResponse, DescribeTopicPartitionsResponse,
  FetchResponse, FindCoordinatorResponse, IncrementalAlterConfigsResponse, InitProducerIdResponse, ListOffsetsResponse, MetadataResponse,
  OffsetForLeaderEpochResponse, ProduceResponse, Uuid,
} from '@kavka/protocol'
import { KafkaTestClient } from './testing/kafka-test-client.ts'
import { TestNodes } from './testing/test-nodes.ts'
import { batchOf, valuesIn } from './testing/test-records.ts'

const cluster = new TestNodes()
let client: KafkaTestClient

beforeAll(async () => {
  await cluster.startAll(1)
  client = await KafkaTestClient.connect(cluster.nodes.get(1)!.port)
}, 20_000)

afterAll(async () => {
  await client?.close()
  await cluster.clear()
}, 20_000)

async function createTopic(name: string, configs: readonly { name: string; value: string }[] = []): Promise<Uuid> {
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs }]
  const response = await client.ask<CreateTopicsResponse>(ApiKey.CreateTopics, 7, { topics, timeoutMs: 5_000 })
  expect(response.topics[0]!.errorCode ?? 0).toBe(ErrorCode.NONE)
  return response.topics[0]!.topicId
}

async function produce(topicId: Uuid, records: Buffer, acks = -1): Promise<ProduceResponse['responses'][number]['partitionResponses'][number]> {
  const request = { acks, timeoutMs: 5_000, topicData: [{ topicId, partitionData: [{ index: 0, records }] }] }
  const response = await client.ask<ProduceResponse>(ApiKey.Produce, 13, request)
  return response.responses[0]!.partitionResponses[0]!
}

function fetchRequest(topicId: Uuid, fetchOffset: number, more: object = {}): object {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }]
  return { maxWaitMs: 500, minBytes: 1, maxBytes: 1 << 20, topics: [{ topicId, partitions }], rackId: '', ...more }
}

test('ApiVersions lists the table, features, and Produce from 0', async () => {
  const named = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }
  const response = await client.ask<ApiVersionsResponse>(ApiKey.ApiVersions, 4, named)
  expect(response.errorCode).toBe(ErrorCode.NONE)
  const produce = response.apiKeys.find(({ apiKey }) => apiKey === ApiKey.Produce)
  expect(produce).toMatchObject({ minVersion: 0, maxVersion: 13 })
  const keys = response.apiKeys.map(({ apiKey }) => apiKey)
  expect(keys).toEqual(keys.toSorted((one, other) => one - other))
  for (const removed of [4, 5, 6, 7, ApiKey.GetTelemetrySubscriptions]) expect(keys).not.toContain(removed)
  expect(response.finalizedFeatures.map(({ name }) => name)).toContain('metadata.version')
  const unnamed = await client.ask<ApiVersionsResponse>(ApiKey.ApiVersions, 3, { clientSoftwareName: '-', clientSoftwareVersion: '' })
  expect(unnamed.errorCode).toBe(ErrorCode.INVALID_REQUEST)
  const old = await client.ask<ApiVersionsResponse>(ApiKey.ApiVersions, 3, named)
  expect(old.supportedFeatures.every(({ minVersion }) => minVersion > 0)).toBe(true)
})

test('what is produced is fetched, by id and by name, and the offsets agree', async () => {
  const topicId = await createTopic('orders')
  expect(await produce(topicId, batchOf('a', 'b'))).toMatchObject({ errorCode: 0, baseOffset: 0, logAppendTimeMs: -1 })
  expect(await produce(topicId, batchOf('c'), 1)).toMatchObject({ errorCode: 0, baseOffset: 2 })
  const fetched = await client.ask<FetchResponse>(ApiKey.Fetch, 18, fetchRequest(topicId, 0))
  const data = fetched.responses[0]!.partitions[0]!
  expect(data).toMatchObject({ errorCode: 0, highWatermark: 3, lastStableOffset: 3, logStartOffset: 0, abortedTransactions: null })
  expect(valuesIn(data.records)).toEqual(['a', 'b', 'c'])
  const byName = {
    maxWaitMs: 500, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 1,
    topics: [{ topic: 'orders', partitions: [{ partition: 0, fetchOffset: 2, partitionMaxBytes: 1 << 20 }] }],
  }
  const old = await client.ask<FetchResponse>(ApiKey.Fetch, 4, byName)
  expect(valuesIn(old.responses[0]!.partitions[0]!.records)).toEqual(['c'])
  expect(old.responses[0]!.partitions[0]!.abortedTransactions).toEqual([])
  const ask = { replicaId: -1, topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1 }, ] }] }
  const latest = await client.ask<ListOffsetsResponse>(ApiKey.ListOffsets, 11, ask)
  expect(latest.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, offset: 3, timestamp: -1 })
  const epochs = { replicaId: -2, topics: [{ topic: 'orders', partitions: [{ partition: 0, currentLeaderEpoch: 0, leaderEpoch: 0 }] }] }
  const end = await client.ask<OffsetForLeaderEpochResponse>(ApiKey.OffsetForLeaderEpoch, 4, epochs)
  expect(end.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 3 })
})

test('every version of Produce and Fetch works', async () => {
  const topicId = await createTopic('versions')
  for (let version = 3; version <= 13; version++) {
    const named = version >= 13 ? { topicId } : { name: 'versions' }
    const request = { acks: -1, timeoutMs: 5_000, topicData: [{ ...named, partitionData: [{ index: 0, records: batchOf(`v${version}`) }] }] }
    const response = await client.ask<ProduceResponse>(ApiKey.Produce, version, request)
    expect([version, response.responses[0]!.partitionResponses[0]!.errorCode]).toEqual([version, 0])
  }
  for (let version = 4; version <= 18; version++) {
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }]
    const named = version >= 13 ? { topicId } : { topic: 'versions' }
    const request = { maxWaitMs: 100, minBytes: 1, maxBytes: 1 << 20, topics: [{ ...named, partitions }] }
    const response = await client.ask<FetchResponse>(ApiKey.Fetch, version, request)
    expect([version, valuesIn(response.responses[0]!.partitions[0]!.records).length]).toEqual([version, 11])
  }
})

test('produces of one connection are appended in their order, however many are in flight', async () => {
  const topicId = await createTopic('ordered')
  const count = 200
  for (let index = 0; index < count; index++) {
    const topicData = [{ topicId, partitionData: [{ index: 0, records: batchOf(String(index)) }] }]
    client.send(ApiKey.Produce, 13, { acks: -1, timeoutMs: 5_000, topicData })
  }
  for (let index = 0; index < count; index++) await client.frame()
  const fetched = await client.ask<FetchResponse>(ApiKey.Fetch, 18, fetchRequest(topicId, 0))
  expect(valuesIn(fetched.responses[0]!.partitions[0]!.records)).toEqual(Array.from({ length: count }, (_, index) => String(index)))
})

test('a fetch waits for records and an incremental session mentions what is new', async () => {
  const topicId = await createTopic('sessions')
  await produce(topicId, batchOf('first'))
  const full = await client.ask<FetchResponse>(ApiKey.Fetch, 18, fetchRequest(topicId, 0, { sessionEpoch: 0 }))
  expect(full.sessionId).toBeGreaterThan(0)
  const producer = await KafkaTestClient.connect(cluster.nodes.get(1)!.port)
  const incremental = { ...fetchRequest(topicId, 1, { sessionId: full.sessionId, sessionEpoch: 1 }), maxWaitMs: 5_000 }
  const startedMs = performance.now()
  const waiting = client.ask<FetchResponse>(ApiKey.Fetch, 18, incremental)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const topicData = [{ topicId, partitionData: [{ index: 0, records: batchOf('second') }] }]
  await producer.ask(ApiKey.Produce, 13, { acks: -1, timeoutMs: 5_000, topicData })
  const response = await waiting
  expect(performance.now() - startedMs).toBeLessThan(2_000)
  expect(valuesIn(response.responses[0]!.partitions[0]!.records)).toEqual(['second'])
  const stale = await client.ask<FetchResponse>(ApiKey.Fetch, 18, incremental)
  expect(stale).toMatchObject({ errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, responses: [] })
  await producer.close()
})

test('acks=0 is not answered, and closes the connection when it fails', async () => {
  const topicId = await createTopic('unacknowledged')
  const other = await KafkaTestClient.connect(cluster.nodes.get(1)!.port)
  const topicData = [{ topicId, partitionData: [{ index: 0, records: batchOf('silent') }] }]
  other.send(ApiKey.Produce, 13, { acks: 0, timeoutMs: 5_000, topicData })
  const versions = await other.ask<ApiVersionsResponse>(ApiKey.ApiVersions, 0, {})
  expect(versions.errorCode).toBe(ErrorCode.NONE)
  const missing = [{ topicId, partitionData: [{ index: 7, records: batchOf('nowhere') }] }]
  other.send(ApiKey.Produce, 13, { acks: 0, timeoutMs: 5_000, topicData: missing })
  expect(await other.closedByServer()).toEqual([])
})

test('Metadata describes what there is, creates on demand, and refuses what cannot be', async () => {
  await createTopic('described')
  for (let version = 0; version <= 13; version++) {
    const response = await client.ask<MetadataResponse>(ApiKey.Metadata, version, { topics: [{ name: 'described' }] })
    expect([version, response.brokers[0]!.nodeId, response.topics[0]!.partitions[0]!.leaderId]).toEqual([version, 1, 1])
  }
  const forbidden = { topics: [{ name: 'forbidden' }], allowAutoTopicCreation: false }
  for (let attempt = 0; attempt < 2; attempt++) {
    const response = await client.ask<MetadataResponse>(ApiKey.Metadata, 12, forbidden)
    expect(response.topics[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  }
  const invalid = await client.ask<MetadataResponse>(ApiKey.Metadata, 12, { topics: [{ name: 'no/slash' }] })
  expect(invalid.topics[0]!.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
  const unknownId = await client.ask<MetadataResponse>(ApiKey.Metadata, 12, { topics: [{ topicId: 'zzzzzzzzzzzzzzzzzzzzzA', name: null }] })
  expect(unknownId.topics[0]).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null })
  const tooOld = await client.ask<MetadataResponse>(ApiKey.Metadata, 10, { topics: [{ topicId: 'zzzzzzzzzzzzzzzzzzzzzA', name: null }] })
  expect(tooOld.topics[0]!.errorCode).toBe(ErrorCode.INVALID_REQUEST)
  const none = await client.ask<MetadataResponse>(ApiKey.Metadata, 1, { topics: [] })
  expect(none.topics).toEqual([])
  const all = await client.ask<MetadataResponse>(ApiKey.Metadata, 13, { topics: null })
  expect(all.topics.map(({ name }) => name)).toContain('described')
})

test('asking for an unknown topic creates it', async () => {
  const ask = (): Promise<MetadataResponse> => client.ask(ApiKey.Metadata, 12, { topics: [{ name: 'on-demand' }], allowAutoTopicCreation: true })
  expect((await ask()).topics[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const deadlineMs = performance.now() + 3_000
  let answer = await ask()
  while (answer.topics[0]!.errorCode !== 0 && performance.now() < deadlineMs) answer = await ask()
  expect(answer.topics[0]!.partitions[0]!.leaderId).toBe(1)
})

test('configurations are described with sources, altered, and obeyed', async () => {
  const topicId = await createTopic('configured', [{ name: 'retention.ms', value: '12345' }])
  const describe = async (name: string): Promise<DescribeConfigsResponse['results'][number]['configs'][number]> => {
    const resources = [{ resourceType: 2, resourceName: 'configured', configurationKeys: [name] }]
    const response = await client.ask<DescribeConfigsResponse>(ApiKey.DescribeConfigs, 4, { resources, includeSynonyms: true, includeDocumentation: true })
    return response.results[0]!.configs[0]!
  }
  expect(await describe('retention.ms')).toMatchObject({ value: '12345', configSource: 1, configType: 5, readOnly: false })
  const synonyms = async (name: string): Promise<unknown> =>
    (await describe(name)).synonyms.map((synonym) => [synonym.name, synonym.source])
  expect(await synonyms('retention.ms')).toEqual([['retention.ms', 1]])
  expect(await synonyms('segment.bytes')).toEqual([['log.segment.bytes', 5]])
  expect(await describe('max.message.bytes')).toMatchObject({ value: '1048588', configSource: 5 })
  const configs = [{ name: 'max.message.bytes', configOperation: 0, value: '100' }]
  const alter = { resources: [{ resourceType: 2, resourceName: 'configured', configs }] }
  const altered = await client.ask<IncrementalAlterConfigsResponse>(ApiKey.IncrementalAlterConfigs, 1, alter)
  expect(altered.responses[0]).toMatchObject({ errorCode: 0, resourceName: 'configured' })
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(await describe('max.message.bytes')).toMatchObject({ value: '100', configSource: 1 })
  expect(await produce(topicId, batchOf('x'.repeat(500)))).toMatchObject({ errorCode: ErrorCode.MESSAGE_TOO_LARGE, baseOffset: -1 })
})

test('a broker shows its configuration, read-only keys are refused, loggers are set', async () => {
  const resources = [{ resourceType: 4, resourceName: '1', configurationKeys: null }, { resourceType: 8, resourceName: '1', configurationKeys: null }]
  const response = await client.ask<DescribeConfigsResponse>(ApiKey.DescribeConfigs, 4, { resources })
  const [broker, loggers] = response.results as [typeof response.results[number], typeof response.results[number]]
  expect(broker.configs.find(({ name }) => name === 'node.id')).toMatchObject({ value: '1', readOnly: true, configSource: 4 })
  expect(broker.configs.find(({ name }) => name === 'message.max.bytes')).toMatchObject({ readOnly: false, configSource: 5 })
  expect(loggers.configs.map(({ name }) => name)).toContain('kafka.server.ReplicaManager')
  const alter = (resourceType: number, name: string, value: string): Promise<IncrementalAlterConfigsResponse> =>
    client.ask(ApiKey.IncrementalAlterConfigs, 1, {
      resources: [{ resourceType, resourceName: '1', configs: [{ name, configOperation: 0, value }] }],
    })
  expect((await alter(4, 'node.id', '2')).responses[0]!.errorCode).toBe(ErrorCode.INVALID_REQUEST)
  expect((await alter(4, 'message.max.bytes', 'many')).responses[0]!.errorCode).toBe(ErrorCode.INVALID_CONFIG)
  expect((await alter(8, 'kafka.server.ReplicaManager', 'DEBUG')).responses[0]!.errorCode).toBe(0)
  expect((await alter(8, 'kafka.server.ReplicaManager', 'LOUD')).responses[0]!.errorCode).toBe(ErrorCode.INVALID_CONFIG)
  expect((await alter(8, 'kafka.no.such', 'DEBUG')).responses[0]!.errorCode).toBe(ErrorCode.INVALID_CONFIG)
})

test('the cluster, its quorum and its directories are described', async () => {
  const described = await client.ask<DescribeClusterResponse>(ApiKey.DescribeCluster, 2, { endpointType: 1 })
  expect(described).toMatchObject({ errorCode: 0, clusterId: '4L6g3nShT-eMCtK--X86sw', controllerId: 1, brokers: [{ brokerId: 1, isFenced: false }] })
  const mismatched = await client.ask<DescribeClusterResponse>(ApiKey.DescribeCluster, 1, { endpointType: 2 })
  expect(mismatched.errorCode).toBe(ErrorCode.MISMATCHED_ENDPOINT_TYPE)
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
  const quorum = await client.ask<DescribeQuorumResponse>(ApiKey.DescribeQuorum, 2, { topics })
  expect(quorum.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, leaderId: 1 })
  const dirs = await client.ask<DescribeLogDirsResponse>(ApiKey.DescribeLogDirs, 5, { topics: null })
  expect(dirs.results[0]!.errorCode).toBe(0)
  expect(dirs.results[0]!.totalBytes).toBeGreaterThan(0)
  expect(dirs.results[0]!.topics.map(({ name }) => name)).toContain('orders')
})

test('DescribeTopicPartitions turns pages', async () => {
  const topics = [{ name: 'paged', numPartitions: 5, replicationFactor: 1, assignments: [], configs: [] }]
  await client.ask(ApiKey.CreateTopics, 7, { topics, timeoutMs: 5_000 })
  const page = (cursor: object | null): Promise<DescribeTopicPartitionsResponse> =>
    client.ask(ApiKey.DescribeTopicPartitions, 0, { topics: [{ name: 'paged' }], responsePartitionLimit: 2, cursor })
  const seen: number[] = []
  let cursor: DescribeTopicPartitionsResponse['nextCursor'] = null
  do {
    const response: DescribeTopicPartitionsResponse = await page(cursor)
    seen.push(...response.topics[0]!.partitions.map(({ partitionIndex }) => partitionIndex))
    cursor = response.nextCursor
  } while (cursor !== null)
  expect(seen).toEqual([0, 1, 2, 3, 4])
})

test('records are deleted up to an offset, topics altogether', async () => {
  const topicId = await createTopic('short-lived')
  await produce(topicId, batchOf('a', 'b', 'c'))
  const partitions = [{ partitionIndex: 0, offset: 2 }]
  const deleted = await client.ask<DeleteRecordsResponse>(ApiKey.DeleteRecords, 2, { topics: [{ name: 'short-lived', partitions }], timeoutMs: 5_000 })
  expect(deleted.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: 2 })
  const early = await client.ask<FetchResponse>(ApiKey.Fetch, 18, fetchRequest(topicId, 0))
  expect(early.responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
  const gone = await client.ask<DeleteTopicsResponse>(ApiKey.DeleteTopics, 6, { topics: [{ name: 'short-lived' }], timeoutMs: 5_000 })
  expect(gone.responses[0]!.errorCode ?? 0).toBe(0)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect((await produce(topicId, batchOf('late'))).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
})

test('idempotent producers get ids, and duplicates their old offsets', async () => {
  const topicId = await createTopic('idempotent')
  const { errorCode, producerId } = await client.ask<InitProducerIdResponse>(ApiKey.InitProducerId, 5, { transactionalId: null, transactionTimeoutMs: 0 })
  expect(errorCode).toBe(0)
  const records = (baseSequence: number): Buffer =>
    buildBatch([{ timestamp: 1, key: null, value: Buffer.from('v'), headers: [] }], { producerId, producerEpoch: 0, baseSequence })
  expect(await produce(topicId, records(0))).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(await produce(topicId, records(1))).toMatchObject({ errorCode: 0, baseOffset: 1 })
  expect(await produce(topicId, records(0))).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(await produce(topicId, records(5))).toMatchObject({ errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER })
  const asked = { topics: [{ name: 'idempotent', partitionIndexes: [0] }] }
  const producers = await client.ask<DescribeProducersResponse>(ApiKey.DescribeProducers, 0, asked)
  expect(producers.topics[0]!.partitions[0]!.activeProducers).toMatchObject([{ producerId, lastSequence: 1 }])
})

test('a coordinator is found once its topic exists', async () => {
  const ask = (): Promise<FindCoordinatorResponse> => client.ask(ApiKey.FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['group'] })
  const deadlineMs = performance.now() + 5_000
  let answer = await ask()
  while (answer.coordinators[0]!.errorCode !== 0 && performance.now() < deadlineMs) answer = await ask()
  expect(answer.coordinators[0]).toMatchObject({ errorCode: 0, nodeId: 1 })
})

test('the controller listener answers for controllers', async () => {
  const admin = await KafkaTestClient.connect(cluster.nodes.get(1)!.controllerPort)
  const versions = await admin.ask<ApiVersionsResponse>(ApiKey.ApiVersions, 4, { clientSoftwareName: 'admin', clientSoftwareVersion: '1' })
  expect(versions.apiKeys.map(({ apiKey }) => apiKey)).not.toContain(ApiKey.Produce)
  const described = await admin.ask<DescribeClusterResponse>(ApiKey.DescribeCluster, 1, { endpointType: 2 })
  expect(described).toMatchObject({ errorCode: 0, controllerId: 1, brokers: [{ brokerId: 1, port: cluster.nodes.get(1)!.controllerPort }] })
  const topics = [{ name: 'through-the-controller', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  const created = await admin.ask<CreateTopicsResponse>(ApiKey.CreateTopics, 7, { topics, timeoutMs: 5_000 })
  expect(created.topics[0]!.errorCode).toBe(0)
  await admin.close()
})

test('HTTP tells health and metrics', async () => {
  const { httpPort } = cluster.nodes.get(1)!.node
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${httpPort}${path}`)
  expect((await get('/healthz')).status).toBe(200)
  const ready = await get('/readyz')
  expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', reasons: [] }])
  expect((await get('/nope')).status).toBe(404)
  const text = await (await get('/metrics')).text()
  for (const line of [
    'kafka_controller_kafkacontroller_activecontrollercount 1',
    'kafka_server_kafkaserver_brokerstate 3',
    'kafka_server_replicamanager_underreplicatedpartitions 0',
    'kafka_server_raftmetrics_current_state{current_state="leader"} 1',
    'kafka_topic_partition_current_offset{topic="orders",partition="0"} 3',
    'kafka_server_brokertopicmetrics_messagesin_total{topic="orders"} 3',
    'kafka_log_log_logendoffset{topic="orders",partition="0"} 3',
    'kafka_brokers 1',
  ]) {
    expect(text).toContain(`\n${line}`)
  }
  expect(text).toMatch(/\nkafka_network_requestmetrics_requests_total\{request="Produce",version="13"\} \d+/)
  expect(text).toMatch(/\nkafka_network_requestmetrics_totaltimems\{request="FetchConsumer",quantile="0.99"\} [\d.]+/)
  expect(text).toMatch(/\nprocess_resident_memory_bytes \d+/)
})
