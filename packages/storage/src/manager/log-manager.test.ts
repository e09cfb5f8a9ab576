import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, NodeId, Offset, Uuid } from '@kavka/protocol'
import { LOG_DIR, LogFixture, PARTITION, TOPIC_ID } from '../testing/log-fixture.ts'

const EPOCH = 0 as LeaderEpoch
const batch = (timestamp = 1_700_000_400_000) => buildBatch([{ timestamp, key: null, value: Buffer.alloc(100, 1) }])

test('a directory of another cluster or node is refused, naming file, found and expected', async () => {
  const fixture = new LogFixture()
  await fixture.open()
  await fixture.close()
  const meta = `${LOG_DIR}/meta.properties`
  const own = fixture.fs.readFile(meta).toString()
  fixture.fs.writeFile(meta, own.replace('test-cluster', 'elsewhere'))
  expect(await fixture.tryOpen()).toMatchObject({ ok: false, error: { message: `${meta} is of cluster elsewhere, this node is of cluster test-cluster` } })
  fixture.fs.writeFile(meta, own.replace('node.id=1', 'node.id=2'))
  expect(await fixture.tryOpen()).toMatchObject({ ok: false, error: { message: `${meta} is of node 2, this node is 1` } })
})

test('one process a directory; the lock of a dead one does not count', async () => {
  const fixture = new LogFixture()
  await fixture.open()
  const second = await fixture.tryOpen()
  expect(second.ok).toBe(false)
  fixture.fs.syncDirectory(LOG_DIR)
  fixture.crash()
  await expect(fixture.open()).resolves.toBeDefined()
})

test('a clean stop is remembered with its broker epoch, once', async () => {
  const fixture = new LogFixture()
  expect((await fixture.open()).previousBrokerEpoch).toBe(-1)
  await fixture.close(42)
  expect((await fixture.open()).previousBrokerEpoch).toBe(42)
  fixture.crash()
  expect((await fixture.open()).previousBrokerEpoch).toBe(-1)
})

test('a log is found again with its topic id and high watermark; another id is refused', async () => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  log.appendAsLeader(batch(), EPOCH, 'client')
  log.updateHighWatermark(1 as Offset)
  await fixture.settle()
  await fixture.close()
  const manager = await fixture.open()
  expect(manager.checkpointedHighWatermark(PARTITION)).toBe(1)
  expect(manager.get(PARTITION)?.topicId).toBe(TOPIC_ID)
  const other = manager.getOrCreate(PARTITION, 'AAAAAAAAAAAAAAAAAAAABQ' as Uuid, fixture.config)
  expect(other).toMatchObject({ ok: false, error: { errorCode: 103 } })
  expect(manager.getOrCreate(PARTITION, TOPIC_ID, fixture.config)).toEqual({ ok: true, value: manager.get(PARTITION) })
})

test.each([
  ['a log of a killed process outlives a power cut once it is synced again', (fixture: LogFixture) => fixture.kill()],
  ['a file that was lost with its name is made again, and its new name outlives the next power cut', (fixture: LogFixture) => {
    fixture.fs.syncDirectory(LOG_DIR)
    fixture.crash()
  }],
])('%s', async (_name, end) => {
  const fixture = new LogFixture()
  await fixture.log()
  end(fixture)
  const log = await fixture.log()
  log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  expect(log.durableEndOffset).toBe(1)
  fixture.crash()
  expect((await fixture.log()).logEndOffset).toBe(1)
})

test('a deleted log is renamed at once and removed after its delay; a stray one stays', async () => {
  const fixture = new LogFixture({ config: { fileDeleteDelayMs: 1_000 } })
  await fixture.log()
  fixture.manager.getOrCreate({ topic: 'stray', partition: 3 }, TOPIC_ID, fixture.config)
  fixture.manager.delete(PARTITION)
  fixture.manager.markStray({ topic: 'stray', partition: 3 })
  const leaving = () => fixture.fs.list(LOG_DIR).filter((name) => /\.[0-9a-f]{32}-(delete|stray)$/.test(name))
  expect([fixture.manager.get(PARTITION), leaving()]).toMatchObject([null, [expect.stringMatching(/^golden-0\./), expect.stringMatching(/^stray-3\./)]])
  await fixture.scheduler.advance(1_001)
  expect(leaving()).toMatchObject([expect.stringMatching(/^stray-3\./)])
})

describe('a log that lost its topic id with the power', () => {
  const NEXT_ID = 'AAAAAAAAAAAAAAAAAAAABQ' as Uuid

  /** As when the disk had the records already, and not what lies beside them. */
  async function loseTopicId(fixture: LogFixture): Promise<void> {
    const file = fixture.fs.open(`${(await fixture.log()).directory}/partition.metadata`, 'read-write')
    file.truncateSync(0)
    file.syncSync()
    fixture.crash()
    await fixture.open()
  }

  async function written(records: number): Promise<LogFixture> {
    const fixture = new LogFixture()
    const log = await fixture.log()
    for (let count = 0; count < records; count++) log.appendAsLeader(batch(), EPOCH, 'client')
    await fixture.settle()
    return fixture
  }

  const endOfNext = (fixture: LogFixture): unknown => {
    const made = fixture.manager.getOrCreate(PARTITION, NEXT_ID, fixture.config)
    return made.ok ? [made.value.topicId, made.value.logEndOffset] : made.error
  }
  const strays = ({ fs }: LogFixture): number => fs.list(LOG_DIR).filter((name) => name.endsWith('-stray')).length

  test('leaves its records to nobody: the topic of that name may be another by now', async () => {
    const fixture = await written(3)
    await loseTopicId(fixture)
    expect([endOfNext(fixture), strays(fixture)]).toEqual([[NEXT_ID, 0], 1])
  })

  test('and has none is taken as it is', async () => {
    const fixture = await written(0)
    fixture.fs.syncDirectory(LOG_DIR)
    await loseTopicId(fixture)
    expect([endOfNext(fixture), strays(fixture)]).toEqual([[NEXT_ID, 0], 0])
  })

  test('though records and id were on the disk keeps them: it is the file that was damaged', async () => {
    const fixture = await written(3)
    await fixture.scheduler.advance(61_000)
    expect((await fixture.log()).recordedPoint).toBe(3)
    await loseTopicId(fixture)
    expect([endOfNext(fixture), strays(fixture)]).toEqual([[NEXT_ID, 3], 0])
  })
})

test('retention by size deletes whole segments below the high watermark, files later', async () => {
  const fixture = new LogFixture({ config: { segmentBytes: 400, retentionBytes: 500, fileDeleteDelayMs: 1_000 } })
  const log = await fixture.log()
  for (let i = 0; i < 10; i++) log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  fixture.manager.applyRetention()
  expect(log.logStartOffset).toBe(0)
  log.updateHighWatermark(log.logEndOffset)
  fixture.manager.applyRetention()
  expect(log.logStartOffset).toBeGreaterThan(0)
  expect(log.sizeBytes).toBeGreaterThanOrEqual(500)
  expect(fixture.fs.list(log.directory).some((name) => name.endsWith('.deleted'))).toBe(true)
  await fixture.scheduler.advance(1_001)
  expect(fixture.fs.list(log.directory).some((name) => name.endsWith('.deleted'))).toBe(false)
})

test('retention by time rolls and empties an expired log without losing its end', async () => {
  const fixture = new LogFixture({ config: { retentionMs: 1_000 } })
  const log = await fixture.log()
  for (let i = 0; i < 3; i++) log.appendAsLeader(batch(), EPOCH, 'client')
  log.updateHighWatermark(3 as Offset)
  await fixture.settle()
  fixture.manager.applyRetention()
  expect([log.logStartOffset, log.logEndOffset, log.sizeBytes]).toEqual([3, 3, 0])
  fixture.crash()
  // The renames may be lost with the power, as in Kafka; the log end may not.
  expect((await fixture.log()).logEndOffset).toBe(3)
})

test('many partitions open with few files', async () => {
  const fixture = new LogFixture({ manager: { openFilesMax: 8, nodeId: 1 as NodeId } })
  await fixture.open()
  for (let partition = 0; partition < 50; partition++) {
    const created = fixture.manager.getOrCreate({ topic: 'many', partition }, TOPIC_ID, fixture.config)
    if (created.ok) created.value.appendAsLeader(batch(), EPOCH, 'client')
  }
  await fixture.settle()
  expect([...fixture.manager.logs()].map((log) => log.durableEndOffset)).toEqual(Array.from({ length: 50 }, () => 1))
  await fixture.close()
  await fixture.open()
  expect([...fixture.manager.logs()].map((log) => log.logEndOffset)).toEqual(Array.from({ length: 50 }, () => 1))
})

test('checkpoints of a deleted log are not taken for those of its successor of the same name', async () => {
  const fixture = new LogFixture()
  const first = await fixture.log()
  for (let count = 0; count < 6; count++) first.appendAsLeader(batch(), EPOCH, 'client')
  first.updateHighWatermark(6 as Offset)
  await fixture.settle()
  await fixture.close()
  const second = await fixture.open()
  expect(second.checkpointedHighWatermark(PARTITION)).toBe(6)
  second.delete(PARTITION)
  const successor = second.getOrCreate(PARTITION, 'AAAAAAAAAAAAAAAAAAAABQ' as Uuid, fixture.config)
  if (!successor.ok) throw new Error(successor.error.message)
  expect(second.checkpointedHighWatermark(PARTITION)).toBe(0)
  successor.value.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  fixture.crash()
  expect((await fixture.open()).checkpointedHighWatermark(PARTITION)).toBe(0)
})

describe('several directories', () => {
  const twoDirs = { manager: { logDirs: [LOG_DIR, '/other'] } }

  test('one that cannot be used at the start is offline, unless it is the last', async () => {
    const fixture = new LogFixture(twoDirs)
    const lift = fixture.fs.inject({ operation: 'write', code: 'EIO', pathIncludes: '/other' })
    const manager = await fixture.open()
    expect(manager.directories).toMatchObject([{ path: LOG_DIR, state: 'online' }, { path: '/other', state: 'offline' }])
    lift()
    const hopeless = new LogFixture(twoDirs)
    hopeless.fs.inject({ operation: 'write', code: 'EIO' })
    expect((await hopeless.tryOpen()).ok).toBe(false)
  })

  test('a log is made where the metadata has it, and nowhere while that directory may be the one that is offline', async () => {
    const fixture = new LogFixture(twoDirs)
    const manager = await fixture.open()
    const [first, other] = manager.directories
    const made = manager.getOrCreate(PARTITION, TOPIC_ID, fixture.config, other!.directoryId)
    expect([made.ok, manager.directoryIdOf(PARTITION)]).toEqual([true, other!.directoryId])
    await fixture.close()
    fixture.fs.inject({ operation: 'write', code: 'EIO', pathIncludes: '/other' })
    fixture.fs.inject({ operation: 'read', code: 'EIO', pathIncludes: '/other' })
    const reopened = await fixture.open()
    expect(reopened.directories).toMatchObject([{ state: 'online' }, { state: 'offline' }])
    expect(reopened.getOrCreate(PARTITION, TOPIC_ID, fixture.config, other!.directoryId)).toMatchObject({ ok: false, error: { errorCode: 56 } })
    expect(reopened.getOrCreate({ topic: 'new', partition: 0 }, TOPIC_ID, fixture.config).ok).toBe(true)
    expect(reopened.directoryIdOf({ topic: 'new', partition: 0 })).toBe(first!.directoryId)
  })
})

test('a segment that a start had to make after a clean stop outlives a power cut once it is synced', async () => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  for (let count = 0; count < 3; count++) log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  await fixture.close()
  for (const name of fixture.fs.list(log.directory)) if (name.startsWith('0')) fixture.fs.removeFile(`${log.directory}/${name}`)
  fixture.fs.syncDirectory(log.directory)
  const again = await fixture.log()
  again.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  expect(again.durableEndOffset).toBe(again.logEndOffset)
  fixture.crash()
  expect((await fixture.log()).logEndOffset).toBe(again.logEndOffset)
})
