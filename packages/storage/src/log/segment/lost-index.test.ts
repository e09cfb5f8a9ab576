/** Indexes below the recovery point are believed after a crash, so they have to be there. */
import { seededRandom } from '@kavka/kernel'
import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import { LOG_DIR, LogFixture } from '../../testing/log-fixture.ts'
import type { DiskLog } from '../disk-log.ts'

const CHECKPOINTED = 61_000
const INDEX = `${LOG_DIR}/golden-0/00000000000000000000.index`
const TIME_INDEX = `${LOG_DIR}/golden-0/00000000000000000000.timeindex`
/** Larger than that of any later record. */
const LARGEST = { timestampMs: 1_900, offset: 2 }

async function append(fixture: LogFixture, log: DiskLog, timestamps: readonly number[]): Promise<void> {
  for (const timestamp of timestamps) {
    log.appendAsLeader(buildBatch([{ timestamp, key: null, value: Buffer.alloc(100, 1), headers: [] }]), 0 as LeaderEpoch, 'client')
  }
  await fixture.settle()
}

/** Eight records, indexed, the third of which has the largest timestamp, all below the recovery point. */
async function checkpointed(): Promise<{ readonly fixture: LogFixture; readonly log: DiskLog }> {
  const fixture = new LogFixture({ config: { indexIntervalBytes: 200 } })
  const log = await fixture.log()
  await append(fixture, log, [1_010, 1_020, LARGEST.timestampMs, 1_030, 1_040, 1_050, 1_060, 1_070])
  await fixture.scheduler.advance(CHECKPOINTED)
  return { fixture, log }
}

const seeds = Array.from({ length: 20 }, (_, seed) => seed)

test.each(seeds)('one that was torn and made again is never less than it was, whatever a power cut leaves (%s)', async (seed) => {
  const { fixture } = await checkpointed()
  await fixture.close()
  fixture.fs.writeFile(TIME_INDEX, fixture.fs.readFile(TIME_INDEX).subarray(0, -3))
  const log = await fixture.log()
  log.truncateTo(7 as Offset)
  fixture.crash(seededRandom(seed))
  expect(await (await fixture.log()).offsetOfMaxTimestamp()).toMatchObject(LARGEST)
})

test.each([INDEX, TIME_INDEX])('where %s is gone, both are made again', async (path) => {
  const { fixture } = await checkpointed()
  fixture.kill()
  fixture.fs.removeFile(path)
  const log = await fixture.log()
  expect(await log.offsetOfMaxTimestamp()).toMatchObject(LARGEST)
  await append(fixture, log, [1_080])
  await fixture.scheduler.advance(CHECKPOINTED)
  expect([INDEX, TIME_INDEX].map((file) => fixture.fs.peek(file).length > 0)).toEqual([true, true])
})
