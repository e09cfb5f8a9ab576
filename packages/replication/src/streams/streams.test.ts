/** One leader and a follower made of frames: what goes over the wire, and when. */
import { seededRandom, silentLogger } from '@kavka/kernel'
import { ErrorCode, leaderEpoch, nodeId } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import { RetryBackoff } from '../core/retry-backoff.ts'
import { FollowerFetcher } from './follower-fetcher.ts'
import { LeaderStreams } from './leader-streams.ts'
import { Partition } from '../partition/partition.ts'
import type { FollowerFrame, FollowerHello, FollowerPosition, FollowerStreamEvents, LeaderFrame } from '../ports.ts'
import { createReplicationCounters } from '../replication-counters.ts'
import { logConfig } from '../simulation/log-config-for-tests.ts'
import { MemoryPartitionLog } from '../simulation/memory-partition-log.ts'
import { encodeBatch } from '../simulation/model-batch.ts'
import { changed, newPartition, TOPIC_ID } from '../simulation/model-controller.ts'

const [one, two] = [nodeId(1), nodeId(2)]

function partitionAt(localId: typeof one, number: number, scheduler: VirtualScheduler) {
  const topicPartition = { topic: 'orders', partition: number }
  const random = seededRandom(3)
  const log = new MemoryPartitionLog(
    { topicPartition, topicId: TOPIC_ID, config: logConfig() },
    { sync: { kind: 'manual' }, slowReadProbability: 0 },
    { scheduler, random },
  )
  const acknowledged: string[] = []
  const partition: Partition = new Partition(
    { topicPartition, topicId: TOPIC_ID, localId, lagMsMax: 30_000 },
    newPartition(number, [one, two]),
    {
      scheduler,
      logger: silentLogger,
      isEligible: () => true,
      isAlive: () => true,
      hasOnlineDirectory: () => true,
      brokerEpochOf: () => 7,
      events: {
        proposed: () => {}, failed: () => {}, damaged: () => {}, emptied: () => {}, proved: () => {},
        acknowledge: ({ name }) => acknowledged.push(name),
      },
    },
  )
  partition.openLog(log, 0, null)
  partition.follow(newPartition(number, [one, two]))
  return { partition, log }
}

function serving(partitionCount = 1) {
  const scheduler = new VirtualScheduler()
  const hosted = Array.from({ length: partitionCount }, (_, number) => partitionAt(one, number, scheduler))
  const streams = new LeaderStreams(
    { clusterId: 'c', localId: one, frameBytesMax: 1000 },
    {
      scheduler,
      logger: silentLogger,
      counters: createReplicationCounters(),
      find: ({ partition }) => hosted[partition]?.partition ?? null,
      brokerEpochOf: () => 7,
    },
  )
  const sent: LeaderFrame[] = []
  const closed: string[] = []
  let isFull = false
  const connect = (change: Partial<FollowerHello> = {}) =>
    streams.accept(
      { clusterId: 'c', followerId: two, followerBrokerEpoch: 7, leaderId: one, ...change },
      { send: (frame) => sent.push(frame) > 0 && !isFull, close: (reason) => closed.push(reason) },
    )
  const take = (): LeaderFrame[] => {
    scheduler.advanceSync(1)
    return sent.splice(0)
  }
  const setFull = (full: boolean): void => {
    isFull = full
  }
  return { scheduler, hosted, streams, connect, closed, take, setFull }
}

function position(change: Partial<FollowerPosition> = {}): FollowerPosition {
  return {
    topicId: TOPIC_ID,
    partition: 0,
    currentLeaderEpoch: leaderEpoch(0),
    fetchOffset: 0,
    lastFetchedEpoch: -1,
    durableEndOffset: 0,
    logStartOffset: 0,
    highWatermark: 0,
    intent: 'restart',
    ...change,
  }
}

const frameOf = (positions: readonly FollowerPosition[], creditFrames = 0): FollowerFrame => ({ creditFrames, positions, removed: [] })
const bases = (frames: readonly LeaderFrame[]) =>
  frames.map(({ partitions }) => partitions.map((p) => `${p.partition}@${p.baseOffset}+${p.records.length}`))

function append(partition: Partition, count: number, paddingBytes = 0): void {
  for (let at = 0; at < count; at++) partition.appendAsLeader(encodeBatch(at, 1, paddingBytes), 'client')
}

describe('the leader side', () => {
  test('answers a new position even with nothing to send, then is silent', () => {
    const { connect, take } = serving()
    connect().frame(frameOf([position()], 4))
    expect(bases(take())).toEqual([['0@0+0']])
    expect(take()).toEqual([])
  })

  test('sends no more data frames than it has credit for, never the same bytes twice', () => {
    const { connect, take, hosted } = serving()
    const follower = connect()
    append(hosted[0]!.partition, 5, 900)
    follower.frame(frameOf([position()], 2))
    expect(bases(take())).toEqual([['0@0+1'], ['0@1+1']])
    follower.frame(frameOf([], 1))
    expect(bases(take())).toEqual([['0@2+1']])
    follower.frame(frameOf([position({ fetchOffset: 1, durableEndOffset: 1, lastFetchedEpoch: 0 })], 1))
    expect(bases(take())).toEqual([['0@1+1']])
  })

  test('shares frames between busy partitions', () => {
    const { connect, take, hosted } = serving(3)
    for (const { partition } of hosted) append(partition, 4, 400)
    connect().frame(frameOf([0, 1, 2].map((partition) => position({ partition })), 3))
    const seen = new Set(take().flatMap(({ partitions }) => partitions.filter((p) => p.records.length > 0).map((p) => p.partition)))
    expect([...seen].toSorted()).toEqual([0, 1, 2])
  })

  test('tells the high watermark without data and without credit', () => {
    const { connect, take, hosted, scheduler } = serving()
    const { partition, log } = hosted[0]!
    const follower = connect()
    append(partition, 1)
    log.syncNow()
    follower.frame(frameOf([position()], 1))
    take()
    follower.frame(frameOf([position({ fetchOffset: 1, durableEndOffset: 1, intent: 'acknowledge' })]))
    // Records would take it along.
    expect(take()).toEqual([])
    scheduler.advanceSync(5)
    expect(take()).toMatchObject([{ partitions: [{ baseOffset: 1, highWatermark: 1, records: [] }] }])
  })

  test('a high watermark that moved rides on the next records', () => {
    const { connect, take, hosted, scheduler } = serving(2)
    const follower = connect()
    for (const { partition, log } of hosted) {
      append(partition, 1)
      log.syncNow()
    }
    follower.frame(frameOf([position(), position({ partition: 1 })], 2))
    take()
    follower.frame(frameOf([0, 1].map((partition) => position({ partition, fetchOffset: 1, durableEndOffset: 1, intent: 'acknowledge' }))))
    scheduler.advanceSync(1)
    append(hosted[0]!.partition, 1)
    const [frame, ...others] = take()
    expect(frame?.partitions.map(({ partition, highWatermark, records }) => [partition, highWatermark, records.length])).toEqual([[0, 1, 1], [1, 1, 0]])
    expect(others).toEqual([])
    scheduler.advanceSync(10)
    expect(take()).toEqual([])
  })

  test('stops while the stream is full and goes on when it drained', () => {
    const { connect, take, hosted, setFull } = serving()
    const follower = connect()
    append(hosted[0]!.partition, 3, 900)
    setFull(true)
    follower.frame(frameOf([position()], 4))
    expect(bases(take())).toEqual([['0@0+1']])
    expect(take()).toEqual([])
    setFull(false)
    follower.drained()
    expect(bases(take())).toEqual([['0@1+1'], ['0@2+1']])
  })

  test('refuses another epoch, and serves at once when it becomes leader of that epoch', () => {
    const { connect, take, hosted, streams } = serving()
    connect().frame(frameOf([position({ currentLeaderEpoch: leaderEpoch(1) })], 1))
    expect(take()).toMatchObject([{ partitions: [{ errorCode: ErrorCode.UNKNOWN_LEADER_EPOCH, records: [] }] }])
    hosted[0]!.partition.follow(changed(newPartition(0, [one, two]), { leaderEpoch: leaderEpoch(1) }))
    streams.partitionChanged(hosted[0]!.partition)
    expect(take()).toMatchObject([{ partitions: [{ errorCode: ErrorCode.NONE, leaderEpoch: 1 }] }])
    streams.partitionChanged(hosted[0]!.partition)
    expect(take()).toEqual([])
  })

  test('fences a follower of an older epoch and counts nothing that it acknowledges', () => {
    const { connect, take, hosted, streams } = serving()
    const { partition, log } = hosted[0]!
    append(partition, 1)
    log.syncNow()
    const follower = connect()
    follower.frame(frameOf([position()], 1))
    take()
    partition.follow(changed(newPartition(0, [one, two]), { leaderEpoch: leaderEpoch(1) }))
    streams.partitionChanged(partition)
    expect(take()).toMatchObject([{ partitions: [{ errorCode: ErrorCode.FENCED_LEADER_EPOCH }] }])
    follower.frame(frameOf([position({ fetchOffset: 1, durableEndOffset: 1, intent: 'acknowledge' })]))
    expect(partition.highWatermark).toBe(0)
  })

  test('names the divergence and waits for a new position', () => {
    const { connect, take, hosted } = serving()
    append(hosted[0]!.partition, 2)
    const follower = connect()
    follower.frame(frameOf([position({ fetchOffset: 5, lastFetchedEpoch: 0 })], 4))
    expect(take()).toMatchObject([{ partitions: [{ divergingEpoch: { epoch: 0, endOffset: 2 }, records: [] }] }])
    append(hosted[0]!.partition, 1)
    expect(take()).toEqual([])
    follower.frame(frameOf([position({ partition: 9 })]))
    expect(take()).toMatchObject([{ partitions: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID }] }])
  })

  test.each([
    [{ clusterId: 'other' }, 'another cluster'],
    [{ leaderId: nodeId(9) }, 'this is broker 1'],
    [{ followerBrokerEpoch: 6 }, 'stale broker epoch'],
    [{ followerId: one }, 'a broker does not follow itself'],
  ])('refuses a stream of %j', (hello, reason) => {
    const { connect, closed, streams } = serving()
    connect(hello)
    expect(closed).toEqual([reason])
    expect(streams.size).toBe(0)
  })

  test.each([
    frameOf([position({ fetchOffset: -1 })]),
    frameOf([position({ durableEndOffset: 1 })]),
    frameOf([], 65),
    frameOf([], -1),
  ])('ends the stream at a frame that no follower sends', (frame) => {
    const { connect, closed, streams } = serving()
    connect().frame(frame)
    expect(closed.length).toBe(1)
    expect(streams.size).toBe(0)
  })

  test('ends the stream at an acknowledgment of what was never sent', () => {
    const { connect, closed, take } = serving()
    const follower = connect()
    follower.frame(frameOf([position()]))
    take()
    follower.frame(frameOf([position({ durableEndOffset: 3, intent: 'acknowledge' })]))
    expect(closed).toEqual(['position out of bounds'])
  })
})

describe('the follower side', () => {
  function following() {
    const scheduler = new VirtualScheduler()
    const { partition, log } = partitionAt(two, 0, scheduler)
    const opened: { events: FollowerStreamEvents; sent: FollowerFrame[]; atMs: number }[] = []
    const fetcher = new FollowerFetcher(
      { clusterId: 'c', localId: two, leaderId: one, framesInFlightMax: 3, backoff: { delayMsMin: 20, delayMsMax: 1000 } },
      {
        scheduler,
        random: seededRandom(5),
        logger: silentLogger,
        counters: createReplicationCounters(),
        brokerEpoch: () => 7,
        addressOf: () => ({ host: 'h', port: 1 }),
        transport: {
          onFollower: () => {},
          openStream: (_leader, _hello, events) => {
            const sent: FollowerFrame[] = []
            opened.push({ events, sent, atMs: scheduler.monotonicMs() })
            return { send: (frame) => sent.push(frame), close: () => {} }
          },
        },
      },
    )
    return { scheduler, partition, log, opened, fetcher }
  }

  test('announces its position with its credit, and gives credit back for each data frame', () => {
    const { scheduler, partition, opened, fetcher } = following()
    fetcher.follow(partition)
    scheduler.advanceSync(1)
    expect(opened[0]!.sent).toMatchObject([{ creditFrames: 3, positions: [{ intent: 'restart', fetchOffset: 0 }] }])
    opened[0]!.events.frame({ partitions: [] })
    scheduler.advanceSync(1)
    expect(opened[0]!.sent.length).toBe(1)
  })

  test('comes back after a broken stream with growing delays, at once on new metadata', () => {
    const { scheduler, partition, opened, fetcher } = following()
    fetcher.follow(partition)
    scheduler.advanceSync(1)
    const delays: number[] = []
    for (let attempt = 0; attempt < 8; attempt++) {
      const brokenAt = scheduler.monotonicMs()
      opened.at(-1)!.events.closed('refused')
      const count = opened.length
      while (opened.length === count) scheduler.runNextSync()
      delays.push(opened.at(-1)!.atMs - brokenAt)
    }
    expect(delays[0]).toBeGreaterThanOrEqual(20)
    expect(delays[0]).toBeLessThanOrEqual(50)
    expect(Math.max(...delays)).toBeLessThanOrEqual(1000)
    expect(delays.at(-1)).toBeGreaterThanOrEqual(500)
    opened.at(-1)!.events.closed('refused')
    const at = scheduler.monotonicMs()
    fetcher.retryNow()
    scheduler.advanceSync(1)
    expect(opened.at(-1)!.atMs).toBe(at)
    expect(opened.at(-1)!.sent[0]!.positions[0]!.intent).toBe('restart')
  })

  const refusal: LeaderFrame = {
    partitions: [
      {
        topicId: TOPIC_ID,
        partition: 0,
        leaderEpoch: leaderEpoch(0),
        errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
        baseOffset: 0,
        highWatermark: 0,
        logStartOffset: 0,
        logEndOffset: 0,
        divergingEpoch: null,
        records: [],
      },
    ],
  }

  test('waits longer for a leader that goes on refusing, and not for one that refuses again much later', () => {
    const { scheduler, partition, opened, fetcher } = following()
    fetcher.follow(partition)
    scheduler.advanceSync(1)
    const waitAfterRefusal = (): number => {
      const { events, sent } = opened[0]!
      const at = scheduler.monotonicMs()
      const count = sent.length
      events.frame(refusal)
      while (sent.length === count) scheduler.runNextSync()
      return scheduler.monotonicMs() - at
    }
    const waits = Array.from({ length: 8 }, waitAfterRefusal)
    expect(waits[0]).toBeLessThanOrEqual(40)
    expect(waits.at(-1)).toBeGreaterThanOrEqual(500)
    scheduler.advanceSync(2_000)
    expect(waitAfterRefusal()).toBeLessThanOrEqual(40)
  })

  test('asks a leader that refuses a partition again later, not in a loop', () => {
    const { scheduler, partition, opened, fetcher } = following()
    fetcher.follow(partition)
    scheduler.advanceSync(1)
    opened[0]!.events.frame(refusal)
    scheduler.advanceSync(10)
    expect(opened[0]!.sent.length).toBe(1)
    expect(fetcher.troubledPartitions).toBe(1)
    scheduler.advanceSync(50)
    expect(opened[0]!.sent.length).toBe(2)
    expect(fetcher.troubledPartitions).toBe(0)
  })
})

test('a back-off grows, is spread, and starts again', () => {
  const backoff = new RetryBackoff({ delayMsMin: 20, delayMsMax: 1000 }, { random: seededRandom(2) })
  const delays = Array.from({ length: 10 }, () => backoff.nextDelayMs())
  expect(delays[0]).toBeLessThanOrEqual(40)
  for (const delay of delays.slice(6)) expect(delay).toBeGreaterThanOrEqual(500)
  backoff.reset()
  expect(backoff.nextDelayMs()).toBeLessThanOrEqual(40)
})
