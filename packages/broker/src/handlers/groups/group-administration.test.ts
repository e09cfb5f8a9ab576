/** What administrators and metrics ask of groups. */
import { ErrorCode, errorName } from '@kavka/protocol'
import { deleteGroupsHandler } from './delete-groups.ts'
import { describeGroupsHandler } from './describe-groups.ts'
import { leaveGroupHandler } from './leave-group.ts'
import { listGroupsHandler } from './list-groups.ts'
import { offsetCommitHandler } from './offset-commit.ts'
import { ORDERS, setUp, member, commitOf, orders } from './testing/group-world.ts'

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
