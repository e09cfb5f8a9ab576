/** What every KeyValueStore must do. */
import type { KeyValueStore } from '@kavka/kernel'

export interface KeyValueStoreFixture {
  readonly store: KeyValueStore
  /** Closes nothing but its own view: returns a store opened again on the same content, after `store.close()`. */
  reopen(): Promise<KeyValueStore>
  /** Removes what was made for the test; the store that was opened last is closed by the suite. */
  remove(): Promise<void>
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const plain = (value: Uint8Array | null): number[] | null => (value === null ? null : [...value])

/** Registers the suite with Jest. */
export function keyValueStoreConformance(name: string, open: () => Promise<KeyValueStoreFixture>): void {
  describe(`${name} as KeyValueStore`, () => {
    let fixture: KeyValueStoreFixture
    let store: KeyValueStore

    beforeEach(async () => {
      fixture = await open()
      store = fixture.store
    })

    afterEach(async () => {
      await store.close()
      await fixture.remove()
    })

    const entries = async (from: string, to: string): Promise<Array<[string, number[]]>> =>
      (await store.range(from, to)).map(([key, value]) => [key, [...value]])

    test('a missing key is null', async () => {
      expect(await store.get('nothing')).toBeNull()
    })

    test('gives back what was put, byte for byte', async () => {
      const all = Uint8Array.from({ length: 256 }, (_, value) => value)
      await store.write([
        { kind: 'put', key: 'all', value: all },
        { kind: 'put', key: 'empty', value: bytes() },
      ])
      expect(plain(await store.get('all'))).toEqual([...all])
      expect(plain(await store.get('empty'))).toEqual([])
    })

    test('a put replaces, a delete removes, and deleting what is missing is fine', async () => {
      await store.write([{ kind: 'put', key: 'a', value: bytes(1) }])
      await store.write([{ kind: 'put', key: 'a', value: bytes(2) }, { kind: 'delete', key: 'b' }])
      expect(plain(await store.get('a'))).toEqual([2])
      await store.write([{ kind: 'delete', key: 'a' }])
      expect(await store.get('a')).toBeNull()
    })

    test('a range is half open and in key order', async () => {
      await store.write(['d', 'b', 'a', 'c', 'ba'].map((key) => ({ kind: 'put', key, value: bytes(key.length) })))
      expect(await entries('b', 'd')).toEqual([['b', [1]], ['ba', [2]], ['c', [1]]])
      expect(await entries('x', 'z')).toEqual([])
      expect(await entries('c', 'c')).toEqual([])
    })

    test('a deleted range is half open too', async () => {
      await store.write(['a', 'b', 'c', 'd'].map((key) => ({ kind: 'put', key, value: bytes(1) })))
      await store.write([{ kind: 'delete-range', from: 'b', to: 'd' }])
      expect((await entries('a', 'z')).map(([key]) => key)).toEqual(['a', 'd'])
    })

    test('the writes of one call take effect in their order', async () => {
      await store.write([{ kind: 'put', key: 'k1', value: bytes(1) }])
      await store.write([
        { kind: 'put', key: 'k2', value: bytes(2) },
        { kind: 'delete-range', from: 'k', to: 'l' },
        { kind: 'put', key: 'k3', value: bytes(3) },
        { kind: 'put', key: 'k4', value: bytes(4) },
        { kind: 'delete', key: 'k4' },
      ])
      expect(await entries('', '~')).toEqual([['k3', [3]]])
    })

    test('calls that overlap take effect in the order in which they were made', async () => {
      await Promise.all([
        store.write([{ kind: 'put', key: 'x', value: bytes(1) }]),
        store.write([{ kind: 'delete-range', from: 'x', to: 'y' }]),
        store.write([{ kind: 'put', key: 'x', value: bytes(2) }, { kind: 'put', key: 'xx', value: bytes(3) }]),
        store.write([{ kind: 'delete', key: 'xx' }]),
      ])
      expect(await entries('', '~')).toEqual([['x', [2]]])
    })

    test('an empty write resolves', async () => {
      await store.write([])
    })

    test('later changes to a value handed in or out do not show', async () => {
      const value = bytes(1, 2, 3)
      const written = store.write([{ kind: 'put', key: 'a', value }])
      await written
      value[0] = 9
      const read = await store.get('a')
      read![1] = 9
      expect(plain(await store.get('a'))).toEqual([1, 2, 3])
    })

    test('content is there again after a reopen', async () => {
      await store.write([
        { kind: 'put', key: 'kept', value: bytes(1) },
        { kind: 'put', key: 'dropped', value: bytes(2) },
      ])
      await store.write([{ kind: 'delete', key: 'dropped' }])
      await store.close()
      store = await fixture.reopen()
      expect(await entries('', '~')).toEqual([['kept', [1]]])
    })

    test('a large value and many keys survive a reopen', async () => {
      const large = Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251)
      await store.write([
        { kind: 'put', key: 'large', value: large },
        ...Array.from({ length: 1000 }, (_, i) => ({ kind: 'put', key: `n${1000 + i}`, value: bytes(i % 256) }) as const),
      ])
      await store.close()
      store = await fixture.reopen()
      expect(Buffer.compare((await store.get('large'))!, large)).toBe(0)
      expect(await store.range('n', 'o')).toHaveLength(1000)
    })
  })
}
