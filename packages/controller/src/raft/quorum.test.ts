import type { NodeId, Offset } from '@kavka/protocol'
import { VoterSet } from './quorum.ts'

const ids = (...values: number[]): NodeId[] => values as NodeId[]

test.each([
  [1, 1], [2, 2], [3, 2], [4, 3], [5, 3], [7, 4],
])('of %i voters %i are a majority', (count, majority) => {
  const voters = new VoterSet(ids(...Array.from({ length: count }, (_, i) => i)))
  expect(voters.majority).toBe(majority)
  expect(voters.isMajority(new Set(voters.ids.slice(0, majority)))).toBe(true)
  expect(voters.isMajority(new Set(voters.ids.slice(0, majority - 1)))).toBe(false)
  expect(voters.isBlocked(new Set(voters.ids.slice(0, count - majority + 1)))).toBe(true)
  expect(voters.isBlocked(new Set(voters.ids.slice(0, count - majority)))).toBe(false)
})

test('strangers do not count', () => {
  const voters = new VoterSet(ids(1, 2, 3))
  expect(voters.isMajority(new Set(ids(1, 8, 9)))).toBe(false)
  expect(voters.has(8 as NodeId)).toBe(false)
  expect(voters.others(2 as NodeId)).toEqual([1, 3])
  expect([voters.isOnly(1 as NodeId), new VoterSet(ids(1)).isOnly(1 as NodeId)]).toEqual([false, true])
})

test.each([
  [[5], 5], [[5, 3], 3], [[9, 5, 3], 5], [[0, 0, 9], 0], [[4, 4, 1, 9], 4], [[1, 2, 3, 4, 5], 3],
])('of end offsets %j a majority has reached %i', (offsets, reached) => {
  const voters = new VoterSet(ids(...offsets.map((_, i) => i)))
  expect(voters.majorityEndOffset((id) => offsets[id] as Offset)).toBe(reached)
})
