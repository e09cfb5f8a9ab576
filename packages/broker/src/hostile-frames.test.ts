/** What reliability asks of bad input: an error as Kafka gives it or a clean close, soon, and nobody else notices. */
import { ApiKey, apis, buildBatch, ErrorCode, sealBatchCrc } from '@kavka/protocol'
import type { ApiVersionsResponse, CreateTopicsResponse, MetadataResponse, ProduceResponse, Uuid } from '@kavka/protocol'
import { seededRandom } from '@kavka/kernel'
import { KafkaTestClient } from './testing/kafka-test-client.ts'
import { TestNodes } from './testing/test-nodes.ts'
import { batchOf } from './testing/test-records.ts'

const cluster = new TestNodes()
let port = 0
let bystander: KafkaTestClient
let topicId: Uuid

beforeAll(async () => {
  await cluster.startAll(1)
  port = cluster.nodes.get(1)!.port
  bystander = await KafkaTestClient.connect(port)
  const topics = [{ name: 'target', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  const created = await bystander.ask<CreateTopicsResponse>(ApiKey.CreateTopics, 7, { topics, timeoutMs: 5_000 })
  topicId = created.topics[0]!.topicId
}, 20_000)

afterAll(async () => {
  await bystander?.close()
  await cluster.clear()
}, 20_000)

/** The connection of somebody well-behaved works as before. */
afterEach(async () => {
  const response = await bystander.ask<ApiVersionsResponse>(ApiKey.ApiVersions, 0, {})
  expect(response.errorCode).toBe(ErrorCode.NONE)
})

function connect(): Promise<KafkaTestClient> {
  return KafkaTestClient.connect(port)
}

async function expectClose(bytes: Uint8Array): Promise<void> {
  const client = await connect()
  client.raw(bytes)
  expect(await client.closedByServer()).toEqual([])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function framed(...parts: Uint8Array[]): Buffer {
  const payload = Buffer.concat(parts)
  return Buffer.concat([int32(payload.length), payload])
}

/** Header 1 with the client id 'x'. */
function header(apiKey: number, apiVersion: number): Buffer {
  const bytes = Buffer.alloc(11)
  bytes.writeInt16BE(apiKey, 0)
  bytes.writeInt16BE(apiVersion, 2)
  bytes.writeInt32BE(42, 4)
  bytes.writeInt16BE(1, 8)
  bytes.write('x', 10)
  return bytes
}

describe('framing', () => {
  test.each([
    ['size 0', int32(0)],
    ['size -1', int32(-1)],
    ['size below a header', framed(Buffer.alloc(5))],
    ['the largest int', int32(0x7fffffff)],
    ['one more than socket.request.max.bytes', int32(104_857_601)],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01])],
    ['noise', Buffer.from(seededRandom(1).bytes(4096).map((byte) => byte | 0x80))],
  ])('%s closes the connection', (_name, bytes) => expectClose(bytes))

  test('the largest size that is allowed is waited for', async () => {
    const client = await connect()
    client.raw(int32(104_857_600))
    await expect(client.closedByServer(300)).rejects.toThrow('kept')
    await client.close()
  })

  test('a request byte by byte is answered', async () => {
    const client = await connect()
    for (const byte of Buffer.concat(client.encode(ApiKey.ApiVersions, 0, {}))) {
      client.raw(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await client.frame()).readInt32BE(0)).toBe(1)
    await client.close()
  })

  test('a peer that leaves in the middle of a frame leaves nothing behind', async () => {
    const client = await connect()
    client.raw(Buffer.concat([int32(1000), Buffer.alloc(500)]))
    await client.close()
  })

  test('two requests in one segment are both answered, and the bad one after them closes', async () => {
    const client = await connect()
    const two = Buffer.concat([...client.encode(ApiKey.ApiVersions, 0, {}), ...client.encode(ApiKey.ApiVersions, 0, {})])
    client.raw(Buffer.concat([two, int32(-5)]))
    const answers = await client.closedByServer()
    expect(answers.map((frame) => frame.readInt32BE(0))).toEqual([1, 2])
  })
})

describe('headers', () => {
  test.each([[-1], [32767], [4], [7], [ApiKey.Vote], [ApiKey.BrokerHeartbeat], [ApiKey.AlterPartition], [ApiKey.GetTelemetrySubscriptions]])(
    'API %p is not served to clients',
    (apiKey) => expectClose(framed(header(apiKey, 0))),
  )

  test('a version that is not served closes, whatever the API', async () => {
    for (const [apiKey, { versions }] of apis) {
      if (apiKey === ApiKey.ApiVersions) continue
      await Promise.all([-1, versions[1] + 1, 32767].map((version) => expectClose(framed(header(apiKey, version), Buffer.alloc(40)))))
    }
  }, 60_000)

  test.each([[5], [32767], [-1]])('ApiVersions %p is answered in version 0 with the versions there are', async (version) => {
    const client = await connect()
    // The 0 is the empty tag section of a flexible header; what follows cannot be understood and must not be looked at.
    client.raw(framed(header(ApiKey.ApiVersions, version), Buffer.from([0]), Buffer.from(seededRandom(2).bytes(60))))
    const answer = await client.frame()
    expect([answer.readInt32BE(0), answer.readInt16BE(4), answer.readInt32BE(6)]).toEqual([42, ErrorCode.UNSUPPORTED_VERSION, 1])
    expect([answer.readInt16BE(10), answer.readInt16BE(12), answer.readInt16BE(14)]).toEqual([ApiKey.ApiVersions, 0, 4])
    await client.close()
  })

  test.each([
    ['of negative length', Buffer.from([0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xfe])],
    ['longer than the frame', Buffer.from([0, 18, 0, 0, 0, 0, 0, 1, 0x7f, 0xff, 0x41])],
    ['cut off', Buffer.from([0, 18, 0, 0, 0, 0, 0, 1, 0])],
  ])('a client id %s closes', (_name, bytes) => expectClose(framed(bytes)))

  test.each([
    ['with a NUL and line breaks', Buffer.from('a\0b\r\n\u001b[31m')],
    ['that is no UTF-8', Buffer.from([0xff, 0xfe, 0xc0])],
    ['of 32767 bytes', Buffer.alloc(32767, 0x61)],
  ])('a client id %s is answered', async (_name, clientId) => {
    const client = await connect()
    const length = Buffer.alloc(2)
    length.writeInt16BE(clientId.length)
    client.raw(framed(Buffer.from([0, 18, 0, 0, 0, 0, 0, 7]), length, clientId))
    expect((await client.frame()).readInt32BE(0)).toBe(7)
    await client.close()
  })
})

describe('bodies', () => {
  test.each([[-2], [0x7fffffff], [1000]])('an array that claims %p elements closes', (count) =>
    expectClose(framed(header(ApiKey.Metadata, 1), int32(count))),
  )

  test('a compact length of five full bytes closes', () =>
    expectClose(framed(header(ApiKey.Metadata, 9), Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 0x7f]))))

  test('two billion tagged fields close', () =>
    expectClose(framed(header(ApiKey.ApiVersions, 3), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07]))))

  test('a tagged field that claims a gigabyte closes', () =>
    expectClose(framed(header(ApiKey.ApiVersions, 3), Buffer.from([0, 2, 0x61, 2, 0x31, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x04]))))

  test('a topic named a hundred thousand times is answered, however long that takes', async () => {
    const client = await connect()
    const topics = Array.from({ length: 100_000 }, () => ({ name: 'target' }))
    const response = await client.ask<MetadataResponse>(ApiKey.Metadata, 1, { topics })
    expect(response.topics).toHaveLength(100_000)
    await client.close()
  })

  test('names that mean something to JavaScript mean nothing here', async () => {
    const client = await connect()
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const topics = names.map((name) => ({ name }))
    const response = await client.ask<MetadataResponse>(ApiKey.Metadata, 4, { topics, allowAutoTopicCreation: false })
    expect(response.topics.map(({ errorCode }) => errorCode)).toEqual(names.map(() => ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
    await client.close()
  })

  test.each(['', '.', '..', '../../etc/passwd', 'a/b', 'x'.repeat(250), 'a\0b', 'ü'])('a topic cannot be called %j', async (name) => {
    const client = await connect()
    const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    const response = await client.ask<CreateTopicsResponse>(ApiKey.CreateTopics, 7, { topics, timeoutMs: 5_000 })
    expect(response.topics[0]!.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
    await client.close()
  })

  test('every API takes any mutation of its default request without harm', async () => {
    const random = seededRandom(7)
    const table = await bystander.ask<ApiVersionsResponse>(ApiKey.ApiVersions, 0, {})
    for (const { apiKey, maxVersion } of table.apiKeys) {
      // Mutations of these may create, change or delete what the other tests use.
      if (apiKey === ApiKey.ElectLeaders || apiKey === ApiKey.UnregisterBroker || apiKey === ApiKey.UpdateFeatures) continue
      const request = apis.get(apiKey)!.requestCodec.defaults() as object
      for (let attempt = 0; attempt < 20; attempt++) await mutated(apiKey, maxVersion, request, random)
    }
  }, 60_000)

  async function mutated(apiKey: number, version: number, request: object, random: ReturnType<typeof seededRandom>): Promise<void> {
    const client = await connect()
    const bytes = Buffer.concat(client.encode(apiKey, version, request))
    for (let flips = 0; flips <= random.below(4); flips++) bytes[12 + random.below(bytes.length - 12)] = random.below(256)
    client.raw(bytes)
    client.socket.end()
    await client.closedByServer(5_000)
  }
})

describe('record batches', () => {
  type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]

  async function produce(records: Buffer | null, version = 13): Promise<PartitionResponse> {
    const named = version >= 13 ? { topicId } : { name: 'target' }
    const request = { acks: -1, timeoutMs: 2_000, topicData: [{ ...named, partitionData: [{ index: 0, records }] }] }
    const response = await bystander.ask<ProduceResponse>(ApiKey.Produce, version, request)
    return response.responses[0]!.partitionResponses[0]!
  }

  /** Changed as told, with a checksum that fits. */
  function sealed(change: (batch: Buffer) => void): Buffer {
    const batch = batchOf('a', 'b', 'c')
    change(batch)
    sealBatchCrc(batch, 0)
    return batch
  }

  test.each<[string, () => Buffer | null, number]>([
    ['no records', () => null, ErrorCode.INVALID_RECORD],
    ['empty records', () => Buffer.alloc(0), ErrorCode.INVALID_RECORD],
    ['magic 0', () => sealed((batch) => batch.writeInt8(0, 16)), ErrorCode.INVALID_RECORD],
    ['magic 1', () => sealed((batch) => batch.writeInt8(1, 16)), ErrorCode.INVALID_RECORD],
    ['magic 3', () => sealed((batch) => batch.writeInt8(3, 16)), ErrorCode.INVALID_RECORD],
    ['a negative length', () => sealed((batch) => batch.writeInt32BE(-1, 8)), ErrorCode.CORRUPT_MESSAGE],
    ['a length beyond the end', () => sealed((batch) => batch.writeInt32BE(100_000, 8)), ErrorCode.INVALID_RECORD],
    ['two batches', () => Buffer.concat([batchOf('a'), batchOf('b')]), ErrorCode.INVALID_RECORD],
    ['a record count of 0', () => sealed((batch) => batch.writeInt32BE(0, 57)), ErrorCode.INVALID_RECORD],
    ['a negative record count', () => sealed((batch) => batch.writeInt32BE(-1, 57)), ErrorCode.INVALID_RECORD],
    ['a record count too large', () => sealed((batch) => batch.writeInt32BE(1_000_000, 57)), ErrorCode.INVALID_RECORD],
    ['a last offset delta that does not fit', () => sealed((batch) => batch.writeInt32BE(9, 23)), ErrorCode.INVALID_RECORD],
    ['a control batch', () => sealed((batch) => batch.writeInt16BE(0x20, 21)), ErrorCode.INVALID_RECORD],
    ['a transaction nobody opened', () => sealed((batch) => batch.writeInt16BE(0x10, 21)), ErrorCode.INVALID_TXN_STATE],
    ['a base offset other than 0', () => sealed((batch) => batch.writeInt32BE(5, 4)), ErrorCode.INVALID_RECORD],
    ['a producer without a sequence', () => sealed((batch) => batch.writeBigInt64BE(5n, 43)), ErrorCode.INVALID_RECORD],
    ['lz4 that is none', () => sealed((batch) => batch.writeInt16BE(3, 21)), ErrorCode.UNKNOWN_SERVER_ERROR],
  ])('%s', async (_name, records, errorCode) => {
    expect(await produce(records())).toMatchObject({ errorCode, baseOffset: -1 })
  })

  test('an unknown codec', async () => {
    for (const codec of [5, 6, 7]) {
      const { errorCode } = await produce(sealed((batch) => batch.writeInt16BE(codec, 21)))
      expect(errorCode).not.toBe(ErrorCode.NONE)
    }
  })

  test('a wrong checksum, wherever the bit flipped', async () => {
    const good = batchOf('a', 'b', 'c')
    for (let at = 17; at < good.length; at++) {
      const damaged = Buffer.from(good)
      damaged[at] = damaged[at]! ^ 0x40
      const { errorCode, baseOffset } = await produce(damaged)
      expect([at, errorCode === ErrorCode.NONE, baseOffset]).toEqual([at, false, -1])
    }
  })

  test('zstd in a version before it', async () => {
    const zstd = buildBatch([{ timestamp: 1, key: null, value: Buffer.from('v'), headers: [] }], { compression: 'zstd' })
    expect(await produce(zstd, 6)).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE })
  })

  test('acks that do not exist', async () => {
    const topicData = [{ topicId, partitionData: [{ index: 0, records: batchOf('a') }] }]
    const response = await bystander.ask<ProduceResponse>(ApiKey.Produce, 13, { acks: 2, timeoutMs: 1_000, topicData })
    expect(response.responses[0]!.partitionResponses[0]!.errorCode).toBe(ErrorCode.INVALID_REQUIRED_ACKS)
  })

  test('none of it was stored', async () => {
    expect(await produce(batchOf('the first'))).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 0 })
  })
})
