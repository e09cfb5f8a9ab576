import { VirtualScheduler } from '@kavka/testkit'
import type { FileSystem } from '@kavka/kernel'
import { NameSyncs } from './background-sync.ts'
import { IndexMemory } from './index-memory.ts'
import { eachAtOnce } from './each-at-once.ts'
import { SyncRounds } from './sync-rounds.ts'
import type { SyncedLog } from './sync-rounds.ts'

class ScriptedLog implements SyncedLog {
  begun = 0
  ended = 0
  readonly #rounds: SyncRounds
  #finish: () => void = () => {}

  constructor(rounds: SyncRounds) {
    this.#rounds = rounds
  }

  ask(): this {
    this.#rounds.request(this)
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

function roundsOf(logsAtOnceMax: number): { rounds: SyncRounds; scheduler: VirtualScheduler } {
  const scheduler = new VirtualScheduler()
  return { rounds: new SyncRounds({ logsAtOnceMax }, { scheduler }), scheduler }
}

test('what a turn wrote is synced together and told together; what comes meanwhile is in the next round', async () => {
  const { rounds } = roundsOf(8)
  const [a, b, c] = [new ScriptedLog(rounds).ask(), new ScriptedLog(rounds).ask(), new ScriptedLog(rounds)]
  await settled()
  expect([a.begun, b.begun]).toEqual([1, 1])
  c.ask()
  await a.finish()
  expect([a.ended, c.begun]).toEqual([0, 0])
  await b.finish()
  expect([a.ended, b.ended, c.begun]).toEqual([1, 1, 1])
  await c.finish()
  expect([c.ended, rounds.figures.count]).toEqual([1, 3])
})

test('a round that takes long keeps nobody waiting: what is synced is told, and the next round starts beside it', async () => {
  const { rounds, scheduler } = roundsOf(8)
  const [slow, quick, other] = [new ScriptedLog(rounds).ask(), new ScriptedLog(rounds).ask(), new ScriptedLog(rounds)]
  await settled()
  other.ask()
  await quick.finish()
  await scheduler.advance(9)
  expect([quick.ended, other.begun]).toEqual([0, 0])
  await scheduler.advance(2)
  await settled()
  expect([quick.ended, slow.ended, other.begun]).toEqual([1, 0, 1])
  await other.finish()
  await slow.finish()
  expect([other.ended, slow.ended]).toEqual([1, 1])
})

test('no more than so many at once, first come first served; syncs that no record waits for run beside the rounds', async () => {
  const { rounds } = roundsOf(2)
  const logs = [0, 1, 2].map(() => new ScriptedLog(rounds).ask())
  const apart = new ScriptedLog(rounds)
  rounds.requestApart(apart)
  await settled()
  expect([...logs.map((log) => log.begun), apart.begun]).toEqual([1, 1, 0, 0])
  await logs[0]!.finish()
  await logs[1]!.finish()
  expect([...logs.map((log) => log.ended), apart.begun, logs[2]!.begun]).toEqual([1, 1, 0, 1, 1])
  await apart.finish()
  expect([apart.ended, logs[2]!.ended]).toEqual([1, 0])
  await logs[2]!.finish()
  expect(logs[2]!.ended).toBe(1)
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
