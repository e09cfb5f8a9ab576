/** A replica whose log is damaged: relieved, emptied, filled again; or kept, when there is nobody else. */
import { directoryOf, LOST_DIRECTORY, UNASSIGNED_DIRECTORY } from '@kavka/controller'
import type { PartitionRegistration } from '@kavka/controller'
import { ErrorCode, nodeId } from '@kavka/protocol'
import type { LeaderEpoch } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import type { AppendRequest, FetchParameters } from '../api.ts'
import { ReplicaHealth } from './replica-health.ts'
import { encodeBatch } from '../simulation/model-batch.ts'
import { logConfig } from '../simulation/log-config-for-tests.ts'
import { newPartition, TOPIC, TOPIC_ID } from '../simulation/model-controller.ts'
import { TestCluster } from '../simulation/test-cluster.ts'

const orders = { topic: TOPIC, partition: 0 }

async function start(brokers: number, records = 5) {
  const scheduler = new VirtualScheduler()
  const cluster = new TestCluster({ brokers }, { scheduler })
  cluster.controller.onChange = () => scheduler.soon(() => cluster.publish())
  cluster.publish()
  for (let value = 1; value <= records; value++) void cluster.broker(1).manager.append(produce(value))
  await scheduler.advance(50)
  return { scheduler, cluster, read: (broker: number, offset: number) => cluster.broker(broker).manager.fetch(fetchAt(offset)) }
}

function produce(value: number): AppendRequest {
  return { acks: -1, timeoutMs: 1000, origin: 'client', entries: [{ topicPartition: orders, topicId: null, records: encodeBatch(value, 1) }] }
}

function fetchAt(fetchOffset: number): FetchParameters {
  const partition = { topicPartition: orders, topicId: null, fetchOffset, bytesMax: 2 ** 20, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }
  return {
    isolation: 'read_uncommitted', followerReads: 'allowed', rack: '', clientId: 'c', bytesMin: 1, bytesMax: 2 ** 20, waitMsMax: 0,
    partitions: [partition],
  }
}

function rot(cluster: TestCluster, broker: number, at: number): void {
  const log = cluster.log(broker)
  log.rot(log.batches[at]!)
}

const registration = (cluster: TestCluster) => cluster.controller.partition(0)
const isLost = (cluster: TestCluster, broker: number): boolean => directoryOf(registration(cluster), nodeId(broker)) === LOST_DIRECTORY

test('a leader that finds damage is relieved, emptied, filled again and in sync, alive all the while', async () => {
  const { scheduler, cluster, read } = await start(3)
  rot(cluster, 1, 2)
  expect(await read(1, 2)).toMatchObject([{ errorCode: ErrorCode.CORRUPT_MESSAGE }])
  await scheduler.advance(500)
  expect(registration(cluster)).toMatchObject({ leader: 2, leaderEpoch: 1 })
  expect(new Set(registration(cluster).isr)).toEqual(new Set([1, 2, 3]))
  expect(isLost(cluster, 1)).toBe(false)
  expect(cluster.log(1)).toMatchObject({ corruption: null, logEndOffset: 5, highWatermark: 5 })
  expect(cluster.log(1).batches.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5])
})

test('a log that was found damaged at the start is offline until it is filled again', async () => {
  const scheduler = new VirtualScheduler()
  const cluster = new TestCluster({ brokers: 3 }, { scheduler })
  cluster.controller.onChange = () => scheduler.soon(() => cluster.publish())
  const log = cluster.broker(1).store.getOrCreate(orders, TOPIC_ID, logConfig({}))
  if (!log.ok) throw new Error(log.error.message)
  log.value.corruption = { found: 'at-start', path: 'x', position: 0, offset: 0 as never, message: 'damaged' }
  cluster.publish()
  expect(cluster.broker(1).manager.partition(orders)).toMatchObject({ role: 'offline' })
  await scheduler.advance(500)
  expect(registration(cluster)).toMatchObject({ leader: 2, isr: [2, 3, 1] })
  expect(cluster.broker(1).manager.partition(orders)).toMatchObject({ role: 'follower' })
  expect(log.value.corruption).toBeNull()
})

test('a follower that finds damage in its own log is filled again under the same leader, in a new epoch', async () => {
  const { scheduler, cluster, read } = await start(3)
  rot(cluster, 3, 0)
  expect(await read(3, 0)).toMatchObject([{ errorCode: ErrorCode.CORRUPT_MESSAGE }])
  await scheduler.advance(500)
  expect(registration(cluster)).toMatchObject({ leader: 1, leaderEpoch: 1 })
  expect(registration(cluster).isr).toContain(3)
  expect(cluster.log(3)).toMatchObject({ corruption: null, logEndOffset: 5 })
})

test('a leader with nobody to take over goes on, and is relieved when somebody is in sync again', async () => {
  const { scheduler, cluster, read } = await start(2)
  cluster.controller.fence(nodeId(2))
  rot(cluster, 1, 2)
  expect(await read(1, 2)).toMatchObject([{ errorCode: ErrorCode.CORRUPT_MESSAGE }])
  await scheduler.advance(500)
  expect(registration(cluster)).toMatchObject({ leader: 1, isr: [1] })
  expect(await read(1, 3)).toMatchObject([{ errorCode: ErrorCode.NONE }])
  const appended = cluster.broker(1).manager.append(produce(6))
  await scheduler.advance(50)
  expect(await appended).toMatchObject([{ errorCode: ErrorCode.NONE, baseOffset: 5 }])
  cluster.controller.unfence(nodeId(2))
  await scheduler.advance(1000)
  expect(registration(cluster)).toMatchObject({ leader: 2 })
  expect(cluster.log(1)).toMatchObject({ corruption: null, logEndOffset: 6 })
})

test('two damaged replicas: nothing is thrown away before the leader has shown that it holds everything', async () => {
  const { scheduler, cluster, read } = await start(2)
  rot(cluster, 1, 1)
  rot(cluster, 2, 3)
  void read(1, 1)
  await scheduler.advance(2000)
  const { leader, leaderEpoch } = registration(cluster)
  expect(leader).toBe(2)
  // The leader found its own damage while it proved itself: it stays, unable to fill the other, which keeps what it has.
  expect(cluster.log(2).corruption).not.toBeNull()
  await scheduler.advance(60_000)
  expect(registration(cluster)).toMatchObject({ leader, leaderEpoch, isr: [2] })
  expect(cluster.log(1)).toMatchObject({ logEndOffset: 5, highWatermark: 5 })
  expect(await read(2, 1)).toMatchObject([{ errorCode: ErrorCode.NONE }])
})

describe('the last known leader, when nobody is in sync or eligible', () => {
  const leaderless: PartitionRegistration = {
    ...newPartition(0, [nodeId(1), nodeId(2)]), isr: [], leader: null, lastKnownElr: [nodeId(1)], directories: [UNASSIGNED_DIRECTORY, UNASSIGNED_DIRECTORY],
  }

  async function claimOf(found: 'at-start' | 'by-read', registration = leaderless) {
    const log = (await start(2)).cluster.log(1)
    const health = new ReplicaHealth(nodeId(1), registration)
    health.opened(log, UNASSIGNED_DIRECTORY)
    log.corruption = { found, path: 'x', position: 0, offset: 0 as never, message: 'damaged' }
    return health.claim(registration, null)
  }

  test('says nothing of its damage before it is elected', async () => {
    expect(await claimOf('by-read')).toBeNull()
    expect(await claimOf('by-read', { ...leaderless, isr: [nodeId(1)], leader: nodeId(1), lastKnownElr: [] })).toBe(LOST_DIRECTORY)
  })

  test('with a log that cannot serve is marked: another may be elected in its place', async () => {
    expect(await claimOf('at-start')).toBe(LOST_DIRECTORY)
  })

  test.each([
    ['others are eligible', { elr: [nodeId(2)] }],
    ['another led last', { lastKnownElr: [nodeId(2)] }],
  ])('is not meant where %s', async (_why, change) => {
    expect(await claimOf('by-read', { ...leaderless, ...change })).toBe(LOST_DIRECTORY)
  })
})

describe('the mark outlives the process', () => {
  const lost = { ...newPartition(0, [nodeId(1), nodeId(2)]), isr: [nodeId(2)], leader: nodeId(2), directories: [LOST_DIRECTORY, UNASSIGNED_DIRECTORY] }

  test('a replica that starts with it is hollow, and assigned to its directory once it is empty', async () => {
    const { cluster } = await start(2)
    const log = cluster.log(1)
    const health = new ReplicaHealth(nodeId(1), lost)
    health.opened(log, UNASSIGNED_DIRECTORY)
    expect(health.isDamaged).toBe(true)
    health.follow(lost, null)
    expect([health.isHollow, health.claim(lost, lost.leaderEpoch)]).toEqual([true, null])
    expect(log.logEndOffset).toBe(5)
    expect(health.empty()).toBe(true)
    expect([log.logEndOffset, health.claim(lost, lost.leaderEpoch)]).toEqual([0, UNASSIGNED_DIRECTORY])
  })

  test.each([
    ['it is in sync', { isr: [nodeId(1), nodeId(2)] }],
    ['it is eligible', { elr: [nodeId(1)] }],
    ['there is no leader to fill it from', { leader: null }],
  ])('nothing is emptied while %s', async (_why, change) => {
    const health = new ReplicaHealth(nodeId(1), lost)
    health.opened((await start(2)).cluster.log(1), UNASSIGNED_DIRECTORY)
    health.follow({ ...lost, ...change }, null)
    expect(health.isHollow).toBe(false)
  })

  test('damage met while it is filled needs a new mark, in a new leader epoch', async () => {
    const { cluster } = await start(2)
    const log = cluster.log(1)
    const health = new ReplicaHealth(nodeId(1), lost)
    health.opened(log, UNASSIGNED_DIRECTORY)
    health.follow(lost, null)
    health.empty()
    log.corruption = { found: 'by-read', path: 'x', position: 0, offset: 0 as never, message: 'damaged' }
    health.follow(lost, lost.leaderEpoch)
    expect([health.isHollow, health.claim(lost, lost.leaderEpoch)]).toEqual([false, LOST_DIRECTORY])
    const marked = { ...lost, leaderEpoch: 1 as LeaderEpoch }
    health.follow(marked, lost.leaderEpoch)
    expect(health.isHollow).toBe(true)
  })
})
