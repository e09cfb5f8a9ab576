/** What retention takes stays gone, or comes back without a hole, whatever a power cut leaves of the names. */
import { seededRandom } from '@kavka/kernel'
import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import { LogFixture } from '../../testing/log-fixture.ts'

const EPOCH = 0 as LeaderEpoch
const BATCHES = 6
const RETENTION_MS = 10_000

test.each(Array.from({ length: 40 }, (_, seed) => seed))('two rounds with nothing synced between them, and a power cut (seed %i)', async (seed) => {
  const fixture = new LogFixture({ config: { segmentBytes: 400, retentionMs: RETENTION_MS, fileDeleteDelayMs: 10 * RETENTION_MS } })
  const log = await fixture.log()
  const startMs = fixture.scheduler.wallMs()
  for (let at = 0; at < BATCHES; at++) {
    // The recovery point stays behind them all: the checkpoint of it comes once a minute.
    log.appendAsLeader(buildBatch([{ timestamp: startMs + at * 1_000, key: null, value: Buffer.alloc(200, at) }]), EPOCH, 'client')
    await fixture.settle()
  }
  log.updateHighWatermark(BATCHES as Offset)
  expect([log.durableEndOffset, log.segmentCount]).toEqual([BATCHES, BATCHES])
  for (let round = 1; round <= 3; round++) {
    await fixture.scheduler.advance(startMs + RETENTION_MS + (round - 1) * 1_000 + 500 - fixture.scheduler.wallMs())
    fixture.manager.applyRetention()
    expect(log.logStartOffset).toBe(round)
  }
  fixture.crash(seededRandom(seed))
  const reopened = await fixture.log()
  expect(reopened.logEndOffset).toBe(BATCHES)
  for (let offset = reopened.logStartOffset; offset < BATCHES; offset++) {
    const outcome = await reopened.read({ startOffset: offset, endOffsetMax: BATCHES as Offset, bytesMax: 1, minimum: 'at-least-one-batch' })
    expect(outcome).toMatchObject({ kind: 'read', nextOffset: offset + 1 })
  }
})
