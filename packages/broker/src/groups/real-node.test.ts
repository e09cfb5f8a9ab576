/**
 * A group on a real node over sockets and disks: it survives a restart of its coordinator with what was
 * acknowledged.
 */
import { ApiKey, errorName } from '@kavka/protocol'
import type {
  CreateTopicsResponse, FindCoordinatorResponse, HeartbeatResponse, InitProducerIdResponse, JoinGroupResponse, OffsetCommitResponse,
  OffsetFetchResponse, SyncGroupResponse,
} from '@kavka/protocol'
import { KafkaTestClient } from '../testing/kafka-test-client.ts'
import { TestNodes } from '../testing/test-nodes.ts'
import { subscription } from './testing/core-harness.ts'

const cluster = new TestNodes({ 'group.initial.rebalance.delay.ms': '0', 'offsets.topic.num.partitions': '5' })
let client: KafkaTestClient

afterAll(async () => {
  await client?.close()
  await cluster.clear()
}, 20_000)

/** Asks again while the coordinator is made, loads or moves, as clients do. */
async function settled<Response>(ask: () => Promise<Response>, codeOf: (response: Response) => number): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    const response = await ask()
    const retriable = ['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR'].includes(errorName(codeOf(response)))
    if (!retriable || attempt > 200) return response
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

const fetchOffsets = () =>
  settled(
    () => client.ask<OffsetFetchResponse>(ApiKey.OffsetFetch, 8, { groups: [{ groupId: 'g', topics: null }], requireStable: true }),
    (response) => response.groups[0]!.errorCode,
  )

test('join, sync, commit, restart, fetch', async () => {
  await cluster.startAll(1)
  client = await KafkaTestClient.connect(cluster.nodes.get(1)!.port)
  const topics = [{ name: 'orders', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }]
  await client.ask<CreateTopicsResponse>(ApiKey.CreateTopics, 7, { topics, timeoutMs: 5_000 })
  const found = await settled(
    () => client.ask<FindCoordinatorResponse>(ApiKey.FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] }),
    (response) => response.coordinators[0]!.errorCode,
  )
  expect(found.coordinators[0]).toMatchObject({ errorCode: 0, nodeId: 1, port: cluster.nodes.get(1)!.port })

  const join = {
    groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription(['orders']) }],
  }
  const required = await settled(() => client.ask<JoinGroupResponse>(ApiKey.JoinGroup, 9, join), ({ errorCode }) => errorCode)
  expect(errorName(required.errorCode)).toBe('MEMBER_ID_REQUIRED')
  const { memberId } = required
  const joined = await client.ask<JoinGroupResponse>(ApiKey.JoinGroup, 9, { ...join, memberId })
  expect(joined).toMatchObject({ errorCode: 0, generationId: 1, leader: memberId, protocolName: 'range' })
  const assignments = [{ memberId, assignment: Buffer.from('both') }]
  const sync = { groupId: 'g', generationId: 1, memberId, protocolType: 'consumer', protocolName: 'range', assignments }
  const synced = await client.ask<SyncGroupResponse>(ApiKey.SyncGroup, 5, sync)
  expect([synced.errorCode, String(synced.assignment)]).toEqual([0, 'both'])

  const committed = await client.ask<OffsetCommitResponse>(ApiKey.OffsetCommit, 8, {
    groupId: 'g', generationIdOrMemberEpoch: 1, memberId,
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 40, committedMetadata: 'note' }] }],
  })
  expect(committed.topics[0]!.partitions[0]!.errorCode).toBe(0)
  expect((await fetchOffsets()).groups[0]!.topics[0]!.partitions[0]).toMatchObject({ committedOffset: 40, metadata: 'note', errorCode: 0 })

  await client.close()
  await cluster.stop(1)
  await cluster.start(1)
  client = await KafkaTestClient.connect(cluster.nodes.get(1)!.port)
  expect((await fetchOffsets()).groups[0]!.topics[0]!.partitions[0]).toMatchObject({ committedOffset: 40, metadata: 'note', errorCode: 0 })
  const heartbeat = { groupId: 'g', generationId: 1, memberId }
  const beat = await client.ask<HeartbeatResponse>(ApiKey.Heartbeat, 4, heartbeat)
  expect(errorName(beat.errorCode)).toBe('NONE')
  const id = await client.ask<InitProducerIdResponse>(ApiKey.InitProducerId, 4, { transactionalId: null })
  expect(id).toMatchObject({ errorCode: 0, producerEpoch: 0 })
}, 60_000)
