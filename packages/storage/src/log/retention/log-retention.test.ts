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

describe('segments that go together', () => {
  /** So many segments of one record each, all of them below the recovery point. */
  async function recorded(segments: number) {
    const fixture = new LogFixture({ config: { segmentBytes: 400, retentionBytes: 800, fileDeleteDelayMs: 1_000_000 } })
    const log = await fixture.log()
    for (let at = 0; at < segments; at++) {
      log.appendAsLeader(buildBatch([{ timestamp: fixture.scheduler.wallMs(), key: null, value: Buffer.alloc(200, at) }]), EPOCH, 'client')
      await fixture.settle()
    }
    log.updateHighWatermark(segments as Offset)
    await fixture.scheduler.advance(61_000)
    expect([log.segmentCount, log.recordedPoint]).toEqual([segments, segments])
    return { fixture, log }
  }

  test.each(Array.from({ length: 40 }, (_, seed) => seed))('leave no hole, whatever a power cut leaves of their names (seed %i)', async (seed) => {
    const { fixture, log } = await recorded(8)
    fixture.manager.applyRetention()
    expect(log.segmentCount).toBe(3)
    fixture.crash(seededRandom(seed))
    const reopened = await fixture.log()
    expect([reopened.corruption, reopened.logStartOffset, reopened.logEndOffset]).toEqual([null, 5, 8])
  })

  test('go a few at a time, each with a sync of its directory', async () => {
    const { fixture, log } = await recorded(12)
    const syncs = jest.spyOn(fixture.fs, 'syncDirectory')
    const counts: number[] = []
    for (let files = log.applyRetention(); files.length > 0; files = log.applyRetention()) counts.push(log.segmentCount)
    expect(counts).toEqual([8, 4, 3])
    expect(syncs.mock.calls.filter(([path]) => path === log.directory)).toHaveLength(9)
  })

  test('go in the rounds of the timer too', async () => {
    const { fixture, log } = await recorded(12)
    await fixture.scheduler.advance(300_000)
    expect(log.segmentCount).toBe(3)
  })
})
