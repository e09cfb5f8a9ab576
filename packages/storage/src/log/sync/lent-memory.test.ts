/**
 * What a follower appends lies in the memory that it was received in, which is used again once the turn has ended (transport's
 * `receive-memory.ts`). Here it is overwritten then: no log may still hold any of it, whenever syncs end, logs are cut or rolled.
 */
import { seededRandom } from '@kavka/kernel'
import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { PartitionLog } from '../../partition-log.ts'
import { LogFixture, TOPIC_ID } from '../../testing/log-fixture.ts'

const LOGS = 3

async function logsOf(fixture: LogFixture): Promise<PartitionLog[]> {
  await fixture.open()
  return Array.from({ length: LOGS }, (_, partition) => {
    const made = fixture.manager.getOrCreate({ topic: 'lent', partition }, TOPIC_ID, fixture.config)
    if (!made.ok) throw new Error(made.error.message)
    return made.value
  })
}

test.each(Array.from({ length: 20 }, (_, seed) => seed))('what a log was lent is written before it is used again (seed %i)', async (seed) => {
  const random = seededRandom(seed)
  const fixture = new LogFixture({ seed, config: { segmentBytes: 20_000 } })
  const { scheduler } = fixture
  const logs = await logsOf(fixture)
  const append = (): void => {
    const log = logs[random.below(LOGS)]!
    const records = [{ timestamp: 1, key: null, value: Buffer.alloc(random.below(3_000), 7) }]
    const lent = buildBatch(records, { baseOffset: log.logEndOffset, partitionLeaderEpoch: 0 })
    expect(log.appendAsFollower(lent, 0 as LeaderEpoch)).toMatchObject({ kind: 'appended' })
    scheduler.soon(() => lent.fill(0xee))
  }
  for (let turn = 0; turn < 80; turn++) {
    for (let count = random.below(5); count > 0; count--) append()
    const log = logs[random.below(LOGS)]!
    if (random.below(10) === 0) log.truncateTo(random.below(log.logEndOffset + 1) as Offset)
    if (random.below(3) === 0) append()
    if (random.below(2) === 0) await scheduler.advance(random.below(3) / 2)
    else scheduler.advanceSync(0)
  }
  await fixture.settle()
  for (const log of logs) {
    expect(log.durableEndOffset).toBe(log.logEndOffset)
    // Checked against the checksum of each batch.
    for (let at = 0; at < log.logEndOffset; at++) {
      const read = await log.read({ startOffset: at as Offset, endOffsetMax: log.logEndOffset, bytesMax: 1, minimum: 'at-least-one-batch' })
      expect(read).toMatchObject({ kind: 'read', nextOffset: at + 1 })
    }
  }
})
