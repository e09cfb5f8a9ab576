import { ApiKey, ErrorCode } from '@kavka/protocol'
import { TestCluster, testUuid } from '../../testing/test-cluster.ts'
import { HandbackSchedule } from './handback-schedule.ts'
import type { NodeId } from '@kavka/protocol'

function clusterWithTopic(): TestCluster {
  const cluster = new TestCluster().start(1, 2, 3)
  cluster.createTopic('t', [[1, 2, 3]])
  return cluster
}

describe('AlterPartition', () => {
  test.each<[string, readonly number[], object, number]>([
    ['a shrink', [1, 2], {}, ErrorCode.NONE],
    ['the same set', [1, 2, 3], {}, ErrorCode.NONE],
    ['a stale broker epoch', [1], { brokerEpoch: 0 }, ErrorCode.STALE_BROKER_EPOCH],
    ['an unknown broker', [1], { brokerId: 9 }, ErrorCode.STALE_BROKER_EPOCH],
    ['an unknown partition', [1], { partition: { partitionIndex: 7 } }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ['a leader epoch from the future', [1], { partition: { leaderEpoch: 9 } }, ErrorCode.NOT_CONTROLLER],
    [
      'a partition epoch from the future',
      [1],
      { partition: { partitionEpoch: 9 } },
      ErrorCode.NOT_CONTROLLER,
    ],
    ['an old leader epoch', [1], { partition: { leaderEpoch: -1 } }, ErrorCode.FENCED_LEADER_EPOCH],
    ['an old partition epoch', [1], { partition: { partitionEpoch: -1 } }, ErrorCode.INVALID_UPDATE_VERSION],
    ['an empty set', [], {}, ErrorCode.INVALID_REQUEST],
    ['a set without the leader', [2, 3], {}, ErrorCode.INVALID_REQUEST],
    ['a member twice', [1, 2, 2], {}, ErrorCode.INVALID_REQUEST],
    ['a member that is no replica', [1, 4], {}, ErrorCode.INVALID_REQUEST],
    [
      'recovering though it has recovered',
      [1],
      { partition: { leaderRecoveryState: 1 } },
      ErrorCode.INVALID_REQUEST,
    ],
    [
      'a member of another epoch',
      [],
      {
        partition: {
          newIsrWithEpochs: [
            { brokerId: 1, brokerEpoch: -1 },
            { brokerId: 2, brokerEpoch: 1 },
          ],
        },
      },
      ErrorCode.INELIGIBLE_REPLICA,
    ],
  ])('%s', (_, isr, overrides, errorCode) => {
    const cluster = clusterWithTopic().start(4)
    const before = cluster.partition('t')
    expect(cluster.alterIsr('t', isr, overrides as Readonly<Record<string, unknown>>)).toBe(errorCode)
    if (errorCode !== ErrorCode.NONE) expect(cluster.partition('t')).toBe(before)
    else expect(cluster.partition('t').isr).toEqual(isr)
  })

  test('another broker than the leader', () => {
    const cluster = clusterWithTopic()
    const { epoch } = cluster.image.brokers.get(2 as NodeId)!
    expect(cluster.alterIsr('t', [1, 2], { brokerId: 2, brokerEpoch: epoch })).toBe(ErrorCode.INVALID_REQUEST)
  })

  test('an unknown topic id', () => {
    const cluster = clusterWithTopic()
    const { epoch } = cluster.image.brokers.get(1 as NodeId)!
    const body = {
      brokerId: 1,
      brokerEpoch: epoch,
      topics: [{ topicId: testUuid(77), partitions: [{ partitionIndex: 0, newIsrWithEpochs: [] }] }],
    }
    expect(cluster.request(ApiKey.AlterPartition, 3, body)).toMatchObject({
      topics: [{ partitions: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID }] }],
    })
  })

  test('a fenced member', () => {
    const cluster = clusterWithTopic()
    cluster.fence(3)
    expect(cluster.alterIsr('t', [1, 2, 3])).toBe(ErrorCode.INELIGIBLE_REPLICA)
  })

  test('v2 names members without epochs; two proposals for one partition in a request: the second is stale', () => {
    const cluster = clusterWithTopic()
    const { epoch } = cluster.image.brokers.get(1 as NodeId)!
    const partition = {
      partitionIndex: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      leaderRecoveryState: 0,
      newIsr: [1, 3],
      newIsrWithEpochs: [],
    }
    const body = {
      brokerId: 1,
      brokerEpoch: epoch,
      topics: [{ topicId: cluster.topic('t').id, partitions: [partition, partition] }],
    }
    expect(cluster.request(ApiKey.AlterPartition, 2, body)).toMatchObject({
      topics: [
        {
          partitions: [
            { errorCode: 0, leaderId: 1, leaderEpoch: 0, isr: [1, 3], partitionEpoch: 1 },
            { errorCode: ErrorCode.INVALID_UPDATE_VERSION },
          ],
        },
      ],
    })
  })
})

describe('ElectLeaders', () => {
  const elect = (cluster: TestCluster, body: object): object =>
    cluster.request(ApiKey.ElectLeaders, 2, { timeoutMs: 0, ...body })

  test('knows types and partitions', () => {
    const cluster = clusterWithTopic()
    expect(elect(cluster, { electionType: 5, topicPartitions: null })).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
    })
    expect(
      elect(cluster, {
        electionType: 0,
        topicPartitions: [
          { topic: 't', partitions: [0, 8] },
          { topic: 'u', partitions: [0] },
        ],
      }),
    ).toMatchObject({
      errorCode: 0,
      replicaElectionResults: [
        {
          topic: 't',
          partitionResult: [
            { partitionId: 0, errorCode: ErrorCode.ELECTION_NOT_NEEDED },
            { partitionId: 8, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
          ],
        },
        { topic: 'u', partitionResult: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }] },
      ],
    })
  })

  test('all partitions: only those that need an election are answered', () => {
    const cluster = clusterWithTopic()
    cluster.createTopic('fine', [[2]])
    cluster.fence(1)
    cluster.start(1)
    cluster.alterIsr('t', [2, 3, 1])
    expect(elect(cluster, { electionType: 0, topicPartitions: null })).toEqual({
      errorCode: 0,
      replicaElectionResults: [
        { topic: 't', partitionResult: [{ partitionId: 0, errorCode: 0, errorMessage: null }] },
      ],
    })
    expect(cluster.partition('t').leader).toBe(1)
  })

  test('unclean, on request: whoever is alive leads, whatever the configs say', () => {
    const cluster = clusterWithTopic()
    for (const id of [3, 1, 2]) cluster.fence(id)
    cluster.start(3)
    expect(cluster.partition('t').leader).toBeNull()
    elect(cluster, { electionType: 1, topicPartitions: null })
    expect(cluster.partition('t')).toMatchObject({ leader: 3, isr: [3], leaderRecovery: 'recovering' })
  })
})

describe('handback', () => {
  const broker = 1 as NodeId

  test('soon for one failure, later for each of several, with a bound', () => {
    const schedule = new HandbackSchedule({ delayMs: 5, delayMsMax: 300 })
    const delays: number[] = []
    for (let nowMs = 0; nowMs < 10; nowMs++) {
      schedule.fenced(broker, nowMs)
      schedule.rejoined(broker, nowMs)
      delays.push(schedule.nextDueMs()! - nowMs)
    }
    expect(delays).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300, 300])
    schedule.fenced(broker, 1000)
    expect(schedule.nextDueMs()).toBeNull()
    schedule.rejoined(broker, 1001)
    expect(schedule.nextDueMs()).toBe(1006)
  })

  test('is due once, at the time of the first partition that rejoined', () => {
    const schedule = new HandbackSchedule({ delayMs: 5, delayMsMax: 300 })
    schedule.rejoined(broker, 0)
    schedule.rejoined(broker, 4)
    expect([...schedule.takeDue(4)]).toEqual([])
    expect([...schedule.takeDue(5)]).toEqual([broker])
    expect(schedule.nextDueMs()).toBeNull()
  })
})
