import { allMeasurements } from './measurements/all-measurements.ts'
import { schedule } from './schedule.ts'

const only = (...names: string[]) => allMeasurements.filter(({ name }) => names.includes(name))
const told = (...args: Parameters<typeof schedule>): string[] => schedule(...args).map(({ round, side, nodes, measurements }) => (
  `${round} ${side} ×${nodes}: ${measurements.map(({ name }) => name).join(' ')}`
))

test('sides take turns, what shares a cluster comes in the order of its life', () => {
  expect(told(only('produce', 'failover', 'idle', 'cold-start', 'recovery', 'growth-10'), 2, new Set())).toEqual([1, 2].flatMap((round) => [
    `${round} kafka ×3: cold-start idle produce failover`,
    `${round} kavka ×3: cold-start idle produce failover`,
    `${round} kafka-quick-start ×3: cold-start idle`,
    `${round} kafka ×1: recovery`,
    `${round} kavka ×1: recovery`,
    `${round} kafka ×3: growth-10`,
    `${round} kavka ×3: growth-10`,
  ]))
})

test('what was measured is left out, and a cluster that nothing needs', () => {
  expect(told(only('produce', 'consume'), 1, new Set(['1 kafka produce', '1 kavka produce', '1 kavka consume']))).toEqual(['1 kafka ×3: consume'])
})
