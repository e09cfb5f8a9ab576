import { simulate } from '../simulate.ts'
import { playSeeds } from './seed-pool.ts'

test('seeds played by several processes are the runs that one process makes of them', async () => {
  const hashes = new Map<number, number>()
  await playSeeds({ workers: 2, from: 1, seedsMax: 3, seconds: Infinity }, {
    played: ({ seed, hash }) => hashes.set(seed, hash),
    lost: (seed, problem) => {
      throw new Error(`seed ${seed}: ${problem}`)
    },
  })
  expect([...hashes.keys()].toSorted()).toEqual([1, 2, 3])
  expect(hashes.get(2)).toBe((await simulate({ seed: 2 })).hash)
}, 60_000)
