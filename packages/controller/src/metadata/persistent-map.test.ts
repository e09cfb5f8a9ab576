import { seededRandom } from '@kavka/kernel'
import { PersistentMap } from './persistent-map.ts'

test('agrees with Map under random changes, and old versions stay as they were', () => {
  const random = seededRandom(42)
  let map = PersistentMap.empty<string, number>()
  const model = new Map<string, number>()
  const versions: { map: PersistentMap<string, number>; model: Map<string, number> }[] = []
  for (let i = 0; i < 5000; i++) {
    const key = `key-${random.below(700)}`
    if (random.below(3) === 0) {
      map = map.delete(key)
      model.delete(key)
    } else {
      map = map.set(key, i)
      model.set(key, i)
    }
    if (i % 500 === 0) versions.push({ map, model: new Map(model) })
  }
  for (const version of [...versions, { map, model }])
    expect(sorted(version.map)).toEqual(sorted(version.model))
  expect(map.size).toBe(model.size)
  for (let i = 0; i < 700; i++) expect(map.get(`key-${i}`)).toBe(model.get(`key-${i}`))
})

test('equal contents iterate alike, whatever their history', () => {
  let grown = PersistentMap.empty<number, number>()
  for (let i = 0; i < 2000; i++) grown = grown.set(i, i)
  for (let i = 100; i < 2000; i++) grown = grown.delete(i)
  let small = PersistentMap.empty<number, number>()
  for (let i = 99; i >= 0; i--) small = small.set(i, i)
  expect([...grown.keys()]).toEqual([...small.keys()])
  expect(sorted(grown)).toEqual(sorted(small))
})

test('keys of one hash live together', () => {
  // Two texts of the same 32-bit FNV-1a hash.
  const [one, other] = ['costarring', 'liquid']
  const map = PersistentMap.empty<string, number>().set(one!, 1).set(other!, 2)
  expect([map.get(one!), map.get(other!), map.size]).toEqual([1, 2, 2])
  expect([map.delete(one!).get(other!), map.delete(one!).has(one!), map.delete(one!).size]).toEqual([
    2,
    false,
    1,
  ])
  expect(map.delete(one!).delete(other!).size).toBe(0)
})

test('an absent key is not deleted', () => {
  const map = PersistentMap.empty<string, number>().set('a', 1)
  expect(map.delete('b')).toBe(map)
  expect(map.has('b')).toBe(false)
})

function sorted<K, V>(map: ReadonlyMap<K, V>): [K, V][] {
  return [...map].sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))
}
