import { VirtualScheduler } from '@kavka/testkit'
import type { FileSystem } from '@kavka/kernel'
import { NameSyncs } from './background-sync.ts'
import { IndexMemory } from './index-memory.ts'
import { eachAtOnce, SyncSlots } from './sync-slots.ts'

test('no more than so many run at once, first come first served, also after failures', async () => {
  const slots = new SyncSlots({ slotsMax: 2 }, { clock: new VirtualScheduler() })
  const started: number[] = []
  const finish: ((error?: Error) => void)[] = []
  const runs = [0, 1, 2, 3].map((index) =>
    slots.run(() => {
      started.push(index)
      return new Promise<void>((resolve, reject) => finish.push((error) => (error === undefined ? resolve() : reject(error))))
    }),
  )
  const settled = Promise.allSettled(runs)
  expect(started).toEqual([0, 1])
  finish[1]!(new Error('EIO'))
  await Promise.allSettled([runs[1]])
  await Promise.resolve()
  expect(started).toEqual([0, 1, 2])
  finish[0]!()
  await runs[0]
  await Promise.resolve()
  expect(started).toEqual([0, 1, 2, 3])
  finish[2]!()
  finish[3]!()
  expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(slots.figures.count).toBe(4)
})

test('items are worked through, a few at a time', async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  await eachAtOnce([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++running)
    await Promise.resolve()
    running--
    done.push(item)
  })
  expect([most, done]).toEqual([2, [1, 2, 3, 4, 5]])
})

test('those who wait for the same directory share the sync that begins after them', async () => {
  const finish: (() => void)[] = []
  const syncDirectoryInBackground = () => new Promise<void>((resolve) => finish.push(resolve))
  const syncs = new NameSyncs({ fs: { syncDirectoryInBackground } as unknown as FileSystem })
  const first = syncs.sync('/d')
  const later = [syncs.sync('/d'), syncs.sync('/d'), syncs.sync('/d')]
  expect(finish).toHaveLength(1)
  finish[0]!()
  await first
  await Promise.resolve()
  await Promise.resolve()
  expect(finish).toHaveLength(2)
  finish[1]!()
  await Promise.all(later)
  expect(syncs.isRunning('/d')).toBe(false)
})

test('the indexes used longest ago go first; those that cannot be read back stay', () => {
  const evicted: string[] = []
  const segment = (name: string, canGo = true) => ({ evictIndexes: () => canGo && evicted.push(name) > 0 })
  const [a, b, c, stuck] = [segment('a'), segment('b'), segment('c'), segment('stuck', false)]
  const memory = new IndexMemory({ bytesMax: 3_000 })
  for (const each of [stuck, a, b]) memory.use(each, 400)
  memory.use(a, 400)
  memory.use(c, 400)
  expect(evicted).toEqual(['b'])
  memory.forget(stuck)
  expect(memory.bytes).toBe(2 * 912)
})
