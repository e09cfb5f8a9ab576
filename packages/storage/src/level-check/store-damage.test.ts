import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '@kavka/kernel'
import { DamagedStoreError, LevelStore } from '../level-store.ts'
import { logDamage } from './log-damage.ts'
import { storeDamage } from './store-damage.ts'
import { tableDamage } from './table-damage.ts'

const home = mkdtempSync(join(tmpdir(), 'store-damage-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const random = seededRandom(4711)
const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256))

async function write(store: LevelStore, from: number, count: number, length: number): Promise<void> {
  for (let index = from; index < from + count; index++) {
    await store.write([
      { kind: 'put', key: `raft/log/${String(index).padStart(16, '0')}`, value: bytesOf(length) },
      { kind: 'put', key: 'raft/hard-state', value: bytesOf(20) },
    ])
  }
}

async function contentOf(directory: string): Promise<string> {
  const store = await LevelStore.open(directory)
  try {
    const found = await store.range('', '~')
    return found.map(([key, value]) => `${key}=${Buffer.from(value).toString('hex')}`).join('\n')
  } finally {
    await store.close()
  }
}

/** A store with tables (LevelDB turns its log into one at each opening) and a log. */
async function filledStore(name: string): Promise<string> {
  const directory = join(home, name)
  for (const from of [0, 30]) {
    const store = await LevelStore.open(directory)
    await write(store, from, 30, 40)
    await store.close()
  }
  return directory
}

const checked = /\.(log|ldb|sst)$|^MANIFEST-/
const liveTable = (directory: string): string => readdirSync(directory).find((name) => name.endsWith('.ldb'))!

test('a flipped bit anywhere is noticed, or changes nothing', async () => {
  const directory = await filledStore('flips')
  const original = join(home, 'original')
  cpSync(directory, original, { recursive: true })
  const expected = await contentOf(directory)
  const kinds = new Set<string>()
  let noticed = 0
  for (const name of readdirSync(original).filter((each) => checked.test(each))) {
    const bytes = readFileSync(join(original, name))
    if (bytes.length > 0) kinds.add(name.replace(/[^a-zA-Z]/g, ''))
    for (let at = 0; at < bytes.length; at++) {
      const rotten = Buffer.from(bytes)
      rotten[at]! ^= 1 << random.below(8)
      if ((name.endsWith('.ldb') ? tableDamage(rotten) : logDamage(rotten)) !== null) {
        noticed++
        continue
      }
      const copy = join(home, 'copy')
      rmSync(copy, { recursive: true, force: true })
      cpSync(original, copy, { recursive: true })
      writeFileSync(join(copy, name), rotten)
      expect(`${name} at ${at}: ${await contentOf(copy).catch(() => expected)}`).toBe(`${name} at ${at}: ${expected}`)
    }
  }
  expect([...kinds].sort()).toEqual(['MANIFEST', 'ldb', 'log'])
  expect(noticed).toBeGreaterThan(2_000)
}, 120_000)

test('a sound store, an empty directory and none at all are no damage; a damaged one is refused by name', async () => {
  expect(await storeDamage(join(home, 'nowhere'))).toBeNull()
  const directory = await filledStore('refused')
  expect(await storeDamage(directory)).toBeNull()
  const log = readdirSync(directory).find((name) => name.endsWith('.log'))!
  const bytes = readFileSync(join(directory, log))
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(join(directory, log), bytes)
  await expect(LevelStore.open(directory)).rejects.toThrow(new RegExp(`is damaged: ${log} has .* at byte \\d+`))
})

test('what a process left behind unfinished is no damage; a table in use that is shorter or gone is', async () => {
  const directory = await filledStore('leftovers')
  const expected = await contentOf(directory)
  const table = liveTable(directory)
  const bytes = readFileSync(join(directory, table))
  writeFileSync(join(directory, '009999.ldb'), bytes.subarray(0, bytes.length >> 1))
  writeFileSync(join(directory, '009998.ldb'), Buffer.alloc(4096))
  writeFileSync(join(directory, 'MANIFEST-009997'), Buffer.alloc(100, 7))
  writeFileSync(join(directory, '000001.log'), Buffer.alloc(100, 7))
  expect(await storeDamage(directory)).toBeNull()
  expect(await contentOf(directory)).toBe(expected)
  const inUse = liveTable(directory)
  const whole = readFileSync(join(directory, inUse))
  writeFileSync(join(directory, inUse), whole.subarray(0, whole.length - 1))
  expect((await storeDamage(directory))?.file).toBe(inUse)
  rmSync(join(directory, inUse))
  await expect(LevelStore.open(directory)).rejects.toThrow(DamagedStoreError)
})

test('a store whose current manifest is not known is refused, one that was never made is not', async () => {
  const directory = await filledStore('current')
  const current = readFileSync(join(directory, 'CURRENT'))
  for (let at = 0; at < current.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const rotten = Buffer.from(current)
      rotten[at]! ^= 1 << bit
      writeFileSync(join(directory, 'CURRENT'), rotten)
      expect([at, bit, (await storeDamage(directory))?.file]).toEqual([at, bit, 'CURRENT'])
    }
  }
  rmSync(join(directory, 'CURRENT'))
  expect((await storeDamage(directory))?.reason).toBe('no file CURRENT beside it')
  const begun = join(home, 'begun')
  mkdirSync(begun)
  writeFileSync(join(begun, 'MANIFEST-000001'), Buffer.alloc(10))
  expect(await storeDamage(begun)).toBeNull()
})

describe('a write that a crash cut off', () => {
  async function log(lengths: readonly number[]): Promise<{ bytes: Buffer; lastAt: number }> {
    const directory = mkdtempSync(join(home, 'torn-'))
    const store = await LevelStore.open(directory)
    const name = readdirSync(directory).find((each) => each.endsWith('.log'))!
    let lastAt = 0
    for (const length of lengths) {
      lastAt = readFileSync(join(directory, name)).length
      await store.write([{ kind: 'put', key: 'k', value: bytesOf(length) }])
    }
    const bytes = readFileSync(join(directory, name))
    await store.close()
    return { bytes, lastAt }
  }

  test('at any byte of the last record is no damage', async () => {
    const { bytes, lastAt } = await log([100, 200, 300])
    for (let end = lastAt; end <= bytes.length; end++) expect([end, logDamage(bytes.subarray(0, end))]).toEqual([end, null])
  })

  test('with sectors that were never written is no damage, whatever else of it was', async () => {
    const { bytes, lastAt } = await log([100, 100_000])
    for (let tries = 0; tries < 200; tries++) {
      const torn = Buffer.from(bytes)
      const sectors = Math.floor((bytes.length - lastAt) / 512) - 1
      const zeroed = 1 + random.below(sectors)
      for (let each = 0; each < zeroed; each++) {
        const at = (Math.ceil(lastAt / 512) + random.below(sectors)) * 512
        torn.fill(0, at, at + 512)
      }
      expect(logDamage(torn)).toBeNull()
    }
    expect(logDamage(Buffer.concat([bytes, Buffer.alloc(70_000)]))).toBeNull()
  })

  test('before a record that is sound is damage: that one would not have been begun', async () => {
    const { bytes, lastAt } = await log([100, 100_000, 50])
    for (const at of [7, 40, 2_000, 60_000]) {
      const torn = Buffer.from(bytes)
      torn.fill(0, at, at + 600)
      expect(logDamage(torn)?.reason).toMatch(/before records that are sound|wrong/)
    }
    expect(lastAt).toBeGreaterThan(100_000)
  })
})
