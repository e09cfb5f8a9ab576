/** A disk that refuses: nothing is promised after the first error, and everybody is told (S5, S6). */
import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { LogConfig } from '../../log-config.ts'
import type { LogCorruption, PartitionLog } from '../../partition-log.ts'
import { LOG_DIR, LogFixture, PARTITION } from '../../testing/log-fixture.ts'

const EPOCH = 0 as LeaderEpoch
const KAFKA_STORAGE_ERROR = 56
const CORRUPT_MESSAGE = 2
const batch = (size = 100) => buildBatch([{ timestamp: 1_700_000_400_000, key: null, value: Buffer.alloc(size, 1) }])
const read = { endOffsetMax: 1_000 as Offset, bytesMax: 1_000_000, minimum: 'at-least-one-batch' as const }

test.each([
  ['write', 'EIO'],
  ['write', 'ENOSPC'],
  ['sync', 'EIO'],
] as const)('a failed %s (%s) ends all promises of the directory', async (operation, code) => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  const other = fixture.manager.getOrCreate({ topic: 'other', partition: 0 }, PARTITION_ID, fixture.config)
  const failures: string[] = []
  log.onFailed((cause) => failures.push(cause.message))
  fixture.manager.onDirectoryFailed((directory) => failures.push(`${directory.path} ${directory.state}`))
  log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  expect(log.durableEndOffset).toBe(1)

  fixture.fs.inject({ operation, code, pathIncludes: '.log', times: 1 })
  log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  expect(log.durableEndOffset).toBe(1)
  expect(failures).toHaveLength(2)
  expect(failures).toContain(`${LOG_DIR} offline`)
  expect(log.appendAsLeader(batch(), EPOCH, 'client')).toMatchObject({ kind: 'refused', errorCode: KAFKA_STORAGE_ERROR })
  expect(other.ok && other.value.appendAsLeader(batch(), EPOCH, 'client')).toMatchObject({ kind: 'refused', errorCode: KAFKA_STORAGE_ERROR })
  expect(await log.read({ startOffset: 0 as Offset, ...read })).toMatchObject({ kind: 'failed', errorCode: KAFKA_STORAGE_ERROR })
  await fixture.settle()
  expect(log.durableEndOffset).toBe(1)

  await fixture.close()
  expect(fixture.fs.exists(`${LOG_DIR}/.kafka_cleanshutdown`)).toBe(false)
  fixture.crash()
  const recovered = await fixture.log()
  expect(recovered.corruption).toBeNull()
  expect(recovered.logEndOffset).toBeGreaterThanOrEqual(1)
})

const PARTITION_ID = 'AAAAAAAAAAAAAAAAAAAAAg' as Parameters<typeof LogFixture.prototype.manager.getOrCreate>[1]

test('a bad byte in the file is never served', async () => {
  const fixture = new LogFixture({ manager: { tailCacheBytesMax: 0 } })
  const log = await fixture.log()
  for (let i = 0; i < 3; i++) log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  const size = batch().length
  fixture.fs.corrupt(`${log.directory}/00000000000000000000.log`, size + 90, Buffer.from([9]))
  expect(await log.read({ startOffset: 0 as Offset, ...read, bytesMax: 1 })).toMatchObject({ kind: 'read', sizeBytes: size })
  expect(await log.read({ startOffset: 1 as Offset, ...read })).toMatchObject({ kind: 'failed', errorCode: CORRUPT_MESSAGE })
  expect(await log.read({ startOffset: 2 as Offset, ...read })).toMatchObject({ kind: 'read', sizeBytes: size })
})

test.each([
  ['a time', (log: PartitionLog) => log.offsetForTimestamp(0)],
  ['the latest time', (log: PartitionLog) => log.offsetOfMaxTimestamp()],
])('a disk that does not give back what it took ends the look-up of %s, and the directory', async (_what, lookUp) => {
  const fixture = new LogFixture({ manager: { tailCacheBytesMax: 0 } })
  const log = await fixture.log()
  log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  fixture.fs.inject({ operation: 'read', code: 'EIO', pathIncludes: '.log' })
  expect(await lookUp(log)).toBeNull()
  expect(fixture.manager.directories).toMatchObject([{ state: 'offline' }])
})

describe('damage that a read meets', () => {
  async function logOf(config: Partial<LogConfig> = {}) {
    const fixture = new LogFixture({ config: { indexIntervalBytes: 300, ...config }, manager: { tailCacheBytesMax: 0 } })
    const log = await fixture.log()
    for (let i = 0; i < 10; i++) log.appendAsLeader(batch(), EPOCH, 'client')
    await fixture.settle()
    const path = `${log.directory}/00000000000000000000.log`
    const told: (LogCorruption | null)[] = []
    log.onCorrupt(() => told.push(log.corruption))
    return { fixture, log, path, told, size: batch().length }
  }

  test('is told once, with its place; what is sound is served and appended as before', async () => {
    const { fixture, log, path, told, size } = await logOf()
    fixture.fs.corrupt(path, 4 * size + 90, Buffer.from([9]))
    for (let i = 0; i < 2; i++) {
      expect(await log.read({ startOffset: 4 as Offset, ...read })).toMatchObject({ kind: 'failed', errorCode: CORRUPT_MESSAGE })
    }
    expect(told).toMatchObject([{ found: 'by-read', path, position: 4 * size, offset: 3 }])
    expect(await log.read({ startOffset: 5 as Offset, ...read })).toMatchObject({ kind: 'read', sizeBytes: 5 * size })
    expect(log.appendAsLeader(batch(), EPOCH, 'client')).toMatchObject({ kind: 'appended', firstOffset: 10 })
    await fixture.close()
    expect(fixture.fs.exists(`${LOG_DIR}/.kafka_cleanshutdown`)).toBe(true)
  })

  // The first eight bytes of a batch, its base offset, are not under its checksum.
  test.each([
    ['far beyond the log', 5, 0x10],
    ['a little on', 7, 0x01],
    ['a little back', 7, 0x04],
  ])('shows in offsets that cannot be there: %s', async (_where, byte, bit) => {
    const { fixture, log, path, told, size } = await logOf()
    const at = 6 * size + byte
    fixture.fs.corrupt(path, at, Buffer.from([fixture.fs.readFile(path)[at]! ^ bit]))
    const outcomes = []
    for (let offset = 0; offset < 10; offset++) outcomes.push(await log.read({ startOffset: offset as Offset, ...read, bytesMax: size }))
    expect(told).toHaveLength(1)
    for (const outcome of outcomes.slice(0, 5)) expect(outcome).toMatchObject({ kind: 'read', sizeBytes: size })
    expect(outcomes[6]).toMatchObject({ kind: 'failed', errorCode: CORRUPT_MESSAGE })
  })

  test('is not believed when the next read of the same bytes is sound', async () => {
    const { fixture, log, path, told, size } = await logOf()
    const at = 4 * size + 90
    const before = fixture.fs.readFile(path).subarray(at, at + 1)
    fixture.fs.corrupt(path, at, Buffer.from([9]))
    const reading = log.read({ startOffset: 4 as Offset, ...read })
    // The first read has its bytes by now; the second finds what was written.
    fixture.fs.corrupt(path, at, before)
    await fixture.settle()
    expect([(await reading).kind, told, log.corruption]).toEqual(['read', [], null])
  })

  test('is met by look-ups of times too', async () => {
    const { fixture, log, path, told } = await logOf()
    fixture.fs.corrupt(path, 90, Buffer.from([9]))
    expect(await log.offsetForTimestamp(0)).toBe('corrupt')
    expect(told).toMatchObject([{ position: 0, offset: 0 }])
  })

  test('keeps a truncation from cutting at the wrong place', async () => {
    const { fixture, log, path, told, size } = await logOf({ indexIntervalBytes: 1_000_000 })
    fixture.fs.corrupt(path, 4 * size + 8, Buffer.from([0xff]))
    log.truncateTo(7 as Offset)
    expect([told.length, log.logEndOffset]).toEqual([1, 10])
    log.truncateFullyAndStartAt(0 as Offset)
    expect([log.corruption, log.logEndOffset]).toEqual([null, 0])
  })

  test('is gone with the segment that had it', async () => {
    const { fixture, log, path, told } = await logOf({ segmentBytes: 400 })
    fixture.fs.corrupt(path, 90, Buffer.from([9]))
    expect(await log.read({ startOffset: 0 as Offset, ...read })).toMatchObject({ kind: 'failed', errorCode: CORRUPT_MESSAGE })
    expect(told).toHaveLength(1)
    log.updateHighWatermark(10 as Offset)
    log.advanceLogStartOffset(8 as Offset)
    fixture.manager.applyRetention()
    expect(log.corruption).toBeNull()
  })
})

test('damage below the recovery point takes the partition offline and throws nothing away, until it is filled again', async () => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  for (let i = 0; i < 5; i++) log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  await fixture.scheduler.advance(61_000)
  fixture.crash()
  const path = `${LOG_DIR}/golden-0/00000000000000000000.log`
  fixture.fs.corrupt(path, 2 * batch().length + 80, Buffer.from([9]))
  const sizeBefore = fixture.fs.sizeBytes(path)
  await fixture.open()
  const damaged = await fixture.log()
  expect(damaged.corruption).toMatchObject({ path, position: 2 * batch().length, offset: 2 })
  expect(fixture.fs.sizeBytes(path)).toBe(sizeBefore)
  expect(damaged.appendAsLeader(batch(), EPOCH, 'client')).toMatchObject({ kind: 'refused', errorCode: KAFKA_STORAGE_ERROR })
  damaged.truncateFullyAndStartAt(0 as Offset)
  expect(damaged.corruption).toBeNull()
  expect(damaged.appendAsLeader(batch(), EPOCH, 'client')).toMatchObject({ kind: 'appended', firstOffset: 0 })
})

test('a sealed segment that lost what was synced is damage, not a gap of compaction', async () => {
  const fixture = new LogFixture({ config: { segmentBytes: 400 } })
  const log = await fixture.log()
  for (let i = 0; i < 6; i++) log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  await fixture.scheduler.advance(61_000)
  // Rolls, so that the recovery point is where the last segment begins.
  log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  const sealed = fixture.fs.list(log.directory).filter((name) => name.endsWith('.log')).at(-2)!
  fixture.crash()
  const file = fixture.fs.open(`${log.directory}/${sealed}`, 'read-write')
  file.truncateSync(0)
  file.syncSync()
  file.close()
  await fixture.open()
  const damaged = await fixture.log()
  expect(damaged.corruption).toMatchObject({ path: `${log.directory}/${sealed}`, position: 0 })
})

test('running out of descriptors fails a read, not the directory', async () => {
  const fixture = new LogFixture({ config: { segmentBytes: 200 }, manager: { tailCacheBytesMax: 0, openFilesMax: 1 } })
  const log = await fixture.log()
  for (let i = 0; i < 3; i++) log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  const lift = fixture.fs.inject({ operation: 'open', code: 'EMFILE' })
  expect(await log.read({ startOffset: 0 as Offset, ...read })).toMatchObject({ kind: 'failed', errorCode: KAFKA_STORAGE_ERROR })
  lift()
  expect(await log.read({ startOffset: 0 as Offset, ...read })).toMatchObject({ kind: 'read' })
  expect(fixture.manager.get(PARTITION)).toBe(log)
})

test('running out of descriptors while writing or rolling closes cold files and goes on', async () => {
  const fixture = new LogFixture({ config: { segmentBytes: 200 } })
  const log = await fixture.log()
  for (let i = 0; i < 4; i++) {
    fixture.fs.inject({ operation: 'open', code: 'EMFILE', times: 1 })
    expect(log.appendAsLeader(batch(), EPOCH, 'client')).toMatchObject({ kind: 'appended', firstOffset: i })
    await fixture.settle()
  }
  expect([log.durableEndOffset, log.segmentCount]).toEqual([4, 4])
  expect(fixture.manager.directories).toMatchObject([{ state: 'online' }])
})

test('without any descriptor the directory goes offline, and says what to do', async () => {
  const fixture = new LogFixture({ config: { segmentBytes: 200 } })
  const log = await fixture.log()
  log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  const causes: string[] = []
  fixture.manager.onDirectoryFailed((_directory, cause) => causes.push(cause.message))
  fixture.fs.inject({ operation: 'open', code: 'EMFILE' })
  log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  expect(causes).toEqual([expect.stringContaining('raise its limit (ulimit -n)')])
})

test.each(['append', 'look-up by time'])('a sector that cannot be read ends all promises, also when it is met in an %s', async (where) => {
  const fixture = new LogFixture({ manager: { tailCacheBytesMax: 0 } })
  const before = await fixture.log()
  // Beyond an index entry, so that the next start need not read the first batch.
  for (let i = 0; i < 100; i++) before.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  await fixture.close()
  const log = await fixture.log()
  const failures: string[] = []
  log.onFailed((cause) => failures.push(cause.message))
  fixture.fs.inject({ operation: 'read', code: 'EIO', pathIncludes: '.log' })
  if (where === 'append') expect(() => log.appendAsLeader(batch(), EPOCH, 'client')).not.toThrow()
  else expect(await log.offsetForTimestamp(1_700_000_400_000)).toBeNull()
  await fixture.settle()
  expect(failures).toHaveLength(1)
  expect(log.durableEndOffset).toBe(100)
  expect(log.appendAsLeader(batch(), EPOCH, 'client')).toMatchObject({ kind: 'refused', errorCode: KAFKA_STORAGE_ERROR })
})

test.each(['rename', 'remove', 'sync-directory'] as const)('a follower whose log cannot begin anew (%s) refuses what it was to begin with', async (operation) => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  log.truncateFullyAndStartAt(5 as Offset)
  await fixture.settle()
  fixture.fs.inject({ operation, code: 'EIO', pathIncludes: 'golden-0' })
  // The log begins inside the leader's first batch.
  const records = Array.from({ length: 5 }, () => ({ timestamp: 1_700_000_400_000, key: null, value: null }))
  expect(log.appendAsFollower(buildBatch(records, { baseOffset: 3 }), EPOCH)).toMatchObject({ kind: 'refused', errorCode: KAFKA_STORAGE_ERROR })
  expect(fixture.manager.directories).toMatchObject([{ state: 'offline' }])
})
