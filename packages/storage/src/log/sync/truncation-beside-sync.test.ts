/** A truncation while a sync is in flight: what is left becomes durable without another append. */
import { seededRandom } from '@kavka/kernel'
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

test.each(Array.from({ length: 30 }, (_, seed) => seed))('whatever happened, all there is becomes durable, and the owner is told (seed %i)', async (seed) => {
  const random = seededRandom(seed)
  const fixture = new LogFixture({ config: { segmentBytes: 800, flushMessages: seed % 6 === 0 ? 3 : 1 } })
  const log = await fixture.log()
  let known: number = log.durableEndOffset
  log.onDurable(() => (known = log.durableEndOffset))
  for (let step = 0; step < 40; step++) {
    const dice = random.below(10)
    if (dice < 5) log.appendAsLeader(batch(), EPOCH, 'client')
    else if (dice < 8) await fixture.scheduler.advance(random.below(4) / 2)
    else {
      if (dice === 8) log.truncateTo((log.logStartOffset + random.below(log.logEndOffset - log.logStartOffset + 1)) as Offset)
      else log.truncateFullyAndStartAt(Math.max(0, log.logEndOffset + random.below(20) - 10) as Offset)
      // A follower announces itself with what it has then.
      known = log.durableEndOffset
    }
    expect(log.durableEndOffset).toBeLessThanOrEqual(log.logEndOffset)
  }
  await fixture.settle()
  expect([log.durableEndOffset, known]).toEqual([log.logEndOffset, log.logEndOffset])
})
