/** Every group and offset API through its handler, to a coordinator over a log in memory; answers encoded in every version. */
import { silentLogger, seededRandom } from '@kavka/kernel'
import { emptyImage } from '@kavka/controller'
import type { MetadataImage, PartitionRegistration, TopicImage } from '@kavka/controller'
import { ApiKey, apis, coordinatorPartitionFor, ErrorCode, errorName, Writer, ZERO_UUID } from '@kavka/protocol'
import type { LeaderEpoch, MessageCodec, NodeId, PartitionEpoch, Uuid } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import { ScriptedReplicas } from '../coordinators/test-support/scripted-replicas.ts'
import { GROUP_METADATA_TOPIC, LogBackedGroupCoordinator } from '../groups/group-coordinator.ts'
import { defaultGroupOptions } from '../groups/group-options.ts'
import { subscription } from '../groups/test-support/core-harness.ts'
import type { AclOperation, AclResource } from '../security/authorizer.ts'
import { deleteGroupsHandler } from './delete-groups.ts'
import { describeGroupsHandler } from './describe-groups.ts'
import { findCoordinatorHandler } from './find-coordinator.ts'
import type { ApiHandler, RequestContext } from './handler.ts'
import { ANONYMOUS } from './handler.ts'
import { heartbeatHandler } from './heartbeat.ts'
import { initProducerIdHandler } from './init-producer-id.ts'
import { joinGroupHandler } from './join-group.ts'
import { leaveGroupHandler } from './leave-group.ts'
import { listGroupsHandler } from './list-groups.ts'
import { offsetCommitHandler } from './offset-commit.ts'
import { offsetDeleteHandler } from './offset-delete.ts'
import { offsetFetchHandler } from './offset-fetch.ts'
import { syncGroupHandler } from './sync-group.ts'

const ORDERS = 'iJ0hhef6ROGLWYRK633lsg' as Uuid
const SECRET = '4DU8j8PfR-68nAgze_nQvg' as Uuid
const UNKNOWN_ID = 'HLhevujsR9mlAaOGr-wVyg' as Uuid

function topic(name: string, id: Uuid, count: number): TopicImage {
  const partitions = Array.from({ length: count }, (_, partition): PartitionRegistration => ({
    partition, replicas: [1 as NodeId], directories: [ZERO_UUID], isr: [1 as NodeId], elr: [], lastKnownElr: [], addingReplicas: [], removingReplicas: [],
    leader: 1 as NodeId, leaderRecovery: 'recovered', leaderEpoch: 0 as LeaderEpoch, partitionEpoch: 0 as PartitionEpoch,
  }))
  return { id, name, partitions }
}

function imageOf(...topics: TopicImage[]): MetadataImage {
  return {
    ...emptyImage,
    brokers: new Map([[1 as NodeId, {
      id: 1 as NodeId, epoch: 1 as never, incarnationId: ZERO_UUID, rack: null, features: new Map(), logDirs: [], fenced: false,
      inControlledShutdown: false, endpoints: [{ listener: 'PLAINTEXT', host: 'kavka-1', port: 9092, securityProtocol: 'PLAINTEXT' }],
    }]]),
    topics: { byId: new Map(topics.map((t) => [t.id, t])), byName: new Map(topics.map((t) => [t.name, t])) },
  }
}

const GROUP_TOPIC = topic(GROUP_METADATA_TOPIC, 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid, 1)

async function setUp(options: { deny?: (operation: AclOperation, resource: AclResource) => boolean } = {}) {
  const scheduler = new VirtualScheduler()
  const replicas = new ScriptedReplicas(GROUP_METADATA_TOPIC)
  const world = { image: imageOf(GROUP_TOPIC, topic('orders', ORDERS, 2), topic('secret', SECRET, 1)), isCountedIn: true }
  const groups = new LogBackedGroupCoordinator(
    { ...defaultGroupOptions, groupInitialRebalanceDelayMs: 0, offsetsTopicNumPartitions: 50, offsetsCommitTimeoutMs: 5_000, offsetsLoadBufferSize: 1_000_000 },
    {
      replicas: replicas.asReplicaManager, scheduler, random: seededRandom(1), logger: silentLogger, image: () => world.image,
      isCountedIn: () => world.isCountedIn,
    },
  )
  replicas.elect(0, 1)
  await scheduler.advance(10)
  const created: string[] = []
  const services = {
    groups,
    authorizer: { authorize: (_context: RequestContext, operation: AclOperation, resource: AclResource) => !(options.deny?.(operation, resource) ?? false) },
    image: () => world.image,
    topicCreation: { start: (names: readonly string[]) => void created.push(...names) },
    producerIds: { next: async () => ({ ok: true, value: 4711 }) as const },
  }
  /** Asks in a version and encodes the answer in it, as the wire would. */
  async function ask<Request, Response>(
    handler: ApiHandler<Request, Response, typeof services>,
    apiVersion: number,
    request: Record<string, unknown>,
  ): Promise<Response> {
    const api = apis.get(handler.apiKey)!
    const defaults = (api.requestCodec as MessageCodec<unknown>).defaults() as object
    const result = handler.handle({ ...defaults, ...request } as Request, contextOf(handler.apiKey, apiVersion), services)
    let settled: Awaited<typeof result> | null = null
    void Promise.resolve(result).then((value) => (settled = value))
    await scheduler.runUntil(() => settled !== null)
    const answered = settled as Awaited<typeof result> | null
    if (answered?.kind !== 'response') throw new Error('not answered')
    ;(api.responseCodec as MessageCodec<object>).encode(new Writer(), answered.body as object, apiVersion)
    return answered.body as Response
  }
  return { scheduler, replicas, groups, services, ask, created, world }
}

function contextOf(apiKey: number, apiVersion: number): RequestContext {
  return {
    apiKey, apiVersion, correlationId: 1, clientId: 'test', listener: 'PLAINTEXT', listenerRole: 'broker', securityProtocol: 'PLAINTEXT',
    principal: ANONYMOUS, connectionId: 'c', clientHost: '/127.0.0.1',
  }
}

const JOIN = {
  groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: subscription(['orders']) }],
}

/** A stable group of one. */
async function member(world: Awaited<ReturnType<typeof setUp>>, version = 9) {
  const joined = await world.ask(joinGroupHandler, 3, JOIN)
  expect(joined.errorCode).toBe(0)
  const assignments = [{ memberId: joined.memberId, assignment: Buffer.from('all') }]
  const synced = await world.ask(syncGroupHandler, 3, { groupId: 'g', memberId: joined.memberId, generationId: joined.generationId, assignments })
  expect([synced.errorCode, String(synced.assignment)]).toEqual([0, 'all'])
  return { memberId: joined.memberId, generationId: joined.generationId, version }
}

const commitOf = (topics: unknown[], extra: Record<string, unknown> = {}) => ({ groupId: 'g', topics, ...extra })
const orders = (...partitions: [number, number, string?][]) => ({
  name: 'orders', topicId: ORDERS,
  partitions: partitions.map(([partitionIndex, committedOffset, committedMetadata]) => ({
    partitionIndex, committedOffset, committedLeaderEpoch: -1, committedMetadata: committedMetadata ?? '',
  })),
})
const codes = (response: { topics: readonly { partitions: readonly { errorCode: number }[] }[] }) =>
  response.topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorName(errorCode)))

describe('every version is answered in its own form', () => {
  test.each([
    ['JoinGroup', joinGroupHandler], ['SyncGroup', syncGroupHandler], ['Heartbeat', heartbeatHandler], ['LeaveGroup', leaveGroupHandler],
    ['OffsetCommit', offsetCommitHandler], ['OffsetFetch', offsetFetchHandler], ['OffsetDelete', offsetDeleteHandler],
    ['ListGroups', listGroupsHandler], ['DescribeGroups', describeGroupsHandler], ['DeleteGroups', deleteGroupsHandler],
    ['FindCoordinator', findCoordinatorHandler], ['InitProducerId', initProducerIdHandler],
  ] as const)('%s', async (name, handler) => {
    const world = await setUp()
    const { memberId, generationId } = await member(world)
    const request = {
      ...JOIN, memberId, generationId, generationIdOrMemberEpoch: generationId, memberEpoch: -1, key: 'g', coordinatorKeys: ['g'],
      members: [{ memberId, groupInstanceId: null, reason: null }], assignments: [], groupsNames: ['nobody'], groups: ['g'],
      protocolName: 'range', transactionalId: null,
      topics: name === 'OffsetCommit' ? [orders([0, 5])] : [{ name: 'orders', topicId: ORDERS, partitionIndexes: [0], partitions: [{ partitionIndex: 0 }] }],
    }
    const offsetFetchGroups = { groups: [{ groupId: 'g', memberId: null, memberEpoch: -1, topics: [{ name: 'orders', topicId: ORDERS, partitionIndexes: [0] }] }] }
    const [min, max] = handler.versions
    expect(handler.apiKey).toBe(ApiKey[name])
    const known = apis.get(handler.apiKey)!.versions
    expect([min, max]).toEqual(name === 'InitProducerId' ? [0, 5] : known)
    for (let version = min; version <= max; version++) {
      const body = name === 'OffsetFetch' ? { ...request, ...offsetFetchGroups } : request
      await world.ask(handler as unknown as ApiHandler<unknown, unknown, typeof world.services>, version, body)
    }
  })
})

describe('permissions', () => {
  const noGroups = { deny: (_operation: AclOperation, { type }: AclResource) => type === 'Group' }
  test.each([
    ['JoinGroup', joinGroupHandler, 9, {}], ['SyncGroup', syncGroupHandler, 4, {}], ['Heartbeat', heartbeatHandler, 4, {}],
    ['LeaveGroup', leaveGroupHandler, 5, {}], ['OffsetDelete', offsetDeleteHandler, 0, {}], ['OffsetFetch', offsetFetchHandler, 7, { topics: [] }],
  ] as const)('%s needs the group', async (_name, handler, version, extra) => {
    const world = await setUp(noGroups)
    const answer = (await world.ask(handler as unknown as ApiHandler<unknown, { errorCode: number }, typeof world.services>, version, { groupId: 'g', ...extra }))
    expect(errorName(answer.errorCode)).toBe('GROUP_AUTHORIZATION_FAILED')
  })

  test('APIs about several things refuse one by one', async () => {
    const world = await setUp({ deny: (_operation, { name }) => name === 'secret' || name === 'hidden' || name === 'kafka-cluster' })
    const { memberId, generationId } = await member(world)
    const secret = { ...orders([0, 1]), name: 'secret', topicId: SECRET }
    const request = commitOf([secret, orders([0, 7])], { memberId, generationIdOrMemberEpoch: generationId })
    expect(codes(await world.ask(offsetCommitHandler, 9, request))).toEqual([['TOPIC_AUTHORIZATION_FAILED'], ['NONE']])
    const fetched = await world.ask(offsetFetchHandler, 7, {
      groupId: 'g', topics: [{ name: 'secret', partitionIndexes: [0] }, { name: 'orders', partitionIndexes: [0] }],
    })
    expect(codes(fetched)).toEqual([['TOPIC_AUTHORIZATION_FAILED'], ['NONE']])
    const deleted = await world.ask(deleteGroupsHandler, 2, { groupsNames: ['hidden', 'nobody'] })
    expect(deleted.results.map(({ errorCode }) => errorName(errorCode))).toEqual(['GROUP_AUTHORIZATION_FAILED', 'GROUP_ID_NOT_FOUND'])
    const described = await world.ask(describeGroupsHandler, 6, { groups: ['hidden', 'g'] })
    expect(described.groups.map(({ errorCode }) => errorName(errorCode))).toEqual(['GROUP_AUTHORIZATION_FAILED', 'NONE'])
    const init = await world.ask(initProducerIdHandler, 4, { transactionalId: null })
    expect(init.errorCode).toBe(0)
  })

  test('an idempotent producer needs to be allowed to write something', async () => {
    const world = await setUp({ deny: () => true })
    const answer = await world.ask(initProducerIdHandler, 4, { transactionalId: null })
    expect(errorName(answer.errorCode)).toBe('CLUSTER_AUTHORIZATION_FAILED')
  })
})

describe('FindCoordinator', () => {
  test('the leader of the group\'s partition on the listener of the request', async () => {
    const { ask } = await setUp()
    const expected = { nodeId: 1, host: 'kavka-1', port: 9092, errorCode: 0 }
    expect(await ask(findCoordinatorHandler, 2, { key: 'g' })).toMatchObject(expected)
    const several = await ask(findCoordinatorHandler, 4, { coordinatorKeys: ['g', 'h'] })
    expect(several.coordinators).toMatchObject([{ key: 'g', ...expected }, { key: 'h', ...expected }])
  })

  test('a missing topic is created, a missing leader waited for', async () => {
    const world = await setUp()
    world.world.image = imageOf()
    const { errorCode } = await world.ask(findCoordinatorHandler, 0, { key: 'g' })
    expect(errorName(errorCode)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(world.created).toEqual([GROUP_METADATA_TOPIC])
    expect(world.groups.partitionOf('g')).toBe(coordinatorPartitionFor('g', 50))
    const leaderless = { ...GROUP_TOPIC, partitions: [{ ...GROUP_TOPIC.partitions[0]!, leader: null }] }
    world.world.image = imageOf(leaderless)
    expect((await world.ask(findCoordinatorHandler, 0, { key: 'g' })).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  })

  test('transactions and share groups are not served, and unknown types are an error', async () => {
    const { ask } = await setUp()
    const transaction = await ask(findCoordinatorHandler, 2, { key: 't', keyType: 1 })
    expect([errorName(transaction.errorCode), transaction.errorMessage]).toEqual(['UNSUPPORTED_VERSION', expect.stringContaining('transactions')])
    expect((await ask(findCoordinatorHandler, 6, { coordinatorKeys: ['s'], keyType: 2 })).coordinators[0]!.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
    expect((await ask(findCoordinatorHandler, 5, { coordinatorKeys: ['s'], keyType: 2 })).coordinators[0]!.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect((await ask(findCoordinatorHandler, 5, { coordinatorKeys: ['s'], keyType: 9 })).coordinators[0]!.errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })
})

describe('membership', () => {
  test('checks that need no state', async () => {
    const { ask } = await setUp()
    const join = async (extra: object) => errorName((await ask(joinGroupHandler, 9, { ...JOIN, ...extra })).errorCode)
    expect(await join({ groupId: '' })).toBe('INVALID_GROUP_ID')
    expect(await join({ sessionTimeoutMs: 5_999 })).toBe('INVALID_SESSION_TIMEOUT')
    expect(await join({ sessionTimeoutMs: 1_800_001 })).toBe('INVALID_SESSION_TIMEOUT')
    expect(errorName((await ask(syncGroupHandler, 5, { groupId: 'g', protocolType: 'consumer' })).errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL')
    for (const [handler, version] of [[syncGroupHandler, 4], [heartbeatHandler, 4], [leaveGroupHandler, 5], [offsetDeleteHandler, 0]] as const) {
      const answer = await ask(handler as unknown as ApiHandler<unknown, { errorCode: number }, never>, version, { groupId: '' })
      expect(errorName(answer.errorCode)).toBe('INVALID_GROUP_ID')
    }
  })

  test('a client without member ids of its own joins from v0, and leaves with one code', async () => {
    const world = await setUp()
    const joined = await world.ask(joinGroupHandler, 0, { ...JOIN, rebalanceTimeoutMs: -1 })
    expect(joined).toMatchObject({ errorCode: 0, generationId: 1, protocolName: 'range', leader: joined.memberId })
    expect(await world.ask(leaveGroupHandler, 1, { groupId: 'g', memberId: 'other' })).toEqual({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID })
    expect(await world.ask(leaveGroupHandler, 1, { groupId: 'g', memberId: joined.memberId })).toEqual({ errorCode: 0 })
    expect(await world.ask(leaveGroupHandler, 2, { groupId: 'absent', memberId: 'x' })).toEqual({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID })
  })

  test('MEMBER_ID_REQUIRED from v4 on; an error has an empty protocol below v7 and null above', async () => {
    const { ask } = await setUp()
    const first = await ask(joinGroupHandler, 4, JOIN)
    expect(first).toMatchObject({ errorCode: ErrorCode.MEMBER_ID_REQUIRED, protocolName: '', memberId: expect.stringMatching(/^test-[0-9a-f-]{36}$/) })
    expect(await ask(joinGroupHandler, 7, JOIN)).toMatchObject({ protocolName: null })
  })

  test('while the coordinator loads everything waits, but a heartbeat is answered as if all were well', async () => {
    const world = await setUp()
    world.replicas.resign(0, 2)
    expect(errorName((await world.ask(heartbeatHandler, 4, { groupId: 'g' })).errorCode)).toBe('NOT_COORDINATOR')
    world.replicas.highWatermark = -1
    world.replicas.elect(0, 3)
    expect(errorName((await world.ask(heartbeatHandler, 4, { groupId: 'g' })).errorCode)).toBe('NONE')
    expect(errorName((await world.ask(joinGroupHandler, 9, JOIN)).errorCode)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    expect(errorName((await world.ask(listGroupsHandler, 5, {})).errorCode)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    expect(errorName((await world.ask(offsetFetchHandler, 7, { groupId: 'g', topics: null })).errorCode)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    expect(codes(await world.ask(offsetFetchHandler, 1, { groupId: 'g', topics: [{ name: 'orders', partitionIndexes: [0] }] }))).toEqual([['COORDINATOR_LOAD_IN_PROGRESS']])
    expect(codes(await world.ask(offsetCommitHandler, 9, commitOf([orders([0, 1])])))).toEqual([['COORDINATOR_LOAD_IN_PROGRESS']])
  })
})

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

describe('administration', () => {
  test('groups are listed by state and type', async () => {
    const world = await setUp()
    await member(world)
    await world.ask(offsetCommitHandler, 9, { ...commitOf([orders([0, 1])]), groupId: 'simple' })
    const list = async (filter: Record<string, unknown>) => (await world.ask(listGroupsHandler, 5, filter)).groups.map(({ groupId }) => groupId)
    expect(await list({})).toEqual(['g', 'simple'])
    expect(await list({ statesFilter: ['stable'] })).toEqual(['g'])
    expect(await list({ statesFilter: ['Empty', 'Dead'] })).toEqual(['simple'])
    expect(await list({ typesFilter: ['Classic'] })).toEqual(['g', 'simple'])
    expect(await list({ typesFilter: ['consumer'] })).toEqual([])
    expect((await world.ask(listGroupsHandler, 5, {})).groups[0]).toEqual({ groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' })
  })

  test('a group is described; one that is not there is Dead below v6 and an error from then on', async () => {
    const world = await setUp()
    const { memberId } = await member(world)
    const described = await world.ask(describeGroupsHandler, 6, { groups: ['g', 'nobody'], includeAuthorizedOperations: true })
    expect(described.groups[0]).toMatchObject({
      errorCode: 0, groupState: 'Stable', protocolType: 'consumer', protocolData: 'range', authorizedOperations: (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11),
      members: [{ memberId, clientId: 'test', clientHost: '/127.0.0.1', memberAssignment: Buffer.from('all') }],
    })
    expect(described.groups[1]).toMatchObject({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: 'Group nobody not found.', groupState: 'Dead' })
    const old = await world.ask(describeGroupsHandler, 5, { groups: ['nobody'] })
    expect(old.groups[0]).toMatchObject({ errorCode: 0, groupState: 'Dead', members: [] })
  })

  test('only an empty group is deleted, with all it has committed, also for the next coordinator', async () => {
    const world = await setUp()
    const { memberId, generationId } = await member(world)
    await world.ask(offsetCommitHandler, 9, commitOf([orders([0, 1], [1, 2])], { memberId, generationIdOrMemberEpoch: generationId }))
    const remove = async () => errorName((await world.ask(deleteGroupsHandler, 2, { groupsNames: ['g', 'g'] })).results[0]!.errorCode)
    expect(await remove()).toBe('NON_EMPTY_GROUP')
    await world.ask(leaveGroupHandler, 5, { groupId: 'g', members: [{ memberId, groupInstanceId: null, reason: null }] })
    world.replicas.next = ErrorCode.NOT_ENOUGH_REPLICAS
    expect(await remove()).toBe('COORDINATOR_NOT_AVAILABLE')
    world.replicas.next = 'commit'
    expect(await remove()).toBe('NONE')
    expect(await remove()).toBe('GROUP_ID_NOT_FOUND')
    world.replicas.resign(0, 1)
    world.replicas.elect(0, 9)
    await world.scheduler.advance(10)
    expect([...world.groups.groups()]).toEqual([])
  })

  test('metrics see groups with their committed offsets', async () => {
    const world = await setUp()
    const { memberId, generationId } = await member(world)
    await world.ask(offsetCommitHandler, 9, commitOf([orders([0, 42, 'note'])], { memberId, generationIdOrMemberEpoch: generationId }))
    const views = [...world.groups.groups()].map((view) => ({ ...view, offsets: [...view.offsets] }))
    expect(views).toMatchObject([{
      groupId: 'g', state: 'Stable', protocolType: 'consumer', generationId: 1, memberCount: 1,
      offsets: [{ topic: 'orders', topicId: ORDERS, partition: 0, committedOffset: 42, metadata: 'note' }],
    }])
  })
})

describe('InitProducerId', () => {
  test('an id with epoch 0; transactions are refused for good', async () => {
    const { ask } = await setUp()
    expect(await ask(initProducerIdHandler, 4, { transactionalId: null })).toEqual({ errorCode: 0, producerId: 4711, producerEpoch: 0 })
    const refused = async (extra: Record<string, unknown>) => errorName((await ask(initProducerIdHandler, 4, extra)).errorCode)
    expect(await refused({ transactionalId: 'tx' })).toBe('UNSUPPORTED_VERSION')
    expect(await refused({ transactionalId: '' })).toBe('INVALID_REQUEST')
    expect(await refused({ transactionalId: null, producerId: 5 })).toBe('INVALID_REQUEST')
  })
})
