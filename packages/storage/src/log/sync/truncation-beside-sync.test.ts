/** A truncation while a sync is in flight: what is left becomes durable without another append. */
import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import { LogFixture } from '../../testing/log-fixture.ts'

const EPOCH = 0 as LeaderEpoch
const batch = () => buildBatch([{ timestamp: 1_700_000_400_000, key: null, value: Buffer.alloc(100, 1) }])

test('what a truncation leaves of what is being synced becomes durable', async () => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  for (let i = 0; i < 10; i++) log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.scheduler.advance(0)
  expect(log.durableEndOffset).toBe(0)
  log.truncateTo(5 as Offset)
  await fixture.settle()
  expect([log.logEndOffset, log.durableEndOffset]).toEqual([5, 5])
})

test('an empty log is durable wherever it begins', async () => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  log.truncateFullyAndStartAt(1_000 as Offset)
  await fixture.settle()
  expect([log.logEndOffset, log.durableEndOffset]).toEqual([1_000, 1_000])
})
