import { allNemeses } from './all-nemeses.ts'
import { canOverlap } from './nemesis.ts'
import type { Nemesis } from './nemesis.ts'

const named = (name: string): Nemesis => allNemeses.find((nemesis) => nemesis.name === name)!

test.each([
  ['kill', 'isolate-leader', true],
  ['power-loss-all', 'partition-one-way', true],
  ['kill', 'power-loss', true],
  ['held-frames', 'lossy-link', true],
  ['kill', 'kill', false],
  // Each takes nodes from under the other's hands.
  ['kill-all', 'pause', false],
  // The last good copy must not be out of reach.
  ['wipe-disk', 'kill', false],
  ['metadata-rot', 'isolate-leader', false],
  ['rolling-restart', 'clock', false],
])('%s and %s can overlap: %s', (first, second, expected) => {
  expect(canOverlap(named(first), named(second))).toBe(expected)
  expect(canOverlap(named(second), named(first))).toBe(expected)
})

test('names are unique, and every nemesis of all nodes may take the majority', () => {
  expect(new Set(allNemeses.map(({ name }) => name)).size).toBe(allNemeses.length)
  for (const { target, reach } of allNemeses) if (target === 'all-nodes') expect(reach).toBe('majority')
})
