import { seededRandom } from '@kavka/kernel'
import { VirtualScheduler } from '@kavka/testkit'
import { PurgatoryTimer } from '../requests/purgatory-timer.ts'
import { DeadlineQueue } from './deadline-queue.ts'
import { OffsetWaiters } from './offset-waiters.ts'
import { Purgatory } from './purgatory.ts'

interface Item {
  deadlineSlot: number | null
  readonly at: number
}

describe('deadlines', () => {
  test('expire in order, never early, at most a slot late, whatever was removed', () => {
    const random = seededRandom(1)
    const queue = new DeadlineQueue<Item>()
    const items = Array.from({ length: 500 }, (): Item => ({ deadlineSlot: null, at: random.below(1000) }))
    for (const item of items) queue.add(item, item.at)
    const removed = new Set(items.filter(() => random.below(3) === 0))
    for (const item of removed) queue.remove(item)
    const expired: number[] = []
    for (let now = 0; now <= 1010; now++) {
      for (const item of queue.expire(now)) {
        expect(item.at).toBeLessThanOrEqual(now)
        expect(now - item.at).toBeLessThanOrEqual(5)
        expect(removed.has(item)).toBe(false)
        expired.push(item.at)
      }
    }
    expect(expired.length).toBe(items.length - removed.size)
    expect(queue.size).toBe(0)
    expect(queue.nextDeadlineMs()).toBeNull()
  })

  test('a slot emptied and used again is due again', () => {
    const queue = new DeadlineQueue<Item>()
    const item: Item = { deadlineSlot: null, at: 10 }
    queue.add(item, 10)
    queue.remove(item)
    queue.remove(item)
    queue.add(item, 10)
    expect(queue.nextDeadlineMs()).toBe(10)
    expect(queue.expire(10)).toEqual([item])
  })

  test('nothing waits twice', () => {
    const queue = new DeadlineQueue<Item>()
    const item: Item = { deadlineSlot: null, at: 10 }
    queue.add(item, 10)
    expect(() => queue.add(item, 20)).toThrow('already waiting')
  })
})

describe('waiters of an offset', () => {
  const waiter = (requiredOffset: number) => ({ requiredOffset, isDone: false })

  test('complete in the order of offsets, duplicates of older batches included', () => {
    const waiters = new OffsetWaiters<ReturnType<typeof waiter>>()
    for (const offset of [5, 9, 7, 12, 7]) waiters.add(waiter(offset))
    const done: number[] = []
    waiters.reached(9, ({ requiredOffset }) => done.push(requiredOffset))
    expect(done).toEqual([5, 7, 7, 9])
    expect(waiters.length).toBe(1)
    waiters.drain(({ requiredOffset }) => done.push(requiredOffset))
    expect(done.at(-1)).toBe(12)
    expect(waiters.length).toBe(0)
  })

  test('those answered otherwise are skipped and do not pile up', () => {
    const waiters = new OffsetWaiters<ReturnType<typeof waiter>>()
    for (let at = 0; at < 10_000; at++) waiters.add({ requiredOffset: at, isDone: true })
    expect(waiters.length).toBeLessThan(100)
    waiters.reached(20_000, () => {
      throw new Error('was answered')
    })
  })
})

test('one timer serves all that is parked, and none when nothing is', () => {
  const scheduler = new VirtualScheduler()
  const purgatory = new Purgatory({ parkedMax: 2 })
  const timer = new PurgatoryTimer(purgatory, { scheduler })
  const expired: [string, number][] = []
  const park = (name: string, waitMs: number) => {
    const request = { deadlineSlot: null, expire: () => expired.push([name, scheduler.monotonicMs()]) }
    timer.park(request, waitMs)
    return request
  }
  park('late', 100)
  expect(purgatory.isFull).toBe(false)
  const soon = park('soon', 20)
  expect(purgatory.isFull).toBe(true)
  purgatory.release(soon)
  park('middle', 50)
  scheduler.advanceSync(200)
  expect(expired).toEqual([['middle', 50], ['late', 100]])
  expect(purgatory.timedOutTotal).toBe(2)
  expect(scheduler.runNextSync()).toBe(false)
})
