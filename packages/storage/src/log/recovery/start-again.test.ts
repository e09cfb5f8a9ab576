/** A log whose recorded start lies beyond all that is left of it begins again there, in however many attempts. */
import { replaceFileDurably, seededRandom } from '@kavka/kernel'
import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch } from '@kavka/protocol'
import { LOG_DIR, LogFixture } from '../../testing/log-fixture.ts'

const CHECKPOINTED = 61_000

test.each(Array.from({ length: 20 }, (_, index) => index))('power cut while its segments go, seed %i', async (seed) => {
  const fixture = new LogFixture({ config: { segmentBytes: 400 } })
  const log = await fixture.log()
  for (let i = 0; i < 9; i++) {
    log.appendAsLeader(buildBatch([{ timestamp: 1_700_000_400_000, key: null, value: Buffer.alloc(100, 1) }]), 0 as LeaderEpoch, 'client')
    await fixture.settle()
  }
  await fixture.scheduler.advance(CHECKPOINTED)
  fixture.kill()
  replaceFileDurably(fixture.fs, `${LOG_DIR}/log-start-offset-checkpoint`, '0\n1\ngolden 0 50\n')
  await fixture.open()
  fixture.crash(seededRandom(seed))
  await fixture.open()
  const again = await fixture.log()
  expect([again.corruption, again.logStartOffset, again.logEndOffset]).toEqual([null, 50, 50])
})
