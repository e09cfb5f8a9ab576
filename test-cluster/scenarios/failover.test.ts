import { killBrokers } from './kill-brokers.ts'

// The long run is `npm run scenario:kill`: fifty kills and the distribution of what each cost.
test('nothing acknowledged is lost, doubled or reordered while random nodes are killed', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
  const { verdict } = await killBrokers({ kills: 4, seed })
  expect({ seed, lost: verdict.lost, duplicated: verdict.duplicated, reordered: verdict.reordered }).toEqual({ seed, lost: 0, duplicated: 0, reordered: 0 })
  expect(verdict.acknowledged).toBeGreaterThan(100)
}, 240_000)
