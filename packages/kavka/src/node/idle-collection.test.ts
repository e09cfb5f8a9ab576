import { VirtualScheduler } from '@kavka/testkit'
import { collectFully, collectWhenIdle, sinceLastCall } from './idle-collection.ts'

const MEBIBYTE = 1024 * 1024

function idling() {
  const scheduler = new VirtualScheduler()
  const node = { utilization: 0.01, usedBytes: 30 * MEBIBYTE, liveBytes: 20 * MEBIBYTE, collections: 0 }
  collectWhenIdle({
    scheduler,
    utilization: () => node.utilization,
    usedBytes: () => node.usedBytes,
    collect: () => {
      node.collections++
      node.usedBytes = node.liveBytes
    },
  })
  return { scheduler, node }
}

test('what the start left is collected at the first quiet moment, and nothing again while nothing grows', () => {
  const { scheduler, node } = idling()
  node.utilization = 0.5
  scheduler.advanceSync(10_000)
  expect(node.collections).toBe(0)
  node.utilization = 0.01
  scheduler.advanceSync(600_000)
  expect(node.collections).toBe(1)
})

test('what a burst left is collected when it is over', () => {
  const { scheduler, node } = idling()
  scheduler.advanceSync(120_000)
  node.utilization = 0.9
  node.usedBytes += 80 * MEBIBYTE
  scheduler.advanceSync(60_000)
  expect(node.collections).toBe(1)
  node.utilization = 0.02
  scheduler.advanceSync(1_000)
  expect(node.collections).toBe(2)
})

test('a node that does a little is not collected more than once a minute', () => {
  const { scheduler, node } = idling()
  for (let second = 0; second < 600; second++) {
    node.usedBytes += 10 * MEBIBYTE
    scheduler.advanceSync(1_000)
  }
  expect(node.collections).toBeLessThanOrEqual(10)
  expect(node.collections).toBeGreaterThanOrEqual(9)
})

test("V8's own collections count", () => {
  const { scheduler, node } = idling()
  scheduler.advanceSync(120_000)
  node.usedBytes = 10 * MEBIBYTE
  scheduler.advanceSync(120_000)
  node.usedBytes = 27 * MEBIBYTE
  scheduler.advanceSync(120_000)
  expect(node.collections).toBe(2)
})

test('collects this process', () => {
  const garbage = new WeakRef({ of: 'this test' })
  const busy = sinceLastCall()
  return new Promise<void>((resolve) => {
    setImmediate(() => {
      collectFully()
      expect(garbage.deref()).toBeUndefined()
      expect(busy()).toBeGreaterThan(0)
      resolve()
    })
  })
})
