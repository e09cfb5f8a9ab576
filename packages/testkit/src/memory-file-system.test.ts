import { nodeFileSystem, replaceFileDurably, seededRandom } from '@kavka/kernel'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileSystemConformance } from './conformance/file-system.ts'
import { MemoryFileSystem } from './memory-file-system.ts'
import { VirtualScheduler } from './virtual-scheduler.ts'

fileSystemConformance('MemoryFileSystem', () => {
  const fs = new MemoryFileSystem()
  fs.makeDirectory('/work')
  return { fs, directory: '/work', remove: () => {} }
})

// The kernel may not import the test kit, so its implementation is put to the test here.
fileSystemConformance('nodeFileSystem', () => {
  const directory = mkdtempSync(join(tmpdir(), 'file-system-'))
  return { fs: nodeFileSystem, directory, remove: () => rmSync(directory, { recursive: true }) }
})

function synced(content: string): MemoryFileSystem {
  const fs = new MemoryFileSystem()
  fs.makeDirectory('/d')
  replaceFileDurably(fs, '/d/f', content)
  fs.syncDirectory('/')
  return fs
}

test('a crash takes unsynced bytes, names and open files', () => {
  const fs = synced('base')
  const file = fs.open('/d/f', 'read-write')
  file.writevSync([Buffer.from('more')], 4)
  file.truncateSync(6)
  fs.writeFile('/d/new', 'x')
  fs.rename('/d/f', '/d/g')
  fs.crash()
  expect(fs.list('/d')).toEqual(['f'])
  expect(fs.readFile('/d/f').toString()).toBe('base')
  expect(() => file.sizeBytes()).toThrow('EIO')
})

test('what was synced stays, content and names apart', () => {
  const fs = synced('base')
  fs.writeFile('/d/named', 'lost')
  fs.syncDirectory('/d')
  const file = fs.open('/d/unnamed', 'create')
  file.writevSync([Buffer.from('kept')], 0)
  file.syncSync()
  fs.crash()
  expect(fs.list('/d')).toEqual(['f', 'named'])
  expect(fs.sizeBytes('/d/named')).toBe(0)
})

test('a directory synced in the background covers the names as of the call, when it is done', async () => {
  const scheduler = new VirtualScheduler({ wallMsAtStart: 1_000 })
  const fs = new MemoryFileSystem({ syncDelayMs: 5 }, { scheduler })
  fs.makeDirectory('/d')
  fs.syncDirectory('/')
  fs.writeFile('/d/before', '')
  const synced = fs.syncDirectoryInBackground('/d')
  fs.writeFile('/d/after', '')
  await scheduler.advance(5)
  await synced
  expect(fs.modifiedMs('/d/before')).toBe(1_000)
  const file = fs.open('/d/before', 'read-write')
  file.writevSync([Buffer.from('x')], 0)
  expect(fs.modifiedMs('/d/before')).toBe(1_005)
  const interrupted = fs.syncDirectoryInBackground('/d')
  fs.crash()
  expect(fs.list('/d')).toEqual(['before'])
  await Promise.all([expect(interrupted).rejects.toMatchObject({ code: 'EIO' }), scheduler.advance(5)])
})

test('with randomness any subset survives, torn or whole, and a rename is atomic', () => {
  const contents = new Set<string>()
  const names = new Set<string>()
  for (let seed = 0; seed < 400; seed++) {
    const fs = synced('....')
    const file = fs.open('/d/f', 'read-write')
    file.writevSync([Buffer.from('ab')], 0)
    file.writevSync([Buffer.from('cd')], 2)
    fs.rename('/d/f', '/d/g')
    fs.crash(seededRandom(seed))
    names.add(fs.list('/d').join())
    contents.add(fs.readFile(`/d/${fs.list('/d')[0]}`).toString())
  }
  expect([...names].toSorted()).toEqual(['f', 'g'])
  expect([...contents].toSorted()).toEqual(['....', '..c.', '..cd', 'a...', 'a.c.', 'a.cd', 'ab..', 'abc.', 'abcd'])
})

test('replaceFileDurably gives the old content or the new one, whatever the crash', () => {
  for (let seed = 0; seed < 200; seed++) {
    const fs = synced('old')
    const lift = fs.inject({ operation: 'sync-directory', code: 'EIO' })
    expect(() => replaceFileDurably(fs, '/d/f', 'new')).toThrow('EIO')
    lift()
    fs.crash(seededRandom(seed))
    expect(['old', 'new']).toContain(fs.readFile('/d/f').toString())
  }
})

test('a sync covers what was written before the call, and a crash may come before it ends', async () => {
  const scheduler = new VirtualScheduler()
  const fs = new MemoryFileSystem({ syncDelayMs: 5 }, { scheduler })
  const file = fs.open('/f', 'create')
  fs.syncDirectory('/')
  file.writevSync([Buffer.from('a')], 0)
  const first = file.sync()
  file.writevSync([Buffer.from('b')], 1)
  await scheduler.advance(5)
  await first
  const second = expect(file.sync()).rejects.toThrow('EIO')
  fs.crash()
  await scheduler.advance(5)
  await second
  expect(fs.readFile('/f').toString()).toBe('a')
})

test('a failed sync is final: the bytes show until the crash and are never durable', () => {
  const fs = synced('base')
  const file = fs.open('/d/f', 'read-write')
  fs.inject({ operation: 'sync', code: 'EIO', times: 1 })
  file.writevSync([Buffer.from('BASE')], 0)
  expect(() => file.syncSync()).toThrow('EIO')
  file.syncSync()
  expect(fs.readFile('/d/f').toString()).toBe('BASE')
  fs.crash()
  expect(fs.readFile('/d/f').toString()).toBe('base')
})

test('a full disk takes what fits and then says ENOSPC; freed space can be used again', () => {
  const fs = new MemoryFileSystem({ capacityBytes: 10 })
  fs.writeFile('/a', '12345678')
  const file = fs.open('/b', 'create')
  expect(() => file.writevSync([Buffer.from('abcd')], 0)).toThrow('ENOSPC')
  expect(fs.readFile('/b').toString()).toBe('ab')
  expect(fs.space('/')).toEqual({ totalBytes: 10, usableBytes: 0 })
  fs.removeFile('/a')
  file.writevSync([Buffer.from('abcd')], 0)
})

test('faults can be narrowed to paths and lifted', () => {
  const fs = synced('base')
  fs.writeFile('/d/other', 'x')
  const lift = fs.inject({ operation: 'read', code: 'EIO', pathIncludes: 'other' })
  expect(fs.readFile('/d/f').toString()).toBe('base')
  expect(() => fs.readFile('/d/other')).toThrow('EIO')
  lift()
  expect(fs.readFile('/d/other').toString()).toBe('x')
})

test('bit rot shows at once and survives', () => {
  const fs = synced('base')
  fs.corrupt('/d/f', 1, Buffer.from('?'))
  expect(fs.readFile('/d/f').toString()).toBe('b?se')
  fs.crash()
  expect(fs.readFile('/d/f').toString()).toBe('b?se')
})

test('a disk that loses writes says that it synced, shows them until the power is cut, and catches up when it is lifted before', () => {
  const lost = synced('base')
  lost.loseSyncs('/d/')
  const file = lost.open('/d/f', 'read-write')
  file.writevSync([Buffer.from('more')], 4)
  file.syncSync()
  expect(lost.readFile('/d/f').toString()).toBe('basemore')
  lost.crash()
  expect(lost.readFile('/d/f').toString()).toBe('base')

  const late = synced('base')
  const lift = late.loseSyncs('/d/')
  const other = late.open('/d/f', 'read-write')
  other.writevSync([Buffer.from('more')], 4)
  other.syncSync()
  lift()
  late.crash()
  expect(late.readFile('/d/f').toString()).toBe('basemore')
})
