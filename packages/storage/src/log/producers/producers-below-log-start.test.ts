/** Who wrote what a log start has passed may send it again all the same: no truncation and no start may forget them before the segment goes. */
import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import { LOG_DIR, LogFixture } from '../../testing/log-fixture.ts'
import type { DiskLog } from '../disk-log.ts'

const CHECKPOINTED = 61_000

function append(log: DiskLog, producerId: number, baseSequence: number) {
  const record = { timestamp: 1_700_000_400_000, key: null, value: Buffer.alloc(100, 1), headers: [] }
  return log.appendAsLeader(buildBatch([record], { producerId, producerEpoch: 0, baseSequence }), 0 as LeaderEpoch, 'client').kind
}

const known = (log: DiskLog) => log.activeProducers.map(({ producerId, lastSequence }) => [producerId, lastSequence])

/** Producer 1 wrote offsets 0 and 1, producer 2 the next two, producer 3 the last; the log starts at 3. */
async function trimmed(fixture: LogFixture): Promise<DiskLog> {
  const log = await fixture.log()
  for (const [producerId, sequence] of [[1, 0], [1, 1], [2, 0], [2, 1], [3, 0]] as const) append(log, producerId, sequence)
  await fixture.settle()
  log.updateHighWatermark(4 as Offset)
  expect(log.advanceLogStartOffset(3 as Offset)).toBe(true)
  return log
}

test('a truncation keeps the producers of records below the log start', async () => {
  const log = await trimmed(new LogFixture())
  log.truncateTo(4 as Offset)
  expect(known(log)).toEqual([[1, 1], [2, 1]])
  expect([append(log, 1, 1), append(log, 2, 1), append(log, 3, 0)]).toEqual(['duplicate', 'duplicate', 'appended'])
})

test('a snapshot taken after such a truncation holds where the log start falls back', async () => {
  const fixture = new LogFixture()
  const log = await trimmed(fixture)
  log.truncateTo(4 as Offset)
  await fixture.scheduler.advance(CHECKPOINTED)
  fixture.kill()
  fixture.fs.removeFile(`${LOG_DIR}/log-start-offset-checkpoint`)
  await fixture.open()
  const again = await fixture.log()
  expect([again.logStartOffset, again.logEndOffset]).toEqual([0, 4])
  expect(known(again)).toEqual([[1, 1], [2, 1]])
})

test.each(['killed', 'closed'])('a log of which all records are deleted knows their producers when it was %s', async (end) => {
  const fixture = new LogFixture()
  const log = await trimmed(fixture)
  log.updateHighWatermark(5 as Offset)
  log.advanceLogStartOffset(5 as Offset)
  await fixture.scheduler.advance(CHECKPOINTED)
  if (end === 'closed') await fixture.close()
  else fixture.kill()
  await fixture.open()
  const again = await fixture.log()
  expect([again.logStartOffset, again.logEndOffset]).toEqual([5, 5])
  expect(known(again)).toEqual([[1, 1], [2, 1], [3, 0]])
  expect(append(again, 3, 0)).toBe('duplicate')
})

test('so does one whose segment retention has taken', async () => {
  const fixture = new LogFixture({ config: { retentionMs: 1_000 } })
  const log = await trimmed(fixture)
  log.updateHighWatermark(5 as Offset)
  log.advanceLogStartOffset(5 as Offset)
  fixture.manager.applyRetention()
  expect(fixture.fs.list(`${LOG_DIR}/golden-0`).filter((name) => name.endsWith('.log'))).toEqual(['00000000000000000005.log'])
  await fixture.settle()
  await fixture.close()
  await fixture.open()
  const again = await fixture.log()
  expect(known(again)).toEqual([[1, 1], [2, 1], [3, 0]])
})

test('a log that cannot be emptied of its snapshots is not emptied: they would tell of another history where it begins', async () => {
  const fixture = new LogFixture()
  const log = await trimmed(fixture)
  await fixture.scheduler.advance(CHECKPOINTED)
  append(log, 3, 1)
  await fixture.settle()
  fixture.fs.inject({ operation: 'remove', code: 'EIO', pathIncludes: '.snapshot', times: 1 })
  log.truncateFullyAndStartAt(5 as Offset)
  fixture.kill()
  await fixture.open()
  const again = await fixture.log()
  expect([again.logEndOffset, known(again)]).toEqual([6, [[1, 1], [2, 1], [3, 1]]])
  again.truncateFullyAndStartAt(5 as Offset)
  expect(known(again)).toEqual([])
})
