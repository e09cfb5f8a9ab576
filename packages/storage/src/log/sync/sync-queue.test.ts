import { VirtualScheduler } from '@kavka/testkit'
import type { FileSystem } from '@kavka/kernel'
import { NameSyncs } from './background-sync.ts'
import { IndexMemory } from '../index/index-memory.ts'
import { SyncQueue } from './sync-queue.ts'
import type { SyncedLog } from './sync-queue.ts'

class ScriptedLog implements SyncedLog {
  begun = 0
  ended = 0
  readonly #queue: SyncQueue
  #finish: () => void = () => {}

  constructor(queue: SyncQueue) {
    this.#queue = queue
  }

  ask(): this {
    this.#queue.request(this)
    return this
  }

  beginSync(): Promise<void> {
    this.begun++
    return new Promise((resolve) => (this.#finish = resolve))
  }

  endSync(): void {
    this.ended++
  }

  async finish(): Promise<void> {
    this.#finish()
    await settled()
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve()
}

function queueOf(logsAtOnceMax: number): { queue: SyncQueue; turnEnds: () => Promise<void> } {
  const scheduler = new VirtualScheduler()
  const turnEnds = async (): Promise<void> => {
    await scheduler.advance(0)
    await settled()
  }
  return { queue: new SyncQueue({ logsAtOnceMax }, { scheduler }), turnEnds }
}

test('what ended in one turn is told together when the turn ends', async () => {
  const { queue, turnEnds } = queueOf(8)
  const [a, b] = [new ScriptedLog(queue).ask(), new ScriptedLog(queue).ask()]
  await settled()
  expect([a.begun, b.begun]).toEqual([1, 1])
  await a.finish()
  await b.finish()
  expect([a.ended, b.ended]).toEqual([0, 0])
  await turnEnds()
  expect([a.ended, b.ended, queue.figures.count]).toEqual([1, 1, 2])
})

test('a log waits for its own sync only: a slow one keeps back neither what others have synced nor their next sync', async () => {
  const { queue, turnEnds } = queueOf(8)
  const [slow, quick, other] = [new ScriptedLog(queue).ask(), new ScriptedLog(queue).ask(), new ScriptedLog(queue)]
  await settled()
  other.ask()
  await quick.finish()
  await turnEnds()
  quick.ask()
  await settled()
  expect([slow.ended, quick.ended, quick.begun, other.begun]).toEqual([0, 1, 2, 1])
  await slow.finish()
  await turnEnds()
  expect([slow.ended, quick.ended]).toEqual([1, 1])
})

test('no more than so many at once, first come first served, and those first that records wait for', async () => {
  const { queue, turnEnds } = queueOf(2)
  const apart = new ScriptedLog(queue)
  queue.requestApart(apart)
  const logs = [0, 1, 2].map(() => new ScriptedLog(queue).ask())
  await settled()
  expect([...logs.map((log) => log.begun), apart.begun]).toEqual([1, 1, 0, 0])
  await logs[1]!.finish()
  expect([logs[2]!.begun, apart.begun]).toEqual([1, 0])
  await logs[0]!.finish()
  expect(apart.begun).toBe(1)
  await apart.finish()
  await logs[2]!.finish()
  await turnEnds()
  expect([...logs.map((log) => log.ended), apart.ended]).toEqual([1, 1, 1, 1])
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

test('a directory whose next sync is wanted is never seen as synced in between, nor synced twice at once', async () => {
  const finish: (() => void)[] = []
  const syncDirectoryInBackground = () => new Promise<void>((resolve) => finish.push(resolve))
  const syncs = new NameSyncs({ fs: { syncDirectoryInBackground } as unknown as FileSystem })
  void syncs.sync('/d')
  const next = syncs.sync('/d')
  finish[0]!()
  for (let tick = 0; finish.length < 2; tick++) {
    expect([syncs.isRunning('/d'), tick < 20]).toEqual([true, true])
    void syncs.sync('/d')
    await Promise.resolve()
  }
  finish[1]!()
  await next
  await settled()
  expect([syncs.isRunning('/d'), finish.length]).toEqual([false, 2])
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
