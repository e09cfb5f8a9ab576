import { seededRandom } from '@kavka/kernel'
import { PERFECT_NETWORK, SimulatedNetwork } from './simulated-network.ts'
import type { NetworkFaults } from './simulated-network.ts'
import { VirtualScheduler } from './virtual-scheduler.ts'

function networkOf(faults: Partial<NetworkFaults>) {
  const scheduler = new VirtualScheduler()
  const arrived: string[] = []
  const network = new SimulatedNetwork<number>(
    { ...PERFECT_NETWORK, ...faults },
    { scheduler, random: seededRandom(1), deliver: (to, from, message) => arrived.push(`${from}>${to}:${message}`) },
  )
  return { scheduler, network, arrived }
}

test('a perfect network delivers all, in order', () => {
  const { scheduler, network, arrived } = networkOf({})
  for (let i = 0; i < 3; i++) network.send(1, 2, i)
  expect(arrived).toEqual([])
  scheduler.advanceSync(1)
  expect(arrived).toEqual(['1>2:0', '1>2:1', '1>2:2'])
})

test('a link keeps its order in spite of varying delays, unless told to reorder', () => {
  const ordered = networkOf({ delayMsMin: 1, delayMsMax: 50 })
  const reordered = networkOf({ delayMsMin: 1, delayMsMax: 50, reorderProbability: 1 })
  const inOrder = Array.from({ length: 50 }, (_, i) => `1>2:${i}`)
  for (const { scheduler, network } of [ordered, reordered]) {
    for (let i = 0; i < 50; i++) network.send(1, 2, i)
    scheduler.advanceSync(1000)
  }
  expect(ordered.arrived).toEqual(inOrder)
  expect(reordered.arrived).not.toEqual(inOrder)
  expect(reordered.arrived.toSorted()).toEqual(inOrder.toSorted())
})

test('drops and duplicates at about the rate asked for', () => {
  const { scheduler, network, arrived } = networkOf({ dropProbability: 0.3, duplicateProbability: 0.2 })
  for (let i = 0; i < 2000; i++) network.send(1, 2, i)
  scheduler.advanceSync(1000)
  const distinct = new Set(arrived).size
  expect(distinct).toBeGreaterThan(1300)
  expect(distinct).toBeLessThan(1500)
  expect(arrived.length - distinct).toBeGreaterThan(200)
  expect(network.counts).toEqual({ sent: 2000, lost: 2000 - distinct })
})

test('blocks one direction, also for what is on its way', () => {
  const { scheduler, network, arrived } = networkOf({})
  network.send(1, 2, 0)
  network.block(1, 2)
  network.send(1, 2, 1)
  network.send(2, 1, 2)
  scheduler.advanceSync(1)
  expect(arrived).toEqual(['2>1:2'])
  network.unblock(1, 2)
  network.send(1, 2, 3)
  scheduler.advanceSync(1)
  expect(arrived).toEqual(['2>1:2', '1>2:3'])
})

test('a partition separates groups and isolates the rest until healed', () => {
  const { network } = networkOf({})
  network.partition([1, 2, 3, 4], [[1, 2], [3]])
  const open = (): string[] =>
    [1, 2, 3, 4].flatMap((a) => [1, 2, 3, 4].filter((b) => a !== b && !network.isBlocked(a, b)).map((b) => `${a}${b}`))
  expect(open()).toEqual(['12', '21'])
  network.heal()
  expect(open()).toHaveLength(12)
})
