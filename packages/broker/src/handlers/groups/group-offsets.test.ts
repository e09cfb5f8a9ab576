/** Commits, fetches and deletions of offsets through their handlers. */
import { ErrorCode, errorName, ZERO_UUID } from '@kavka/protocol'
import { describeGroupsHandler } from './describe-groups.ts'
import { offsetCommitHandler } from './offset-commit.ts'
import { offsetDeleteHandler } from './offset-delete.ts'
import { offsetFetchHandler } from './offset-fetch.ts'
import { ORDERS, SECRET, UNKNOWN_ID, topic, imageOf, GROUP_TOPIC, setUp, contextOf, member, commitOf, orders, codes } from './testing/group-world.ts'

describe('offsets', () => {
  test('commits by name and by id are found by name and by id', async () => {
    const world = await setUp()
    const { memberId, generationId } = await member(world)
    const extra = { memberId, generationIdOrMemberEpoch: generationId }
    expect(codes(await world.ask(offsetCommitHandler, 9, commitOf([orders([0, 10, 'note'], [1, 11], [2, 12])], extra)))).toEqual([
      ['NONE', 'NONE', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ])
    const byId = await world.ask(offsetCommitHandler, 10, commitOf([{ ...orders([1, 20]), name: '' }, { ...orders([0, 1]), name: '', topicId: UNKNOWN_ID }], extra))
    expect(codes(byId)).toEqual([['NONE'], ['UNKNOWN_TOPIC_ID']])
    const wanted = { groupId: 'g', memberId: null, memberEpoch: -1, topics: [{ name: '', topicId: ORDERS, partitionIndexes: [0, 1, 9] }, { name: '', topicId: UNKNOWN_ID, partitionIndexes: [0] }] }
    const fetched = await world.ask(offsetFetchHandler, 10, { groups: [wanted, { ...wanted, groupId: 'absent' }] })
    expect(fetched.groups[0]!.topics[0]!.partitions.map((p) => [p.committedOffset, p.metadata])).toEqual([[10, 'note'], [20, ''], [-1, '']])
    expect(fetched.groups[0]!.topics[1]!.partitions[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
    expect(fetched.groups[1]!.topics[0]!.partitions.map((p) => [p.committedOffset, p.errorCode])).toEqual([[-1, 0], [-1, 0], [-1, 0]])
    const all = await world.ask(offsetFetchHandler, 10, { groups: [{ ...wanted, topics: null }] })
    expect(all.groups[0]!.topics).toMatchObject([{ topicId: ORDERS, partitions: [{ committedOffset: 10 }, { committedOffset: 20 }] }])
  })

  test('a topic made again under its name has no offsets by its new id, and none at all once the old one is gone', async () => {
    const world = await setUp()
    await world.ask(offsetCommitHandler, 9, commitOf([orders([0, 10])], { generationIdOrMemberEpoch: -1 }))
    const renewed = topic('orders', UNKNOWN_ID, 2)
    const before = world.world.image
    world.world.image = imageOf(GROUP_TOPIC, renewed)
    const wanted = { groupId: 'g', memberId: null, memberEpoch: -1, topics: [{ name: '', topicId: UNKNOWN_ID, partitionIndexes: [0] }] }
    expect((await world.ask(offsetFetchHandler, 10, { groups: [wanted] })).groups[0]!.topics[0]!.partitions[0]!.committedOffset).toBe(-1)
    world.groups.publish(world.world.image, {
      topicsCreatedOrChanged: new Set(), topicsDeleted: new Map([[ORDERS, before.topics.byId.get(ORDERS)!]]), brokersChanged: new Set(),
      configsChanged: new Set(), featuresChanged: false,
    })
    await world.scheduler.advance(10)
    const byName = await world.ask(offsetFetchHandler, 9, { groups: [{ ...wanted, topics: [{ name: 'orders', topicId: ZERO_UUID, partitionIndexes: [0] }] }] })
    expect(byName.groups[0]!.topics[0]!.partitions[0]!.committedOffset).toBe(-1)
  })

  test('metadata that is too long fails alone; the limit counts characters', async () => {
    const world = await setUp()
    const topics = [orders([0, 1, 'x'.repeat(4_096)], [1, 2, 'x'.repeat(4_097)])]
    expect(codes(await world.ask(offsetCommitHandler, 9, commitOf(topics)))).toEqual([['NONE', 'OFFSET_METADATA_TOO_LARGE']])
  })

  test('the storage\'s refusals in the coordinator\'s words', async () => {
    const world = await setUp()
    const outcome = async (errorCode: number) => {
      world.replicas.next = errorCode
      return codes(await world.ask(offsetCommitHandler, 9, commitOf([orders([0, 1])])))[0]![0]
    }
    expect(await outcome(ErrorCode.NOT_ENOUGH_REPLICAS)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await outcome(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await outcome(ErrorCode.MESSAGE_TOO_LARGE)).toBe('UNKNOWN_SERVER_ERROR')
    expect(await outcome(ErrorCode.NOT_LEADER_OR_FOLLOWER)).toBe('NOT_COORDINATOR')
  })

  test('a commit that is not replicated in time is answered COORDINATOR_NOT_AVAILABLE', async () => {
    const world = await setUp()
    world.replicas.next = 'hold'
    expect(codes(await world.ask(offsetCommitHandler, 9, commitOf([orders([0, 1])])))).toEqual([['COORDINATOR_NOT_AVAILABLE']])
  })

  test('a coordinator that the controller may have replaced tells offsets and members only when its replicas confirm it', async () => {
    const { world, ask, replicas, scheduler } = await setUp()
    const commit = { groupId: 'g', topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 42 }] }] }
    const wanted = { groupId: 'g', topics: [{ name: 'orders', partitionIndexes: [0] }] }
    expect(codes(await ask(offsetCommitHandler, 5, commit))).toEqual([['NONE']])
    const offsetsRead = async () => (await ask(offsetFetchHandler, 7, wanted)).topics.map(({ partitions }) => partitions.map((one) => one.committedOffset))
    const batches = replicas.batches.length
    expect(await offsetsRead()).toEqual([[42]])
    expect(replicas.batches.length).toBe(batches)
    world.isCountedIn = false
    expect(await offsetsRead()).toEqual([[42]])
    expect(replicas.batches.length).toBe(batches + 1)
    replicas.next = 'hold'
    const startedMs = scheduler.monotonicMs()
    expect(errorName((await ask(offsetFetchHandler, 7, wanted)).errorCode)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(scheduler.monotonicMs() - startedMs).toBeLessThanOrEqual(5_000)
    const described = await ask(describeGroupsHandler, 6, { groups: ['g'] })
    expect(described.groups.map(({ errorCode }) => errorName(errorCode))).toEqual(['COORDINATOR_NOT_AVAILABLE'])
    world.isCountedIn = true
    expect(await offsetsRead()).toEqual([[42]])
  })

  test('what confirms a read is nothing to the next coordinator', async () => {
    const { world, ask, replicas, scheduler, groups } = await setUp()
    world.isCountedIn = false
    expect((await ask(offsetFetchHandler, 7, { groupId: 'nobody', topics: [] })).errorCode).toBe(0)
    replicas.resign(0, 2)
    replicas.elect(0, 3)
    await scheduler.advance(10)
    expect([...groups.groups()]).toEqual([])
  })

  test('transactional offsets are unstable until the marker, and dropped by an abort', async () => {
    const world = await setUp()
    const commit = (producerId: number, offset: number) =>
      world.groups.commitTransactionalOffsets(contextOf(28, 3), {
        groupId: 'g', producerId, producerEpoch: 0, generationId: -1, memberId: '', groupInstanceId: null, topics: [orders([0, offset])],
      })
    const fetch = async (requireStable: boolean) => {
      const answer = await world.ask(offsetFetchHandler, 7, { groupId: 'g', requireStable, topics: [{ name: 'orders', partitionIndexes: [0] }] })
      const { committedOffset, errorCode } = answer.topics[0]!.partitions[0]!
      return errorCode === 0 ? committedOffset : errorName(errorCode)
    }
    const end = async (producerId: number, result: 'commit' | 'abort') => {
      const done = world.groups.completeTransaction({ partition: 0, producerId, producerEpoch: 0, coordinatorEpoch: 0, result })
      await world.scheduler.advance(5)
      expect((await done).errorCode).toBe(0)
    }
    void commit(7, 100)
    await world.scheduler.advance(5)
    expect([await fetch(true), await fetch(false)]).toEqual(['UNSTABLE_OFFSET_COMMIT', -1])
    await end(7, 'commit')
    expect(await fetch(true)).toBe(100)
    void commit(8, 200)
    await world.scheduler.advance(5)
    await end(8, 'abort')
    expect(await fetch(true)).toBe(100)
    void commit(9, 300)
    await world.scheduler.advance(5)
    await world.ask(offsetCommitHandler, 9, commitOf([orders([0, 400])]))
    await end(9, 'commit')
    expect(await fetch(true)).toBe(400)
    expect(world.replicas.requests.map(({ origin }) => origin)).toContain('transaction-marker')
    world.replicas.resign(0, 1)
    world.replicas.elect(0, 9)
    await world.scheduler.advance(10)
    expect(await fetch(true)).toBe(400)
  })

  test('OffsetDelete drops what nobody subscribes to', async () => {
    const world = await setUp()
    const { memberId, generationId } = await member(world)
    const secret = { ...orders([0, 3]), name: 'secret', topicId: SECRET }
    await world.ask(offsetCommitHandler, 9, commitOf([orders([0, 1]), secret], { memberId, generationIdOrMemberEpoch: generationId }))
    const topics = [
      { name: 'orders', partitions: [{ partitionIndex: 0 }] },
      { name: 'secret', partitions: [{ partitionIndex: 0 }, { partitionIndex: 5 }] },
      { name: 'absent', partitions: [{ partitionIndex: 0 }] },
    ]
    expect(codes(await world.ask(offsetDeleteHandler, 0, { groupId: 'g', topics }))).toEqual([
      ['GROUP_SUBSCRIBED_TO_TOPIC'], ['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'], ['UNKNOWN_TOPIC_OR_PARTITION'],
    ])
    const left = await world.ask(offsetFetchHandler, 7, { groupId: 'g', topics: null })
    expect(left.topics.map(({ name }) => name)).toEqual(['orders'])
    expect(errorName((await world.ask(offsetDeleteHandler, 0, { groupId: 'nobody', topics: [] })).errorCode)).toBe('GROUP_ID_NOT_FOUND')
  })
})
