import { seededRandom } from '@kavka/kernel'
import { keyValueStoreConformance } from './conformance/key-value-store.ts'
import { MemoryKeyValueStore } from './memory-key-value-store.ts'
import { VirtualScheduler } from './virtual-scheduler.ts'

keyValueStoreConformance('MemoryKeyValueStore', async () => {
  const store = new MemoryKeyValueStore()
  return { store, reopen: async () => store.reopen(), remove: async () => {} }
})

const put = (key: string) => [{ kind: 'put', key, value: Buffer.of(1) }] as const

test('a crash loses what has not resolved, and it never resolves', async () => {
  const scheduler = new VirtualScheduler()
  const store = new MemoryKeyValueStore({ writeDelayMs: 5 }, { scheduler })
  const settled: string[] = []
  store.write(put('a')).then(() => settled.push('a'), () => settled.push('a failed'))
  await scheduler.advance(5)
  store.write(put('b')).then(() => settled.push('b'), () => settled.push('b failed'))
  await scheduler.advance(4)
  store.crash()
  await scheduler.advance(100)
  expect(settled).toEqual(['a'])
  await expect(store.get('a')).rejects.toThrow('not open')
  expect([...store.reopen().content.keys()]).toEqual(['a'])
})

test('with randomness a crash keeps a prefix of the writes under way', () => {
  const survivors = new Set<string>()
  for (let seed = 0; seed < 50; seed++) {
    const store = new MemoryKeyValueStore({}, { scheduler: new VirtualScheduler() })
    for (const key of ['a', 'b']) void store.write(put(key))
    store.crash(seededRandom(seed))
    survivors.add([...store.content.keys()].join(''))
  }
  expect([...survivors].toSorted()).toEqual(['', 'a', 'ab'])
})

test('injected failures hit once and change nothing', async () => {
  const store = new MemoryKeyValueStore()
  store.failNext('write', new Error('disk'))
  await expect(store.write(put('a'))).rejects.toThrow('disk')
  await store.write(put('b'))
  expect([...store.content.keys()]).toEqual(['b'])
})

test('a flipped bit is read, and outlives a reopen, but not another write', async () => {
  const store = new MemoryKeyValueStore()
  await store.write([...put('a'), ...put('b')])
  store.flipBit('a', 0, 7)
  expect(await store.get('a')).toEqual(Uint8Array.of(129))
  store.flipBit('b', 0, 0)
  await store.write(put('b'))
  await store.close()
  const next = store.reopen()
  expect(await next.range('a', 'c')).toEqual([['a', Uint8Array.of(129)], ['b', Uint8Array.of(1)]])
  next.repair('a')
  expect(await next.get('a')).toEqual(Uint8Array.of(1))
})
