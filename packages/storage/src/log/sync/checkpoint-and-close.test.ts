/** What a checkpoint and a clean close write, and what the next start may then leave unread. */
import { buildBatch, buildEndTransactionMarker } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { DiskLog } from '../disk-log.ts'
import { LOG_DIR, LogFixture, PARTITION, TOPIC_ID } from '../../testing/log-fixture.ts'

const EPOCH = 0 as LeaderEpoch
const CHECKPOINTED = 61_000
const FIRST = `${LOG_DIR}/golden-0/00000000000000000000`
const read = { endOffsetMax: 1_000 as Offset, bytesMax: 1_000_000, minimum: 'at-least-one-batch' as const }
const batch = (timestamp = 1_700_000_400_000) => buildBatch([{ timestamp, key: null, value: Buffer.alloc(100, 1) }])

async function written(fixture: LogFixture, count: number) {
  const log = await fixture.log()
  for (let i = 0; i < count; i++) log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  return log
}

test('a log that is idle since its checkpoint is closed without a sync, and opened again', async () => {
  const fixture = new LogFixture({ config: { indexIntervalBytes: 200 } })
  await written(fixture, 20)
  await fixture.scheduler.advance(CHECKPOINTED)
  fixture.fs.inject({ operation: 'sync', code: 'EIO', pathIncludes: 'golden-0/' })
  fixture.fs.inject({ operation: 'sync-directory', code: 'EIO', pathIncludes: 'golden-0' })
  await fixture.close()
  expect(fixture.fs.exists(`${LOG_DIR}/.kafka_cleanshutdown`)).toBe(true)
  const log = await fixture.log()
  expect([log.logEndOffset, log.durableEndOffset]).toEqual([20, 20])
})

test('a log opened cleanly and left alone is closed without touching its files', async () => {
  const fixture = new LogFixture({ config: { indexIntervalBytes: 200 } })
  await written(fixture, 20)
  await fixture.close()
  await fixture.open()
  for (const operation of ['write', 'truncate', 'sync'] as const) {
    fixture.fs.inject({ operation, code: 'EIO', pathIncludes: 'golden-0/' })
  }
  await fixture.close()
  expect(fixture.fs.exists(`${LOG_DIR}/.kafka_cleanshutdown`)).toBe(true)
})

test('a log that is deleted while it is checkpointed does not take its directory offline', async () => {
  const fixture = new LogFixture()
  const log = (await written(fixture, 3)) as DiskLog
  const checkpointed = log.checkpoint()
  fixture.manager.delete(PARTITION)
  await checkpointed
  expect(fixture.manager.directories).toMatchObject([{ state: 'online' }])
})

test('checkpoint files that would not change are not replaced', async () => {
  const fixture = new LogFixture()
  const log = await written(fixture, 3)
  log.updateHighWatermark(3 as Offset)
  await fixture.scheduler.advance(CHECKPOINTED)
  const replaced = fixture.fs.inject({ operation: 'rename', code: 'EIO', pathIncludes: 'checkpoint' })
  await fixture.scheduler.advance(3 * CHECKPOINTED)
  expect(fixture.manager.directories).toMatchObject([{ state: 'online' }])
  replaced()
})

test('a start after a crash reads what lies behind the recovery point, and little more', async () => {
  const fixture = new LogFixture({ config: { indexIntervalBytes: 200 }, manager: { tailCacheBytesMax: 0 } })
  const log = await written(fixture, 50)
  await fixture.scheduler.advance(CHECKPOINTED)
  for (let i = 0; i < 5; i++) log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  fixture.crash()
  // Were the batch looked at, the log would be offline.
  fixture.fs.corrupt(`${FIRST}.log`, 10 * batch().length + 80, Buffer.from([9]))
  const recovered = await fixture.log()
  expect([recovered.corruption, recovered.logEndOffset]).toEqual([null, 55])
  expect(await recovered.read({ startOffset: 10 as Offset, ...read })).toMatchObject({ kind: 'failed' })
  expect(await recovered.read({ startOffset: 52 as Offset, ...read })).toMatchObject({ kind: 'read', nextOffset: 55 })
})

describe('between two regular checkpoints the recovery point of a log moves', () => {
  const KIBIBYTE = 1024
  const unsaved = { noticedBytes: 64 * KIBIBYTE, bytesMax: 128 * KIBIBYTE, logBytesMin: 16 * KIBIBYTE }
  const large = buildBatch([{ timestamp: 1_700_000_400_000, key: null, value: Buffer.alloc(17 * KIBIBYTE, 1) }])

  /** What is recorded two seconds after so many large batches in one log and a small one in another. */
  async function recordedAfter(largeBatches: number): Promise<string> {
    const fixture = new LogFixture({ config: { segmentBytes: 2 ** 30 }, manager: { tailCacheBytesMax: 0, unsaved } })
    const log = await fixture.log()
    for (let i = 0; i < largeBatches; i++) log.appendAsLeader(Buffer.from(large), EPOCH, 'client')
    const small = fixture.manager.getOrCreate({ topic: 'small', partition: 0 }, TOPIC_ID, fixture.config)
    if (small.ok) small.value.appendAsLeader(batch(), EPOCH, 'client')
    await fixture.scheduler.advance(2_000)
    const file = `${LOG_DIR}/recovery-point-offset-checkpoint`
    return fixture.fs.exists(file) ? fixture.fs.readFile(file).toString() : ''
  }

  test('when much waits in the directory and in the log', async () => {
    expect(await recordedAfter(4)).toContain('golden 0 4')
    expect(await recordedAfter(4)).toContain('small 0 0')
  })

  test('not when little waits in the directory', async () => {
    expect(await recordedAfter(3)).not.toContain('golden 0 3')
  })

  test('whatever waits in the log, when very much waits in the directory', async () => {
    expect(await recordedAfter(8)).toContain('small 0 1')
  })
})

test('a damaged log keeps its recovery point: a later start must not take the damage for a torn tail', async () => {
  const fixture = new LogFixture()
  await written(fixture, 5)
  await fixture.scheduler.advance(CHECKPOINTED)
  fixture.crash()
  fixture.fs.corrupt(`${FIRST}.log`, 2 * batch().length + 80, Buffer.from([9]))
  for (let start = 0; start < 2; start++) {
    const damaged = await fixture.log()
    expect(damaged.corruption).toMatchObject({ offset: 2 })
    await fixture.scheduler.advance(CHECKPOINTED)
    fixture.crash()
  }
  expect(fixture.fs.sizeBytes(`${FIRST}.log`)).toBe(5 * batch().length)
})

test('a damaged transaction index of an old segment is made again from the batches', async () => {
  const fixture = new LogFixture({ config: { segmentBytes: 600 } })
  const log = await fixture.log()
  const data = (producerId: number) =>
    buildBatch([{ timestamp: 1_700_000_400_000, key: null, value: Buffer.alloc(100, 1) }], {
      producerId, producerEpoch: 0, baseSequence: 0, transactional: true,
    })
  for (const producerId of [1, 2, 3]) log.appendAsLeader(data(producerId), EPOCH, 'client')
  for (const [producerId, outcome] of [[2, 'commit'], [1, 'abort'], [3, 'abort']] as const) {
    const marker = { outcome, producerId, producerEpoch: 0, coordinatorEpoch: 1, timestamp: 1_700_000_400_000 }
    log.appendAsLeader(buildEndTransactionMarker(marker), EPOCH, 'transaction-marker')
  }
  for (let i = 0; i < 9; i++) log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  const expected = log.abortedTransactions(0 as Offset, log.logEndOffset)
  expect(expected).toEqual([{ producerId: 1, firstOffset: 0 }, { producerId: 3, firstOffset: 2 }])
  await fixture.close()
  const damaged = fixture.fs.list(`${LOG_DIR}/golden-0`).filter((name) => name.endsWith('.txnindex'))
  expect(damaged.length).toBeGreaterThan(0)
  for (const name of damaged) fixture.fs.corrupt(`${LOG_DIR}/golden-0/${name}`, 0, Buffer.from([9]))
  const reopened = await fixture.log()
  expect(reopened.abortedTransactions(0 as Offset, reopened.logEndOffset)).toEqual(expected)
})

test('a segment whose records have no time is as old as its last write', async () => {
  const fixture = new LogFixture({ config: { retentionMs: 10_000, messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER } })
  const log = await fixture.log()
  log.appendAsFollower(timeless(), EPOCH)
  await fixture.settle()
  log.updateHighWatermark(1 as Offset)
  await fixture.scheduler.advance(5_000)
  await fixture.close()
  const reopened = await fixture.log()
  reopened.updateHighWatermark(1 as Offset)
  fixture.manager.applyRetention()
  expect(reopened.logStartOffset).toBe(0)
  await fixture.scheduler.advance(6_000)
  fixture.manager.applyRetention()
  expect(reopened.logStartOffset).toBe(1)
})

function timeless(): Buffer {
  return buildBatch([{ timestamp: -1, key: null, value: Buffer.alloc(100, 1) }])
}

test('indexes of old segments are given back, and read again', async () => {
  const config = { segmentBytes: 2_000, indexIntervalBytes: 200 }
  const fixture = new LogFixture({ config, manager: { tailCacheBytesMax: 0, indexBytesMax: 1_000 } })
  const log = await written(fixture, 60)
  for (let round = 0; round < 2; round++) {
    for (let offset = 0; offset < 60; offset += 7) {
      const outcome = await log.read({ ...read, startOffset: offset as Offset, bytesMax: 1 })
      expect(outcome).toMatchObject({ kind: 'read', nextOffset: offset + 1 })
    }
  }
})

test('syncs are counted', async () => {
  const fixture = new LogFixture()
  const times: number[] = []
  await fixture.open()
  fixture.manager.onSynced((elapsedMs) => times.push(elapsedMs))
  await written(fixture, 1)
  expect(fixture.manager.get(PARTITION)?.durableEndOffset).toBe(1)
  const { count, totalMs } = fixture.manager.syncFigures
  expect(count).toBe(times.length)
  expect(count).toBeGreaterThan(0)
  expect(totalMs).toBeGreaterThan(0)
})
