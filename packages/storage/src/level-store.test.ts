import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyValueStoreConformance } from '@kavka/testkit'
import { LevelStore } from './level-store.ts'

const directories: string[] = []

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'level-store-'))
  directories.push(directory)
  return directory
}

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

keyValueStoreConformance('LevelStore', async () => {
  const directory = temporaryDirectory()
  const store = await LevelStore.open(directory)
  return {
    store,
    reopen: () => LevelStore.open(directory),
    remove: async () => rmSync(directory, { recursive: true }),
  }
})

test('what was written is read by another instance after a reopen, also without a range of its own', async () => {
  const directory = temporaryDirectory()
  const first = await LevelStore.open(directory)
  await first.write([{ kind: 'put', key: 'log/0000000000000001', value: Buffer.from('entry') }])
  await first.close()
  const second = await LevelStore.open(directory)
  expect(Buffer.from((await second.get('log/0000000000000001'))!).toString()).toBe('entry')
  await second.close()
})

test('a store can be open once only', async () => {
  const directory = temporaryDirectory()
  const store = await LevelStore.open(directory)
  await expect(LevelStore.open(directory)).rejects.toMatchObject({ cause: { code: 'LEVEL_LOCKED' } })
  await store.close()
})

test('close waits for the writes under way', async () => {
  const directory = temporaryDirectory()
  const store = await LevelStore.open(directory)
  const writes = [1, 2, 3].map((i) => store.write([{ kind: 'put', key: `k${i}`, value: Uint8Array.of(i) }]))
  await store.close()
  await Promise.all(writes)
  const again = await LevelStore.open(directory)
  expect(await again.range('k', 'l')).toHaveLength(3)
  await again.close()
})

test('a failed write does not block the ones after it', async () => {
  const store = await LevelStore.open(temporaryDirectory())
  const failed = store.write([{ kind: 'put', key: null as unknown as string, value: Uint8Array.of(1) }])
  const next = store.write([{ kind: 'put', key: 'k', value: Uint8Array.of(1) }])
  await expect(failed).rejects.toThrow()
  await next
  await store.close()
})
