import { emptyImage } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import type { Uuid } from '@kavka/protocol'
import type { Scheduler } from '@kavka/kernel'
import { VirtualScheduler } from '@kavka/testkit'
import { ReplicaCreations } from './replica-creations.ts'
import { encodeBatch } from '../simulation/model-batch.ts'
import { TOPIC } from '../simulation/model-controller.ts'
import { TestCluster } from '../simulation/test-cluster.ts'

function dependenciesOf(scheduler: VirtualScheduler): Scheduler {
  return {
    wallMs: () => scheduler.wallMs(),
    monotonicMs: () => scheduler.monotonicMs(),
    after: (delayMs, callback) => scheduler.after(delayMs, callback),
    soon: (callback) => scheduler.soon(callback),
  }
}

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid

test('eight a turn, in order; what is asked for twice waits once', async () => {
  const scheduler = new VirtualScheduler()
  const late: number[] = []
  const creations = new ReplicaCreations(({ partition }) => late.push(partition), { scheduler })
  const admitted = Array.from({ length: 20 }, (_, partition) => creations.admit({ topicId: TOPIC_ID, partition }))
  expect(admitted.filter(Boolean)).toHaveLength(8)
  expect(creations.admit({ topicId: TOPIC_ID, partition: 19 })).toBe(false)
  expect(creations.waiting).toBe(12)
  await scheduler.advance(5)
  expect(late).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  expect(creations.admit({ topicId: TOPIC_ID, partition: 20 })).toBe(true)
})

test('on a slow disk fewer', async () => {
  const scheduler = new VirtualScheduler()
  let nowMs = 0
  const late: number[] = []
  const perTurn: number[] = []
  const slow = { ...dependenciesOf(scheduler), monotonicMs: () => nowMs }
  const creations = new ReplicaCreations(({ partition }) => {
    late.push(partition)
    nowMs += 1.5
  }, { scheduler: { ...slow, soon: (callback) => scheduler.soon(() => {
    const before = late.length
    callback()
    perTurn.push(late.length - before)
  }) } })
  for (let partition = 0; partition < 13; partition++) creations.admit({ topicId: TOPIC_ID, partition })
  await scheduler.advance(5)
  expect(perTurn).toEqual([2, 2, 1])
})

test('who comes later does not overtake who waits, and nothing is made after a stop', async () => {
  const scheduler = new VirtualScheduler()
  const late: number[] = []
  const creations = new ReplicaCreations(({ partition }) => late.push(partition), { scheduler })
  for (let partition = 0; partition < 9; partition++) creations.admit({ topicId: TOPIC_ID, partition })
  expect(creations.admit({ topicId: TOPIC_ID, partition: 9 })).toBe(false)
  creations.stop()
  await scheduler.advance(5)
  expect(late).toEqual([])
})

describe('a topic of many partitions', () => {
  const last = { topic: TOPIC, partition: 99 }

  test('is made a few partitions a turn; who asks for one that is not there yet is sent away to try again', async () => {
    const scheduler = new VirtualScheduler()
    const cluster = new TestCluster({ brokers: 2, partitions: 100 }, { scheduler })
    const { manager } = cluster.broker(1)
    cluster.publish()
    expect([...manager.partitions()]).toHaveLength(8)
    const entries = [{ topicPartition: last, topicId: null, records: encodeBatch(1, 1) }]
    const append = () => manager.append({ acks: -1, timeoutMs: 1000, origin: 'client', entries })
    expect(await append()).toMatchObject([{ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }])
    await scheduler.advance(50)
    expect([...manager.partitions()]).toHaveLength(100)
    const answer = append()
    await scheduler.advance(50)
    expect(await answer).toMatchObject([{ errorCode: 0, baseOffset: 0 }])
    expect(cluster.log(2, 99).highWatermark).toBe(1)
  })

  test('a follower that has its replica before the leader has its own is served when the leader has', async () => {
    const scheduler = new VirtualScheduler()
    const cluster = new TestCluster({ brokers: 2, partitions: 100 }, { scheduler })
    cluster.publish(cluster.controller.image, [cluster.broker(2).id])
    await scheduler.advance(20)
    cluster.publish(cluster.controller.image, [cluster.broker(1).id])
    const entries = [{ topicPartition: last, topicId: null, records: encodeBatch(1, 1) }]
    await scheduler.advance(20)
    const answer = cluster.broker(1).manager.append({ acks: -1, timeoutMs: 1000, origin: 'client', entries })
    await scheduler.advance(50)
    expect(await answer).toMatchObject([{ errorCode: 0 }])
  })

  test('what is deleted before its turn is not made', async () => {
    const scheduler = new VirtualScheduler()
    const cluster = new TestCluster({ brokers: 2, partitions: 100 }, { scheduler })
    cluster.publish()
    const { image } = cluster.controller
    const { id, manager, store } = cluster.broker(1)
    cluster.publish({ ...image, offset: image.offset + 1, topics: emptyImage.topics }, [id])
    await scheduler.advance(50)
    expect([...manager.partitions()]).toEqual([])
    expect(store.get(last)).toBeNull()
  })

  test('what changed before its turn is made as it is then', async () => {
    const scheduler = new VirtualScheduler()
    const cluster = new TestCluster({ brokers: 2, partitions: 100 }, { scheduler })
    cluster.publish()
    const [one, two] = cluster.brokers
    cluster.controller.fence(one!.id)
    cluster.publish()
    await scheduler.advance(50)
    expect([...two!.manager.partitions()].map(({ role }) => role)).toEqual(Array.from({ length: 100 }, () => 'leader'))
  })
})
