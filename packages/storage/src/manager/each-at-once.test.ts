import { eachAtOnce } from './each-at-once.ts'

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

test('after a failure nothing new begins, and it is thrown when all that had begun has ended', async () => {
  const done: number[] = []
  const worked = eachAtOnce([1, 2, 3, 4], 2, async (item) => {
    if (item === 1) throw new Error('the first fails')
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    done.push(item)
  })
  await expect(worked).rejects.toThrow('the first fails')
  expect(done).toEqual([2])
})

test('a source that fails is a failure too', async () => {
  function* names(): Iterable<string> {
    yield 'a'
    throw new Error('the directory cannot be listed')
  }
  const done: string[] = []
  await expect(eachAtOnce(names(), 2, async (name) => void done.push(name))).rejects.toThrow('cannot be listed')
  expect(done).toEqual(['a'])
})
