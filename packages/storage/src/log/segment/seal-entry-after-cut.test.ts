/** The last time entry of a sealed segment names a record: cut away, it must not be believed again. */
import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import { LOG_DIR, LogFixture } from '../../testing/log-fixture.ts'
import type { DiskLog } from '../disk-log.ts'

const CHECKPOINTED = 61_000
const TIME_ENTRY_BYTES = 12
const CUT_AT = 3

function append(log: DiskLog, timestamp: number, valueBytes = 100) {
  const record = { timestamp, key: null, value: Buffer.alloc(valueBytes, 1), headers: [] }
  log.appendAsLeader(buildBatch([record]), 0 as LeaderEpoch, 'client')
}

/**
 * Every second batch is indexed: the third, and not the fourth, which has the largest timestamp. The segment was sealed behind it, as a
 * fifth did not fit, and cut before it.
 */
async function cutAfterSeal(fixture: LogFixture): Promise<DiskLog> {
  const log = await fixture.log()
  for (const timestamp of [1_010, 1_020, 1_030, 1_090]) append(log, timestamp)
  append(log, 1_095, 400)
  await fixture.settle()
  expect(log.segmentCount).toBe(2)
  log.truncateTo(CUT_AT as Offset)
  return log
}

const fixtureOf = () => new LogFixture({ config: { indexIntervalBytes: 200, segmentBytes: 1_000 } })

test('it leaves the file with its record', async () => {
  const fixture = fixtureOf()
  await cutAfterSeal(fixture)
  const times = fixture.fs.peek(`${LOG_DIR}/golden-0/00000000000000000000.timeindex`)
  expect([times.length, times.readInt32BE(times.length - 4)]).toEqual([TIME_ENTRY_BYTES, 2])
})

test('after a crash the largest timestamp is that of a record that is there', async () => {
  const fixture = fixtureOf()
  const log = await cutAfterSeal(fixture)
  for (const timestamp of [1_005, 1_006]) append(log, timestamp)
  await fixture.settle()
  await fixture.scheduler.advance(CHECKPOINTED)
  fixture.kill()
  await fixture.open()
  const again = await fixture.log()
  expect([again.logEndOffset, again.segmentCount]).toEqual([5, 1])
  expect(await again.offsetOfMaxTimestamp()).toMatchObject({ timestampMs: 1_030, offset: 2 })
})
