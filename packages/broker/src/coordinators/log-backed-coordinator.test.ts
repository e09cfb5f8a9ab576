import { silentLogger } from '@kavka/kernel'
import { buildBatch, buildEndTransactionMarker, ErrorCode } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import { LogBackedCoordinator } from './log-backed-coordinator.ts'
import { CounterCore } from './testing/counter-core.ts'
import type { PutAnswer } from './testing/counter-core.ts'
import { ScriptedReplicas } from './testing/scripted-replicas.ts'

const TOPIC = '__counters'

function setUp(options: { loadBufferBytes?: number } = {}) {
  const scheduler = new VirtualScheduler()
  const replicas = new ScriptedReplicas(TOPIC)
  const cores: CounterCore[] = []
  const coordinator = new LogBackedCoordinator(
    { topic: TOPIC, writeTimeoutMs: 5_000, loadBufferBytes: options.loadBufferBytes ?? 1_000_000 },
    {
      replicas: replicas.asReplicaManager,
      scheduler,
      logger: silentLogger,
      createCore: () => {
        cores.push(new CounterCore())
        return cores.at(-1)!
      },
    },
  )
  const put = (key: string, value: string, sizeBytes = 0) => {
    const answer: { value: PutAnswer | null } = { value: null }
    void coordinator
      .request<PutAnswer>(0, (core, id) => core.put(id, key, value, sizeBytes), (errorCode) => ({ kind: 'refused', errorCode }))
      .then((given) => (answer.value = given))
    return answer
  }
  const value = (key: string) => coordinator.ask<string | number | null>(0, (core) => core.values.get(key) ?? null, (errorCode) => errorCode)
  return { scheduler, replicas, cores, coordinator, put, value }
}

async function elected(options: { loadBufferBytes?: number } = {}) {
  const world = setUp(options)
  world.replicas.elect(0, 1)
  await world.scheduler.advance(10)
  return world
}

function batch(pairs: Record<string, string>, producerId?: number): Buffer {
  const records = Object.entries(pairs).map(([key, value]) => ({ timestamp: 1, key: Buffer.from(key), value: Buffer.from(value) }))
  return buildBatch(records, producerId === undefined ? {} : { producerId, producerEpoch: 0, baseSequence: 0, transactional: true })
}

describe('ownership', () => {
  test('a partition that is not led here answers NOT_COORDINATOR', async () => {
    const { put, value, scheduler } = setUp()
    const answer = put('a', '1')
    await scheduler.advance(0)
    expect(answer.value).toEqual({ kind: 'refused', errorCode: ErrorCode.NOT_COORDINATOR })
    expect(value('a')).toBe(ErrorCode.NOT_COORDINATOR)
  })

  test('resignation answers what waits and drops the state', async () => {
    const { put, value, replicas, scheduler } = await elected()
    replicas.next = 'hold'
    const answer = put('a', '1')
    await scheduler.advance(1)
    replicas.resign(0, 2)
    await scheduler.advance(0)
    expect(answer.value).toEqual({ kind: 'refused', errorCode: ErrorCode.NOT_COORDINATOR })
    expect(value('a')).toBe(ErrorCode.NOT_COORDINATOR)
    replicas.release()
    await scheduler.advance(1)
  })

  test('a resignation of an older epoch does not end a newer leadership', async () => {
    const { put, replicas, scheduler } = await elected()
    replicas.elect(0, 5)
    await scheduler.advance(10)
    replicas.resign(0, 4)
    const answer = put('a', '1')
    await scheduler.advance(1)
    expect(answer.value).toMatchObject({ kind: 'stored' })
  })

  test('a new epoch of the same leader keeps everything, what is under way included', async () => {
    const { put, value, replicas, cores, scheduler } = await elected()
    put('a', '1')
    await scheduler.advance(1)
    replicas.next = 'hold'
    const answer = put('b', '2')
    await scheduler.advance(1)
    replicas.elect(0, 2)
    expect(value('a')).toBe('1')
    replicas.release()
    await scheduler.advance(1)
    expect(answer.value).toEqual({ kind: 'stored', offset: 1 })
    expect(cores).toHaveLength(1)
    replicas.resign(0, 2)
    expect(value('a')).toBe(ErrorCode.NOT_COORDINATOR)
  })

  test('stop answers everything that waits', async () => {
    const { put, coordinator, replicas, scheduler } = await elected()
    replicas.next = 'hold'
    const answer = put('a', '1')
    coordinator.stop()
    await scheduler.advance(0)
    expect(answer.value).toEqual({ kind: 'refused', errorCode: ErrorCode.NOT_COORDINATOR })
  })
})

describe('loading', () => {
  test('replays records, transactions and markers in order, in bounded chunks, with a turn between', async () => {
    const { replicas, cores, coordinator, scheduler } = setUp({ loadBufferBytes: 100 })
    replicas.place(batch({ a: '1', b: '2' }))
    replicas.place(batch({ c: '3' }, 77))
    replicas.place(buildEndTransactionMarker({ outcome: 'abort', producerId: 77, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1 }))
    replicas.place(batch({ a: '4' }))
    replicas.highWatermark = replicas.logEndOffset
    replicas.elect(0, 1)
    expect(coordinator.isLoading).toBe(true)
    await scheduler.advance(10)
    expect(coordinator.isLoading).toBe(false)
    expect(replicas.reads).toBe(4)
    expect(cores[0]!.replayed).toEqual(['a=1', 'b=2', 'c=3 by 77', 'a=4'])
    expect(cores[0]!.markers).toEqual(['abort 77'])
    expect(cores[0]!.wasLoaded).toBe(true)
  })

  test('answers COORDINATOR_LOAD_IN_PROGRESS meanwhile, and until the high watermark reaches the end it was elected with', async () => {
    const { replicas, put, value, scheduler } = setUp()
    replicas.place(batch({ a: '1' }))
    replicas.elect(0, 1)
    await scheduler.advance(100)
    expect(value('a')).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    const answer = put('b', '1')
    await scheduler.advance(0)
    expect(answer.value).toEqual({ kind: 'refused', errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS })
    replicas.highWatermark = 1
    await scheduler.advance(10)
    expect(value('a')).toBe('1')
  })

  test('a load that a resignation and a new election overtook changes nothing', async () => {
    const { replicas, cores, value, scheduler } = setUp()
    replicas.place(batch({ a: 'old' }))
    replicas.highWatermark = 1
    let open = () => {}
    replicas.gate = new Promise((resolve) => (open = resolve))
    replicas.elect(0, 5)
    await scheduler.advance(1)
    replicas.resign(0, 6)
    replicas.place(batch({ a: 'new' }))
    replicas.highWatermark = 2
    replicas.gate = null
    replicas.elect(0, 7)
    await scheduler.advance(10)
    expect(value('a')).toBe('new')
    open()
    await scheduler.advance(10)
    expect(value('a')).toBe('new')
    expect(cores).toHaveLength(2)
    expect(cores[0]!.replayed).toEqual([])
  })

  test('a log that cannot be read, or fails its checksum, is tried again', async () => {
    const { replicas, value, scheduler } = setUp()
    replicas.place(batch({ a: '1' }))
    replicas.highWatermark = 1
    replicas.readFailure = 'EIO'
    replicas.elect(0, 1)
    await scheduler.advance(100)
    expect(value('a')).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    replicas.readFailure = null
    const bytes = replicas.batches[0]!.bytes
    bytes[bytes.length - 1]! ^= 1
    await scheduler.advance(1_000)
    expect(value('a')).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    bytes[bytes.length - 1]! ^= 1
    await scheduler.advance(1_000)
    expect(value('a')).toBe('1')
  })
})

describe('appending', () => {
  test('operations of one turn share a batch; each is answered with its place, after the commit', async () => {
    const { replicas, put, value, scheduler } = await elected()
    replicas.next = 'hold'
    const first = put('a', '1')
    const second = put('b', '2')
    await scheduler.advance(1)
    expect(replicas.requests).toHaveLength(1)
    expect(replicas.requests[0]).toMatchObject({ acks: -1, origin: 'coordinator' })
    expect([first.value, second.value, value('a')]).toEqual([null, null, null])
    replicas.release()
    await scheduler.advance(1)
    expect([first.value, second.value]).toEqual([{ kind: 'stored', offset: 0 }, { kind: 'stored', offset: 1 }])
    expect(value('b')).toBe('2')
  })

  test('fates are told in log order though results arrive in another', async () => {
    const { replicas, put, value, scheduler } = await elected()
    replicas.next = 'hold'
    const first = put('a', 'first')
    await scheduler.advance(1)
    const second = put('a', 'second')
    await scheduler.advance(1)
    replicas.release(ErrorCode.NONE, 1)
    await scheduler.advance(1)
    expect([first.value, second.value]).toEqual([null, null])
    replicas.release()
    await scheduler.advance(1)
    expect(value('a')).toBe('second')
  })

  test('a refused append leaves no trace', async () => {
    const { replicas, put, value, scheduler } = await elected()
    replicas.next = ErrorCode.NOT_ENOUGH_REPLICAS
    const answer = put('a', '1')
    await scheduler.advance(1)
    expect(answer.value).toEqual({ kind: 'refused', errorCode: ErrorCode.NOT_ENOUGH_REPLICAS })
    expect(value('a')).toBeNull()
  })

  test('more than a batch holds goes into several; what alone is too large is refused alone, in its place', async () => {
    const { replicas, put, scheduler } = await elected()
    replicas.maxMessageBytes = 500
    const answers = [put('a', '1', 200), put('b', '2', 200), put('c', '3', 2_000), put('d', '4', 10)]
    await scheduler.advance(1)
    expect(replicas.batches.map(({ count }) => count)).toEqual([1, 1, 1])
    expect(answers.map(({ value }) => value)).toEqual([
      { kind: 'stored', offset: 0 },
      { kind: 'stored', offset: 1 },
      { kind: 'refused', errorCode: ErrorCode.RECORD_LIST_TOO_LARGE },
      { kind: 'stored', offset: 2 },
    ])
  })

  test('whoever waits too long is told; the record counts when it is committed after all', async () => {
    const { replicas, put, value, scheduler } = await elected()
    replicas.next = 'hold'
    const answer = put('a', '1')
    await scheduler.advance(4_999)
    expect(answer.value).toBeNull()
    await scheduler.advance(2)
    expect(answer.value).toEqual({ kind: 'timed-out' })
    expect(value('a')).toBeNull()
    replicas.release()
    await scheduler.advance(1)
    expect(value('a')).toBe('1')
  })

  test('a record that is in the log without enough replicas waits for the high watermark, and what follows waits with it', async () => {
    const { replicas, put, value, scheduler } = await elected()
    replicas.next = 'hold'
    const first = put('a', '1')
    await scheduler.advance(1)
    const second = put('a', '2')
    await scheduler.advance(1)
    replicas.release(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    await scheduler.advance(100)
    expect([first.value, second.value, value('a')]).toEqual([{ kind: 'timed-out' }, null, null])
    replicas.highWatermark = 1
    await scheduler.advance(100)
    expect(value('a')).toBe('1')
    replicas.release()
    await scheduler.advance(1)
    expect([value('a'), second.value]).toEqual(['2', { kind: 'stored', offset: 1 }])
  })

  test('after an append whose fate is unclear the log is read again', async () => {
    const { replicas, put, value, cores, scheduler } = await elected()
    replicas.next = 'hold'
    const answer = put('a', '1')
    await scheduler.advance(1)
    replicas.release(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    await scheduler.advance(0)
    expect(answer.value).toEqual({ kind: 'refused', errorCode: ErrorCode.NOT_COORDINATOR })
    expect(value('a')).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    replicas.highWatermark = 1
    await scheduler.advance(10)
    expect(value('a')).toBe('1')
    expect(cores).toHaveLength(2)
  })

  test('a failover that loses the record loses it for readers too', async () => {
    const { replicas, put, value, scheduler } = await elected()
    replicas.next = 'hold'
    put('a', '1')
    await scheduler.advance(1)
    replicas.resign(0, 2)
    replicas.truncateToHighWatermark()
    replicas.elect(0, 3)
    await scheduler.advance(10)
    expect(value('a')).toBeNull()
  })
})

test('the core is woken at its deadline, also when it moved earlier', async () => {
  const { coordinator, cores, scheduler } = await elected()
  coordinator.ask(0, (core) => (core.deadlineMs = scheduler.monotonicMs() + 1_000), () => 0)
  coordinator.ask(0, (core) => (core.deadlineMs = scheduler.monotonicMs() + 50), () => 0)
  await scheduler.advance(49)
  expect(cores[0]!.expirations).toBe(0)
  await scheduler.advance(1)
  expect(cores[0]!.expirations).toBe(1)
})
