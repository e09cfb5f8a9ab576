import { allMeasurements } from './measurements/all-measurements.ts'
import { schedule } from './schedule.ts'

const only = (...names: string[]) => allMeasurements.filter(({ name }) => names.includes(name))
const told = (...args: Parameters<typeof schedule>): string[] => schedule(...args).map(({ round, side, nodes, cluster, measurements }) => (
  `${round} ${side} ×${nodes} ${cluster}: ${measurements.map(({ name }) => name).join(' ')}`
))

test('sides take turns; fresh clusters come before warm ones', () => {
  const bothRounds = (lines: (round: number) => string[]): string[] => [1, 2].flatMap(lines)
  expect(told(only('produce', 'failover', 'idle', 'cold-start', 'recovery', 'growth-10'), 2, new Set())).toEqual([
    ...bothRounds((round) => [
      `${round} kafka ×3 fresh: cold-start idle`, `${round} kavka ×3 fresh: cold-start idle`, `${round} kafka-quick-start ×3 fresh: cold-start idle`,
    ]),
    ...bothRounds((round) => [
      `${round} kafka ×3 fresh: failover`, `${round} kavka ×3 fresh: failover`, `${round} kafka ×1 fresh: recovery`, `${round} kavka ×1 fresh: recovery`, `${round} kafka ×3 fresh: growth-10`, `${round} kavka ×3 fresh: growth-10`,
    ]),
    ...bothRounds((round) => [`${round} kafka ×3 kept: produce`, `${round} kavka ×3 kept: produce`]),
  ])
})

test('what was measured is left out, and a cluster that nothing needs', () => {
  expect(told(only('produce', 'consume'), 1, new Set(['1 kafka produce', '1 kavka produce', '1 kavka consume']))).toEqual(['1 kafka ×3 kept: consume'])
})
