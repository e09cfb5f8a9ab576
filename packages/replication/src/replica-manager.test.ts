import { ErrorCode, nodeId } from '@kavka/protocol'
import type { Uuid } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import type { AppendRequest, AppendResult, FetchParameters, FetchPartition, FetchPartitionResult } from './api.ts'
import { decodeBatches, encodeBatch } from './simulation/model-batch.ts'
import { changed, newPartition, TOPIC, TOPIC_ID } from './simulation/model-controller.ts'
import { TestCluster } from './simulation/test-cluster.ts'
import type { TestClusterOptions } from './simulation/test-cluster.ts'

const MANUAL = { sync: { kind: 'manual' }, slowReadProbability: 0 } as const
const orders = { topic: TOPIC, partition: 0 }

async function start(options: TestClusterOptions) {
  const scheduler = new VirtualScheduler()
  const cluster = new TestCluster(options, { scheduler })
  cluster.publish()
  await scheduler.advance(50)
  return { scheduler, cluster, leader: cluster.broker(1).manager, follower: cluster.brokers[1]?.manager }
}

function produce(change: Partial<AppendRequest> = {}, value = 1, paddingBytes = 0): AppendRequest {
  const entries = [{ topicPartition: orders, topicId: null, records: encodeBatch(value, 1, paddingBytes) }]
  return { acks: -1, timeoutMs: 1000, origin: 'client', entries, ...change }
}

function wanted(change: Partial<FetchPartition> = {}): FetchPartition {
  return { topicPartition: orders, topicId: null, fetchOffset: 0, bytesMax: 2 ** 20, currentLeaderEpoch: -1, lastFetchedEpoch: -1, ...change }
}

function fetchOf(change: Partial<FetchParameters> = {}, partition: Partial<FetchPartition> = {}): FetchParameters {
  return {
    isolation: 'read_uncommitted',
    followerReads: 'allowed',
    rack: '',
    clientId: 'c',
    bytesMin: 1,
    bytesMax: 2 ** 20,
    waitMsMax: 0,
    partitions: [wanted(partition)],
    ...change,
  }
}

/** Watches a promise without waiting for it. */
function watch<T>(promise: Promise<T>): { value: T | null } {
  const seen: { value: T | null } = { value: null }
  void promise.then((value) => {
    seen.value = value
  })
  return seen
}

const valuesOf = (result: FetchPartitionResult): number[] => result.records.flatMap(decodeBatches).map(({ value }) => value)
const codeOf = (seen: { value: readonly AppendResult[] | null }): number | null => seen.value?.[0]?.errorCode ?? null

describe('produce', () => {
  test('acks=all is answered when every replica has synced, and not before', async () => {
    const { scheduler, cluster, leader } = await start({ brokers: 3, config: { minInsyncReplicas: 2 }, log: MANUAL })
    const answer = watch(leader.append(produce()))
    await scheduler.advance(20)
    expect(cluster.log(2).logEndOffset).toBe(1)
    cluster.log(1).syncNow()
    cluster.log(2).syncNow()
    await scheduler.advance(20)
    expect(answer.value).toBeNull()
    cluster.log(3).syncNow()
    await scheduler.advance(20)
    expect(answer.value).toMatchObject([{ errorCode: 0, baseOffset: 0, endOffset: 1, currentLeader: null }])
    expect(cluster.log(3).highWatermark).toBe(1)
  })

  test('acks=1 waits for the own disk alone, acks=0 for nothing', async () => {
    const { scheduler, cluster, leader } = await start({ brokers: 2, log: MANUAL })
    const one = watch(leader.append(produce({ acks: 1 })))
    const zero = watch(leader.append(produce({ acks: 0 })))
    await scheduler.advance(20)
    expect([codeOf(one), codeOf(zero)]).toEqual([null, 0])
    cluster.log(1).syncNow()
    await scheduler.advance(1)
    expect(codeOf(one)).toBe(0)
  })

  test('a commit takes one sync on each side and two messages: nothing polls', async () => {
    const { scheduler, leader } = await start({ brokers: 3, config: { minInsyncReplicas: 2 } })
    const answer = watch(leader.append(produce()))
    // A sync takes up to 1 ms here and a message up to 0.2 ms.
    await scheduler.advance(1.5)
    expect(codeOf(answer)).toBe(0)
  })

  test('without enough replicas nothing is written; when they go after the append it is said', async () => {
    const { scheduler, cluster, leader } = await start({ brokers: 2, config: { minInsyncReplicas: 2 }, log: MANUAL })
    const parked = watch(leader.append(produce()))
    cluster.controller.fence(nodeId(2))
    cluster.publish()
    await scheduler.advance(1)
    expect(codeOf(parked)).toBe(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    expect(await leader.append(produce())).toMatchObject([{ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, baseOffset: -1 }])
    expect(cluster.log(1).logEndOffset).toBe(1)
    expect(leader.metrics).toMatchObject({ underMinIsrCount: 1, underReplicatedCount: 1, producePurgatorySize: 0 })
  })

  test('times out with the data in place, on one timer, and leaves nothing behind', async () => {
    const { scheduler, cluster, leader } = await start({ brokers: 2, log: MANUAL })
    const parked = watch(leader.append(produce({ timeoutMs: 200 })))
    await scheduler.advance(199)
    expect(codeOf(parked)).toBeNull()
    expect(leader.metrics.producePurgatorySize).toBe(1)
    await scheduler.advance(10)
    expect(codeOf(parked)).toBe(ErrorCode.REQUEST_TIMED_OUT)
    expect(leader.metrics.producePurgatorySize).toBe(0)
    expect(cluster.log(1).logEndOffset).toBe(1)
  })

  test('a deposed leader answers with the new one and is no leader any more', async () => {
    const { scheduler, cluster, leader } = await start({ brokers: 2, log: MANUAL })
    const parked = watch(leader.append(produce()))
    cluster.controller.moveLeader(0, nodeId(2))
    cluster.publish()
    await scheduler.advance(1)
    const moved = { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, currentLeader: { leaderId: 2, leaderEpoch: 1 } }
    expect(parked.value).toMatchObject([moved])
    expect(await leader.append(produce())).toMatchObject([moved])
  })

  test('one bad entry does not fail the others', async () => {
    const { scheduler, leader } = await start({ brokers: 1 })
    const entry = produce().entries[0]!
    const other = 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid
    const answer = watch(
      leader.append(produce({
        entries: [
          { ...entry, topicPartition: { topic: 'nowhere', partition: 0 } },
          { ...entry, topicId: other },
          { ...entry, topicId: TOPIC_ID, records: encodeBatch(2) },
        ],
      })),
    )
    await scheduler.advance(5)
    expect(answer.value!.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.UNKNOWN_TOPIC_ID,
      ErrorCode.NONE,
    ])
  })

  test('a failed log answers KAFKA_STORAGE_ERROR and resigns; other partitions run on', async () => {
    const { scheduler, cluster, leader } = await start({ brokers: 1, partitions: 2, log: MANUAL })
    const resigned: number[] = []
    leader.onLeadership(TOPIC, { elected: () => {}, resigned: (partition) => resigned.push(partition) })
    const parked = watch(leader.append(produce()))
    cluster.log(1, 0).fail(new Error('EIO'))
    await scheduler.advance(1)
    expect(codeOf(parked)).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(resigned).toEqual([0])
    expect(leader.metrics).toMatchObject({ offlineReplicaCount: 1, leaderCount: 1 })
    const [after] = await leader.append(produce())
    expect(after!.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    const records = encodeBatch(3)
    const [fine] = await leader.append(
      produce({ acks: 0, entries: [{ topicPartition: { topic: TOPIC, partition: 1 }, topicId: null, records }] }),
    )
    expect(fine!.errorCode).toBe(0)
  })
})

describe('fetch', () => {
  test('waits for committed bytes and is answered in the turn that commits them', async () => {
    const { scheduler, leader } = await start({ brokers: 2 })
    const fetch = watch(leader.fetch(fetchOf({ waitMsMax: 5000 })))
    await scheduler.advance(100)
    expect(fetch.value).toBeNull()
    expect(leader.metrics.fetchPurgatorySize).toBe(1)
    void leader.append(produce({}, 42))
    await scheduler.advance(3)
    expect(fetch.value).toMatchObject([{ errorCode: 0, highWatermark: 1, abortedTransactions: null }])
    expect(valuesOf(fetch.value![0]!)).toEqual([42])
    expect(leader.metrics.fetchPurgatorySize).toBe(0)
  })

  test('is answered empty when its time is up', async () => {
    const { scheduler, leader } = await start({ brokers: 1 })
    const fetch = watch(leader.fetch(fetchOf({ waitMsMax: 100 })))
    await scheduler.advance(110)
    expect(fetch.value).toMatchObject([{ errorCode: 0, recordsSizeBytes: 0, highWatermark: 0 }])
  })

  test('minBytes counts over all partitions', async () => {
    const { scheduler, leader } = await start({ brokers: 1, partitions: 2 })
    const second = { topic: TOPIC, partition: 1 }
    const partitions = [wanted(), wanted({ topicPartition: second })]
    const fetch = watch(leader.fetch(fetchOf({ waitMsMax: 5000, bytesMin: 130, partitions })))
    void leader.append(produce({}, 1))
    await scheduler.advance(50)
    expect(fetch.value).toBeNull()
    void leader.append(produce({ entries: [{ topicPartition: second, topicId: null, records: encodeBatch(2) }] }))
    await scheduler.advance(50)
    expect(fetch.value!.map(valuesOf)).toEqual([[1], [2]])
  })

  test('the first batch comes whole however small the limits, the rest obeys them', async () => {
    const { scheduler, leader } = await start({ brokers: 1, partitions: 2 })
    const second = { topic: TOPIC, partition: 1 }
    for (const value of [1, 2]) void leader.append(produce({}, value, 1000))
    void leader.append(produce({ entries: [{ topicPartition: second, topicId: null, records: encodeBatch(3, 1, 1000) }] }))
    await scheduler.advance(10)
    const partitions = [wanted({ bytesMax: 10 }), wanted({ topicPartition: second })]
    const results = await leader.fetch(fetchOf({ bytesMax: 1500, partitions }))
    expect(results.map(valuesOf)).toEqual([[1], []])
    expect(results[1]!.errorCode).toBe(0)
  })

  test('checks offsets, epochs, ids and divergence', async () => {
    const { scheduler, leader } = await start({ brokers: 1 })
    void leader.append(produce())
    await scheduler.advance(10)
    const code = async (partition: Partial<FetchPartition>) => (await leader.fetch(fetchOf({ waitMsMax: 100 }, partition)))[0]!.errorCode
    expect(await code({ fetchOffset: 2 })).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(await code({ fetchOffset: -5 })).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(await code({ currentLeaderEpoch: 1 })).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH)
    expect(await code({ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid })).toBe(ErrorCode.INCONSISTENT_TOPIC_ID)
    expect(await leader.fetch(fetchOf({ waitMsMax: 100 }, { fetchOffset: 2, lastFetchedEpoch: 0 }))).toMatchObject([
      { errorCode: 0, divergingEpoch: { epoch: 0, endOffset: 1 } },
    ])
  })

  test('a new leader epoch fences the old one and wakes who waits', async () => {
    const { scheduler, cluster, leader, follower } = await start({ brokers: 2 })
    const fetch = watch(leader.fetch(fetchOf({ waitMsMax: 5000, followerReads: 'refused' })))
    cluster.controller.moveLeader(0, nodeId(2))
    cluster.publish()
    await scheduler.advance(1)
    expect(fetch.value).toMatchObject([{ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, currentLeader: { leaderId: 2 } }])
    expect(await follower!.fetch(fetchOf({}, { currentLeaderEpoch: 0 }))).toMatchObject([
      { errorCode: ErrorCode.FENCED_LEADER_EPOCH, currentLeader: { leaderId: 2, leaderEpoch: 1 } },
    ])
  })

  test('read_committed ends at the last stable offset and names aborted transactions', async () => {
    const { scheduler, cluster, leader } = await start({ brokers: 1 })
    for (const value of [1, 2, 3]) void leader.append(produce({}, value))
    await scheduler.advance(10)
    cluster.log(1).unstableFrom = 2
    cluster.log(1).abortedList = [{ producerId: 9, firstOffset: 1 as never }]
    const [result] = await leader.fetch(fetchOf({ isolation: 'read_committed' }))
    expect(valuesOf(result!)).toEqual([1, 2])
    expect(result).toMatchObject({ highWatermark: 3, lastStableOffset: 2, abortedTransactions: [{ producerId: 9 }] })
  })

  test('followers serve consumers up to their own high watermark; the leader names one in the rack if told to', async () => {
    const { scheduler, leader, follower } = await start({ brokers: 2, replicaSelector: 'rack-aware' })
    void leader.append(produce({}, 5))
    await scheduler.advance(50)
    expect(valuesOf((await follower!.fetch(fetchOf()))[0]!)).toEqual([5])
    expect(await leader.fetch(fetchOf({ rack: 'rack-2' }))).toMatchObject([{ preferredReadReplica: 2, recordsSizeBytes: 0 }])
    expect(await leader.fetch(fetchOf({ rack: 'rack-1' }))).toMatchObject([{ preferredReadReplica: null }])
    expect(await leader.fetch(fetchOf({ rack: 'rack-2', followerReads: 'refused' }))).toMatchObject([{ preferredReadReplica: null }])
  })
})

describe('offsets', () => {
  const ask = { topicPartition: orders, currentLeaderEpoch: -1, isolation: 'read_uncommitted' } as const

  test('a new leader does not tell the end before it knows what is committed', async () => {
    const { scheduler, cluster, leader, follower } = await start({ brokers: 2, log: MANUAL })
    void leader.append(produce({}, 77))
    await scheduler.advance(10)
    cluster.log(2).syncNow()
    cluster.controller.moveLeader(0, nodeId(2))
    cluster.publish(undefined, [nodeId(2)])
    expect(await follower!.listOffset({ ...ask, timestamp: -1 })).toMatchObject({ errorCode: ErrorCode.OFFSET_NOT_AVAILABLE })
    expect(await follower!.listOffset({ ...ask, timestamp: 50 })).toMatchObject({ errorCode: ErrorCode.OFFSET_NOT_AVAILABLE })
    expect(await follower!.listOffset({ ...ask, timestamp: -2 })).toMatchObject({ errorCode: 0, offset: 0 })
    cluster.log(1).syncNow()
    cluster.publish()
    await scheduler.advance(50)
    expect(await follower!.listOffset({ ...ask, timestamp: -1 })).toEqual({ errorCode: 0, offset: 1, timestampMs: -1, leaderEpoch: 1 })
    expect(await follower!.listOffset({ ...ask, timestamp: 50 })).toEqual({ errorCode: 0, offset: 0, timestampMs: 77, leaderEpoch: 0 })
    expect(await follower!.listOffset({ ...ask, timestamp: 100 })).toMatchObject({ errorCode: 0, offset: -1, timestampMs: -1 })
    expect(await follower!.listOffset({ ...ask, timestamp: -3 })).toMatchObject({ offset: 0, timestampMs: 77 })
    expect(await leader.listOffset({ ...ask, timestamp: -1 })).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
  })

  test('by leader epoch', async () => {
    const { scheduler, leader } = await start({ brokers: 1 })
    void leader.append(produce())
    await scheduler.advance(10)
    const query = { topicPartition: orders, currentLeaderEpoch: 0 }
    expect(leader.offsetForLeaderEpoch({ ...query, leaderEpoch: 0 })).toEqual({ errorCode: 0, leaderEpoch: 0, endOffset: 1 })
    expect(leader.offsetForLeaderEpoch({ ...query, leaderEpoch: -1 })).toEqual({ errorCode: 0, leaderEpoch: -1, endOffset: -1 })
    expect(leader.offsetForLeaderEpoch({ ...query, currentLeaderEpoch: 4, leaderEpoch: 0 }).errorCode).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH)
  })

  test('deleting records waits for the live followers', async () => {
    const { scheduler, cluster, leader } = await start({ brokers: 2 })
    for (const value of [1, 2, 3]) void leader.append(produce({}, value))
    await scheduler.advance(20)
    const done = watch(leader.deleteRecords([{ topicPartition: orders, offset: 2 }], 1000))
    expect(done.value).toBeNull()
    await scheduler.advance(20)
    expect(done.value).toEqual([{ errorCode: 0, lowWatermark: 2 }])
    expect(cluster.log(2).logStartOffset).toBe(2)
    const refuse = async (offset: number) => (await leader.deleteRecords([{ topicPartition: orders, offset }], 10))[0]
    expect(await refuse(4)).toEqual({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, lowWatermark: -1 })
    expect(await refuse(-2)).toEqual({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, lowWatermark: -1 })
    const all = watch(leader.deleteRecords([{ topicPartition: orders, offset: -1 }], 1000))
    await scheduler.advance(20)
    expect(all.value).toEqual([{ errorCode: 0, lowWatermark: 3 }])
  })
})

describe('metadata', () => {
  test('a topic deleted and created again gets a new log and a new id', async () => {
    const { scheduler, cluster, leader } = await start({ brokers: 1 })
    void leader.append(produce())
    await scheduler.advance(10)
    const id = 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid
    const again = { id, name: TOPIC, partitions: [newPartition(0, [nodeId(1)])] }
    const { image } = cluster.controller
    cluster.publish({ ...image, offset: image.offset + 1, topics: { byId: new Map([[id, again]]), byName: new Map([[TOPIC, again]]) } })
    expect(leader.partition(orders)).toMatchObject({ topicId: id, role: 'leader' })
    expect(cluster.log(1).logEndOffset).toBe(0)
    expect(leader.metrics.partitionCount).toBe(1)
  })

  test('a replica that moves away is deleted here, and listeners hear each change', async () => {
    const { cluster, leader } = await start({ brokers: 2 })
    const heard: string[] = []
    leader.onLeadership(TOPIC, {
      elected: (partition, epoch) => heard.push(`elected ${partition}@${epoch}`),
      resigned: (partition, epoch) => heard.push(`resigned ${partition}@${epoch}`),
    })
    const { image } = cluster.controller
    const known = cluster.controller.partition(0)
    const moved = changed(known, { replicas: [nodeId(2)], isr: [nodeId(2)], leader: nodeId(2), leaderEpoch: 1 as never })
    const topic = { id: TOPIC_ID, name: TOPIC, partitions: [moved] }
    cluster.publish({ ...image, offset: image.offset + 1, topics: { byId: new Map([[TOPIC_ID, topic]]), byName: new Map([[TOPIC, topic]]) } })
    expect(heard).toEqual(['elected 0@0', 'resigned 0@0'])
    expect(leader.partition(orders)).toBeNull()
    expect(cluster.log(1)).toBeNull()
  })

  test('a follower that was put out is proposed again when it is back, in one request for all partitions', async () => {
    const { scheduler, cluster, leader } = await start({ brokers: 2, partitions: 3 })
    cluster.controller.fence(nodeId(2))
    cluster.publish()
    expect(leader.metrics.underReplicatedCount).toBe(3)
    cluster.controller.unfence(nodeId(2))
    cluster.publish()
    await scheduler.advance(10)
    expect(cluster.alterPartitions.map(({ topics }) => topics[0]!.partitions.length)).toEqual([3])
    expect(leader.metrics).toMatchObject({ underReplicatedCount: 0, counters: { isrExpands: 3, isrShrinks: 0 } })
  })

  test('logs of nobody are set aside', async () => {
    const { cluster } = await start({ brokers: 1 })
    const stray = { topic: 'gone', partition: 0 }
    cluster.broker(1).store.getOrCreate(stray, 'AAAAAAAAAAAAAAAAAAAAAg' as Uuid, cluster.log(1).config)
    cluster.broker(1).manager.setStraysAside()
    expect(cluster.broker(1).store.strays).toEqual(['gone-0'])
  })

  test('a topic created again while this broker was down does not meet the log of its predecessor', async () => {
    const { cluster } = await start({ brokers: 1 })
    const cold = new TestCluster({ brokers: 1 }, { scheduler: new VirtualScheduler() })
    cold.broker(1).store.getOrCreate(orders, 'AAAAAAAAAAAAAAAAAAAAAg' as Uuid, cluster.log(1).config)
    cold.publish()
    expect(cold.broker(1).store.strays).toEqual([`${orders.topic}-0`])
    expect(cold.broker(1).manager.partition(orders)).toMatchObject({ role: 'leader' })
  })

  test('stopping answers everything that is parked', async () => {
    const { scheduler, leader } = await start({ brokers: 2, log: MANUAL })
    const parked = watch(leader.append(produce({ timeoutMs: 60_000 })))
    const fetch = watch(leader.fetch(fetchOf({ waitMsMax: 60_000 }, { fetchOffset: 0 })))
    await leader.stop()
    await scheduler.advance(1)
    expect(codeOf(parked)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(fetch.value).toMatchObject([{ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }])
  })
})

test('idle partitions cost no frames', async () => {
  const { scheduler, cluster, leader } = await start({ brokers: 2, partitions: 200 })
  const before = cluster.streams.framesDelivered
  await scheduler.advance(120_000)
  expect(cluster.streams.framesDelivered).toBe(before)
  expect(leader.metrics).toMatchObject({ underReplicatedCount: 0, counters: { isrShrinks: 0 } })
  void leader.append(produce({}, 1))
  await scheduler.advance(10)
  // Data, acknowledgment with credit, high watermark; the credit may travel ahead of the acknowledgment.
  expect(cluster.streams.framesDelivered - before).toBeLessThanOrEqual(4)
})
