import { every, sleep } from '@kavka/kernel'
import { VirtualScheduler } from './virtual-scheduler.ts'

test('tasks run in the order of their time, then of their scheduling, never inside the call', () => {
  const scheduler = new VirtualScheduler()
  const ran: string[] = []
  scheduler.after(5, () => ran.push(`c@${scheduler.monotonicMs()}`))
  scheduler.after(1, () => ran.push(`a@${scheduler.monotonicMs()}`))
  scheduler.after(1, () => ran.push(`b@${scheduler.monotonicMs()}`))
  scheduler.soon(() => ran.push('soon'))
  expect(ran).toEqual([])
  scheduler.advanceSync(4)
  expect(ran).toEqual(['soon', 'a@1', 'b@1'])
  expect(scheduler.monotonicMs()).toBe(4)
  expect(scheduler.runNextSync()).toBe(true)
  expect(ran.at(-1)).toBe('c@5')
  expect(scheduler.runNextSync()).toBe(false)
})

test('many tasks come out sorted', () => {
  const scheduler = new VirtualScheduler()
  const ran: number[] = []
  for (let i = 0; i < 500; i++) scheduler.after((i * 7919) % 503, () => ran.push(scheduler.monotonicMs()))
  while (scheduler.runNextSync());
  expect(ran).toHaveLength(500)
  expect(ran).toEqual(ran.toSorted((a, b) => a - b))
})

test('a canceled task does not run', () => {
  const scheduler = new VirtualScheduler()
  let runs = 0
  scheduler.after(1, () => runs++).cancel()
  const repeated = every(scheduler, 10, () => runs++)
  scheduler.advanceSync(35)
  repeated.cancel()
  scheduler.advanceSync(100)
  expect(runs).toBe(3)
})

test('advance lets asynchronous code go through its waits', async () => {
  const scheduler = new VirtualScheduler({ wallMsAtStart: 1000 })
  const seen: number[] = []
  void (async () => {
    for (let i = 0; i < 3; i++) {
      await sleep(scheduler, 10)
      seen.push(scheduler.wallMs())
    }
  })()
  await scheduler.advance(25)
  expect(seen).toEqual([1010, 1020])
})

test('runUntil stops when the condition holds, and gives up', async () => {
  const scheduler = new VirtualScheduler()
  let ticks = 0
  every(scheduler, 10, () => ticks++)
  expect(await scheduler.runUntil(() => ticks === 3)).toBe(true)
  expect(scheduler.monotonicMs()).toBe(30)
  expect(await scheduler.runUntil(() => ticks === 1000, 100)).toBe(false)
  expect(ticks).toBe(13)
})
