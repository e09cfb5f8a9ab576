import { createMetrics } from '@kavka/kernel'
import { ZERO_UUID } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { emptyImage } from '@kavka/controller'
import type { MetadataImage, TopicImage } from '@kavka/controller'
import { VirtualScheduler } from '@kavka/testkit'
import type { GroupView } from '../groups/group-coordinator-api.ts'
import { registerGroupMetrics } from './group-metrics.ts'
import { RemoteEndOffsets } from './remote-end-offsets.ts'

function offsetOf(topic: string, partition: number, committedOffset: number) {
  return { topic, topicId: ZERO_UUID, partition, committedOffset, committedLeaderEpoch: 0, metadata: '', commitTimestampMs: 0 }
}

const group: GroupView = {
  groupId: 'billing', state: 'Stable', protocolType: 'consumer', generationId: 1, memberCount: 2,
  offsets: [offsetOf('orders', 0, 7), offsetOf('orders', 1, 30), offsetOf('orders', 2, 5)],
}

test('lag is never negative, unknown ends are left out, sums are of what is known', async () => {
  const metrics = createMetrics()
  const ends = new Map([[0, 10], [1, 20]])
  registerGroupMetrics(metrics, { groups: () => [group], endOffset: ({ partition }) => ends.get(partition) ?? null })
  const text = await metrics.text()
  expect(text).toContain('kafka_consumergroup_lag{consumergroup="billing",topic="orders",partition="0"} 3')
  expect(text).toContain('kafka_consumergroup_lag{consumergroup="billing",topic="orders",partition="1"} 0')
  expect(text).not.toContain('kafka_consumergroup_lag{consumergroup="billing",topic="orders",partition="2"}')
  expect(text).toContain('kafka_consumergroup_current_offset{consumergroup="billing",topic="orders",partition="2"} 5')
  expect(text).toContain('kafka_consumergroup_lag_sum{consumergroup="billing",topic="orders"} 3')
  expect(text).toContain('kafka_consumergroup_members{consumergroup="billing"} 2')
  expect(text).toContain('kafka_coordinator_group_groupmetadatamanager_numgroupsstable 1')
})

test('the leaders elsewhere are asked once in five seconds, for all their partitions together', async () => {
  const scheduler = new VirtualScheduler()
  const asked: string[] = []
  const client = {
    latestOffsets: (address: { port: number }, partitions: readonly { topic: string; partition: number }[]) => {
      asked.push(`${address.port}: ${partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(' ')}`)
      return Promise.resolve(partitions.map((one) => ({ ...one, errorCode: 0, offset: 100 + one.partition })))
    },
  }
  const remote = new RemoteEndOffsets({ nodeId: 1 as NodeId, interBrokerListener: 'INTERNAL' }, { clock: scheduler, client, image: () => image })
  const wanted = [0, 1, 2, 1].map((partition) => ({ topic: 'orders', partition }))
  await remote.refresh(wanted)
  await remote.refresh(wanted)
  expect(asked).toEqual(['9002: orders-1 orders-2'])
  expect([0, 1, 2].map((partition) => remote.get({ topic: 'orders', partition }))).toEqual([null, 101, 102])
  await scheduler.advance(5_000)
  await remote.refresh(wanted)
  expect(asked).toHaveLength(2)
})

/** Partition 0 is led here, the others by broker 2. */
const image: MetadataImage = {
  ...emptyImage,
  brokers: new Map([[2 as NodeId, { id: 2, fenced: false, rack: null, endpoints: [{ listener: 'INTERNAL', host: 'b', port: 9002 }] } as never]]),
  topics: {
    byId: new Map(),
    byName: new Map([['orders', { partitions: [{ leader: 1 }, { leader: 2 }, { leader: 2 }] } as unknown as TopicImage]]),
  },
}
