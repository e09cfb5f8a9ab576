import {
  ApiKey,
  ErrorCode,
  ZERO_UUID,
  createTopicsResponseCodec,
  deleteTopicsResponseCodec,
  Writer,
} from '@kavka/protocol'
import type { CreateTopicsResponse, DeleteTopicsResponse } from '@kavka/protocol'
import { resourceKey } from '../image.ts'
import { TestCluster, testUuid } from '../../testing/test-cluster.ts'

type Topic = Readonly<Record<string, unknown>>

const topic = (overrides: Topic = {}): Topic => ({
  name: 't',
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...overrides,
})
const assignment = (...lists: readonly (readonly number[])[]): object[] =>
  lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))

function create(
  cluster: TestCluster,
  topics: readonly Topic[],
  validateOnly: 'validate-only' | 'for-real' = 'for-real',
): CreateTopicsResponse {
  return cluster.request(ApiKey.CreateTopics, 7, {
    topics,
    timeoutMs: 0,
    validateOnly: validateOnly === 'validate-only',
  })
}

describe('CreateTopics', () => {
  const manual = (...lists: readonly (readonly number[])[]): Topic =>
    topic({ numPartitions: -1, replicationFactor: -1, assignments: assignment(...lists) })

  test.each<[string, Topic, number]>([
    ['an empty name', topic({ name: '' }), ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['dots alone', topic({ name: '..' }), ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['a long name', topic({ name: 'x'.repeat(250) }), ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['a strange character', topic({ name: 'a b' }), ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['a name that collides', topic({ name: 'there_is' }), ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['a name in use', topic({ name: 'there.is' }), ErrorCode.TOPIC_ALREADY_EXISTS],
    ['no partitions', topic({ numPartitions: 0 }), ErrorCode.INVALID_PARTITIONS],
    ['-2 partitions', topic({ numPartitions: -2 }), ErrorCode.INVALID_PARTITIONS],
    ['no replicas', topic({ replicationFactor: 0 }), ErrorCode.INVALID_REPLICATION_FACTOR],
    ['more replicas than brokers', topic({ replicationFactor: 5 }), ErrorCode.INVALID_REPLICATION_FACTOR],
    ['too many partitions', topic({ numPartitions: 10_001 }), ErrorCode.POLICY_VIOLATION],
    ['an unknown config', topic({ configs: [{ name: 'no.such', value: '1' }] }), ErrorCode.INVALID_CONFIG],
    ['a bad value', topic({ configs: [{ name: 'retention.ms', value: 'soon' }] }), ErrorCode.INVALID_CONFIG],
    ['a null value', topic({ configs: [{ name: 'retention.ms', value: null }] }), ErrorCode.INVALID_CONFIG],
    ['assignment and partitions', { ...manual([1]), numPartitions: 1 }, ErrorCode.INVALID_REQUEST],
    ['assignment and replicas', { ...manual([1]), replicationFactor: 1 }, ErrorCode.INVALID_REQUEST],
    ['an assigned stranger', manual([9]), ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['an empty assignment', manual([]), ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['a broker twice', manual([1, 1]), ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['different lengths', manual([1, 2], [1]), ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['only fenced brokers', manual([4]), ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    [
      'a gap',
      { ...manual([1]), assignments: [{ partitionIndex: 1, brokerIds: [1] }] },
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    ],
    [
      'a partition twice',
      { ...manual([1]), assignments: [...assignment([1]), ...assignment([2])] },
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    ],
  ])('refuses %s', (_, wanted, errorCode) => {
    const cluster = new TestCluster().start(1, 2, 3)
    cluster.register(4)
    cluster.createTopic('there.is', [[1]])
    const { offset } = cluster.image
    expect(create(cluster, [wanted]).topics).toMatchObject([{ name: wanted['name'], errorCode }])
    expect(cluster.image.offset).toBe(offset)
  })

  test('refuses everything while no broker is unfenced', () => {
    const cluster = new TestCluster()
    cluster.register(1)
    expect(create(cluster, [topic()]).topics[0]).toMatchObject({
      errorCode: ErrorCode.INVALID_REPLICATION_FACTOR,
    })
  })

  test('uses the defaults of the cluster, and answers with what the topic is', () => {
    const cluster = new TestCluster({
      properties: { 'num.partitions': '3', 'default.replication.factor': '2' },
    }).start(1, 2, 3)
    const configs = [{ name: 'retention.ms', value: '1000' }]
    const [created] = create(cluster, [topic({ numPartitions: -1, replicationFactor: -1, configs })]).topics
    expect(created).toMatchObject({
      errorCode: 0,
      errorMessage: null,
      numPartitions: 3,
      replicationFactor: 2,
      topicId: cluster.topic('t').id,
    })
    const values = new Map(created!.configs!.map((config) => [config.name, config]))
    expect(values.get('retention.ms')).toMatchObject({ value: '1000', configSource: 1 })
    expect(values.get('min.insync.replicas')).toMatchObject({ value: '1', configSource: 3 })
    expect(values.get('segment.bytes')).toMatchObject({ value: '1073741824', configSource: 5 })
    expect(cluster.image.configs.get(resourceKey(2, 't'))).toEqual(new Map([['retention.ms', '1000']]))
    for (const { isr, replicas, leader } of cluster.topic('t').partitions)
      expect([isr, leader]).toEqual([replicas, replicas[0]])
  })

  test('a fenced replica is assigned but not in sync', () => {
    const cluster = new TestCluster().start(1)
    cluster.register(2)
    cluster.createTopic('t', [[2, 1]])
    expect(cluster.partition('t')).toMatchObject({ replicas: [2, 1], isr: [1], leader: 1 })
  })

  test('topics of one request fail one by one; a repeated name fails everywhere', () => {
    const cluster = new TestCluster().start(1)
    const results = create(cluster, [
      topic({ name: 'x' }),
      topic({ name: 'a.b' }),
      topic({ name: 'x' }),
      topic({ name: 'a_b' }),
    ]).topics
    expect(results.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.INVALID_REQUEST,
      ErrorCode.NONE,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_TOPIC_EXCEPTION,
    ])
    expect([...cluster.image.topics.byName.keys()]).toEqual(['a.b'])
  })

  test('validateOnly answers and changes nothing', () => {
    const cluster = new TestCluster().start(1)
    expect(create(cluster, [topic()], 'validate-only').topics[0]).toMatchObject({
      errorCode: 0,
      numPartitions: 1,
    })
    expect(cluster.image.topics.byId.size).toBe(0)
  })

  test('the response can be written in every version', () => {
    const cluster = new TestCluster().start(1)
    const response = create(cluster, [topic(), topic({ name: '' })])
    for (let version = 2; version <= 7; version++) {
      const writer = new Writer()
      expect(() => createTopicsResponseCodec.encode(writer, response, version)).not.toThrow()
    }
  })
})

describe('DeleteTopics', () => {
  const byName = (cluster: TestCluster, topicNames: readonly string[], version = 5): DeleteTopicsResponse => {
    return cluster.request(ApiKey.DeleteTopics, version, { topicNames, topics: [], timeoutMs: 0 })
  }
  const states = (cluster: TestCluster, topics: readonly object[]): DeleteTopicsResponse => {
    return cluster.request(ApiKey.DeleteTopics, 6, { topicNames: [], topics, timeoutMs: 0 })
  }

  test('by name, with partitions and configs', () => {
    const cluster = new TestCluster().start(1)
    cluster.createTopic('t', [[1]], { 'retention.ms': '5' })
    expect(byName(cluster, ['t', 'nope']).responses).toMatchObject([
      { errorCode: 0 },
      { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    ])
    expect(cluster.image).toMatchObject({ index: { partitionCount: 0 } })
    expect([cluster.image.topics.byId.size, cluster.image.topics.byName.size]).toEqual([0, 0])
    expect(cluster.image.configs.has(resourceKey(2, 't'))).toBe(false)
    expect(cluster.image.index.byReplica.size + cluster.image.index.leaderCounts.size).toBe(0)
  })

  test('by id, and what is wrong with a state', () => {
    const cluster = new TestCluster().start(1)
    cluster.createTopic('t', [[1]])
    const { id } = cluster.topic('t')
    const wrong = states(cluster, [
      { name: 't', topicId: id },
      { name: null, topicId: ZERO_UUID },
      { name: null, topicId: testUuid(5) },
      { name: 't', topicId: ZERO_UUID },
      { name: null, topicId: id },
    ]).responses
    expect(wrong.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.UNKNOWN_TOPIC_ID,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
    ])
    expect(states(cluster, [{ name: null, topicId: id }]).responses).toMatchObject([
      { errorCode: 0, name: 't', topicId: id },
    ])
    expect(cluster.image.topics.byId.size).toBe(0)
  })

  test('can be forbidden', () => {
    const cluster = new TestCluster({ properties: { 'delete.topic.enable': 'false' } }).start(1)
    cluster.createTopic('t', [[1]])
    expect(byName(cluster, ['t']).responses[0]!.errorCode).toBe(ErrorCode.TOPIC_DELETION_DISABLED)
    expect(byName(cluster, ['t'], 2).responses[0]!.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(cluster.topic('t').name).toBe('t')
  })

  test('a topic created anew has another id', () => {
    const cluster = new TestCluster().start(1)
    cluster.createTopic('t', [[1]])
    const { id } = cluster.topic('t')
    byName(cluster, ['t'])
    cluster.createTopic('t', [[1]])
    expect(cluster.topic('t').id).not.toBe(id)
  })

  test('the response can be written in every version', () => {
    const cluster = new TestCluster().start(1)
    cluster.createTopic('t', [[1]])
    const response = byName(cluster, ['t', 'nope'])
    for (let version = 1; version <= 6; version++) {
      expect(() => deleteTopicsResponseCodec.encode(new Writer(), response, version)).not.toThrow()
    }
  })
})

describe('CreatePartitions', () => {
  function grow(
    name: string,
    count: number,
    lists: readonly (readonly number[])[] | null = null,
  ): [number, number] {
    const cluster = new TestCluster().start(1, 2)
    cluster.register(3)
    cluster.createTopic('t', [
      [1, 2],
      [2, 1],
    ])
    const assignments = lists?.map((brokerIds) => ({ brokerIds })) ?? null
    const body = { topics: [{ name, count, assignments }], timeoutMs: 0, validateOnly: false }
    const response = cluster.request<{ results: { errorCode: number }[] }>(ApiKey.CreatePartitions, 3, body)
    return [response.results[0]!.errorCode, cluster.topic('t').partitions.length]
  }

  test.each<[string, [number, number], [number, number]]>([
    ['more, placed', grow('t', 4), [ErrorCode.NONE, 4]],
    ['more, assigned', grow('t', 3, [[2, 1]]), [ErrorCode.NONE, 3]],
    ['an unknown topic', grow('u', 4), [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 2]],
    ['the same number', grow('t', 2), [ErrorCode.INVALID_PARTITIONS, 2]],
    ['fewer', grow('t', 1), [ErrorCode.INVALID_PARTITIONS, 2]],
    ['too many', grow('t', 20_000), [ErrorCode.POLICY_VIOLATION, 2]],
    ['too few assignments', grow('t', 4, [[1, 2]]), [ErrorCode.INVALID_REPLICA_ASSIGNMENT, 2]],
    ['another replication factor', grow('t', 3, [[1]]), [ErrorCode.INVALID_REPLICA_ASSIGNMENT, 2]],
    ['a stranger', grow('t', 3, [[1, 9]]), [ErrorCode.INVALID_REPLICA_ASSIGNMENT, 2]],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected)
  })
})
