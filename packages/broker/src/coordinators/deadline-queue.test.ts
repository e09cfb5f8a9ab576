import { seededRandom } from '@kavka/kernel'
import { DeadlineQueue, newDeadline } from './deadline-queue.ts'
import type { Deadline } from './deadline-queue.ts'

function popAll(queue: DeadlineQueue<string>, nowMs: number): string[] {
  const tasks: string[] = []
  for (let task = queue.pop(nowMs); task !== null; task = queue.pop(nowMs)) tasks.push(task)
  return tasks
}

test('a deadline that moves later costs no entry and passes once', () => {
  const queue = new DeadlineQueue<string>()
  const timer = newDeadline('a')
  queue.schedule(timer, 10)
  for (let at = 11; at <= 1_000; at++) queue.schedule(timer, at)
  expect(queue.size).toBe(1)
  expect(popAll(queue, 999)).toEqual([])
  expect(queue.nextMs()).toBe(1_000)
  expect(popAll(queue, 1_000)).toEqual(['a'])
  expect(queue.nextMs()).toBeNull()
})

test('earlier, canceled and set again', () => {
  const queue = new DeadlineQueue<string>()
  const timer = newDeadline('a')
  queue.schedule(timer, 100)
  queue.schedule(timer, 50)
  expect(queue.nextMs()).toBe(50)
  queue.cancel(timer)
  expect(queue.nextMs()).toBeNull()
  queue.schedule(timer, 100)
  expect(popAll(queue, 99)).toEqual([])
  expect(popAll(queue, 100)).toEqual(['a'])
})

test('agrees with a plain list under random use', () => {
  const random = seededRandom(7)
  const queue = new DeadlineQueue<string>()
  const timers: Deadline<string>[] = Array.from({ length: 40 }, (_, index) => newDeadline(String(index)))
  const model = new Map<string, number>()
  for (let now = 0; now < 5_000; now++) {
    const timer = timers[random.below(timers.length)]!
    if (random.below(5) === 0) {
      queue.cancel(timer)
      model.delete(timer.task)
    } else {
      const at = now + 1 + random.below(200)
      queue.schedule(timer, at)
      model.set(timer.task, at)
    }
    const due = [...model].filter(([, at]) => at <= now).map(([task]) => task)
    for (const task of due) model.delete(task)
    expect(popAll(queue, now).toSorted()).toEqual(due.toSorted())
    const earliest = Math.min(...model.values())
    expect(queue.nextMs() ?? Infinity).toBeLessThanOrEqual(earliest)
  }
})
