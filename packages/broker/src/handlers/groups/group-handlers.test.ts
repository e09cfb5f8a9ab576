/** Every group and offset API through its handler, in every version. */
import { ApiKey, apis, coordinatorPartitionFor, ErrorCode, errorName } from '@kavka/protocol'
import { GROUP_METADATA_TOPIC } from '../../groups/group-coordinator.ts'
import type { AclOperation, AclResource } from '../../security/authorizer.ts'
import { deleteGroupsHandler } from './delete-groups.ts'
import { describeGroupsHandler } from './describe-groups.ts'
import { findCoordinatorHandler } from './find-coordinator.ts'
import type { ApiHandler } from '../handler.ts'
import { heartbeatHandler } from './heartbeat.ts'
import { initProducerIdHandler } from '../records/init-producer-id.ts'
import { joinGroupHandler } from './join-group.ts'
import { leaveGroupHandler } from './leave-group.ts'
import { listGroupsHandler } from './list-groups.ts'
import { offsetCommitHandler } from './offset-commit.ts'
import { offsetDeleteHandler } from './offset-delete.ts'
import { offsetFetchHandler } from './offset-fetch.ts'
import { syncGroupHandler } from './sync-group.ts'
import { ORDERS, SECRET, imageOf, GROUP_TOPIC, setUp, JOIN, member, commitOf, orders, codes } from './testing/group-world.ts'

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
