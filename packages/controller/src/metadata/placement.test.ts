import { seededRandom } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import type { PlacementBroker } from './placement.ts'
import { placeReplicas } from './placement.ts'

function broker(id: number, rack: string | null = null, active = true): PlacementBroker {
  return { id: id as NodeId, rack, active }
}

function place(
  brokers: readonly PlacementBroker[],
  partitionCount: number,
  replicationFactor: number,
  seed = 1,
): number[][] {
  const placed = placeReplicas(brokers, { partitionCount, replicationFactor }, seededRandom(seed))
  if (!placed.ok) throw new Error(placed.error)
  return placed.value
}

const sixBrokers = [
  broker(0, 'a'),
  broker(1, 'a'),
  broker(2, 'b'),
  broker(3, 'b'),
  broker(4, 'c'),
  broker(5, 'c'),
]

test.each([1, 2, 3, 4, 5])('leaders are even over racks and brokers, racks are spread (seed %i)', (seed) => {
  const rackOf = (id: number): string | null => sixBrokers[id]!.rack
  const partitions = place(sixBrokers, 60, 3, seed)
  expect(counts(partitions.map(([leader]) => leader!))).toEqual([10, 10, 10, 10, 10, 10])
  expect(counts(partitions.flat())).toEqual([30, 30, 30, 30, 30, 30])
  for (const replicas of partitions) expect(new Set(replicas.map(rackOf)).size).toBe(3)
})

test.each([1, 2, 3])(
  'two racks of two brokers: every broker leads as much as the others (seed %i)',
  (seed) => {
    const brokers = [broker(0, 'a'), broker(1, 'a'), broker(2, 'b'), broker(3, 'b')]
    expect(counts(place(brokers, 16, 2, seed).map(([leader]) => leader!))).toEqual([4, 4, 4, 4])
  },
)

test('the load of a dead leader is shared by several brokers', () => {
  const followers = place(
    [0, 1, 2, 3].map((id) => broker(id)),
    48,
    2,
  )
    .filter(([leader]) => leader === 0)
    .map(([, follower]) => follower!)
  expect(counts(followers)).toEqual([0, 4, 4, 4])
})

test('replicas are distinct, also when there are more of them than racks', () => {
  for (const replicas of place(sixBrokers, 30, 5)) expect(new Set(replicas).size).toBe(5)
})

test('fenced brokers lead nothing and come last in their rack', () => {
  const brokers = [broker(0, 'a'), broker(1, 'a', false), broker(2, 'b', false), broker(3, 'b')]
  const partitions = place(brokers, 20, 2)
  expect(partitions.every((replicas) => replicas.every((id) => id === 0 || id === 3))).toBe(true)
  for (const [leader] of place(brokers, 20, 4)) expect([0, 3]).toContain(leader)
})

test('a rack of fenced brokers still gets followers', () => {
  for (const [leader, follower] of place([broker(0, 'a'), broker(1, 'b', false), broker(2, 'a')], 8, 2)) {
    expect([0, 2]).toContain(leader)
    expect(follower).toBe(1)
  }
})

test('says why there is no room', () => {
  const random = seededRandom(1)
  expect(placeReplicas([broker(0)], { partitionCount: 1, replicationFactor: 2 }, random)).toMatchObject({
    error: expect.stringContaining('only 1 broker(s) are registered') as string,
  })
  expect(
    placeReplicas([broker(0, null, false)], { partitionCount: 1, replicationFactor: 1 }, random),
  ).toMatchObject({
    error: expect.stringContaining('fenced') as string,
  })
})

function counts(ids: readonly number[]): number[] {
  const result = Array.from({ length: Math.max(...ids) + 1 }, () => 0)
  for (const id of ids) result[id]!++
  return result
}
