import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import { LOG_DIR, LogFixture } from '../../testing/log-fixture.ts'
import type { DiskLog } from '../disk-log.ts'

const BATCH_BYTES = 200
const CHECKPOINTED = 61_000

function append(log: DiskLog, epoch: number, count: number): void {
  const record = { timestamp: 1_700_000_400_000, key: null, value: Buffer.alloc(100, 1), headers: [] }
  for (let i = 0; i < count; i++) log.appendAsLeader(buildBatch([record]), epoch as LeaderEpoch, 'client')
}

const endOf = (log: DiskLog, epoch: number) => log.endOffsetForEpoch(epoch as LeaderEpoch)

/** Epochs 2, 3 and 5 of four batches each, and two of 6; records before the eleventh are deleted, and the process is killed. */
async function killedBeforeLogStartIsRecorded(fixture: LogFixture, epochBeforeKill: number): Promise<DiskLog> {
  let log = await fixture.log()
  for (const epoch of [2, 3, 5]) append(log, epoch, 4)
  await fixture.settle()
  log.updateHighWatermark(12 as Offset)
  expect(log.advanceLogStartOffset(10 as Offset)).toBe(true)
  expect(endOf(log, 3)).toEqual({ epoch: 3, endOffset: 10 })
  append(log, epochBeforeKill, 2)
  await fixture.settle()
  fixture.kill()
  await fixture.open()
  log = await fixture.log()
  return log
}

test.each([1_073_741_824, 2 * BATCH_BYTES])('epochs that a forgotten log start had dropped are found in the batches, segments of %s bytes', async (segmentBytes) => {
  const fixture = new LogFixture({ config: { segmentBytes, indexIntervalBytes: BATCH_BYTES } })
  const log = await killedBeforeLogStartIsRecorded(fixture, 6)
  expect([log.logStartOffset, log.logEndOffset]).toEqual([0, 14])
  expect([1, 2, 3, 4, 5, 6].map((epoch) => endOf(log, epoch))).toEqual([
    { epoch: 1, endOffset: 0 }, { epoch: 2, endOffset: 4 }, { epoch: 3, endOffset: 8 },
    { epoch: 3, endOffset: 8 }, { epoch: 5, endOffset: 12 }, { epoch: 6, endOffset: 14 },
  ])
})

test('what was found is written, so that a clean start reads nothing', async () => {
  const fixture = new LogFixture()
  await killedBeforeLogStartIsRecorded(fixture, 6)
  await fixture.scheduler.advance(CHECKPOINTED)
  const text = fixture.fs.readFile(`${LOG_DIR}/golden-0/leader-epoch-checkpoint`).toString()
  expect(text).toBe('0\n4\n2 0\n3 4\n5 8\n6 12\n')
})

test('the epoch that spanned the deleted end is one epoch again, not two', async () => {
  const log = await killedBeforeLogStartIsRecorded(new LogFixture(), 5)
  expect([2, 3, 5].map((epoch) => endOf(log, epoch)?.endOffset)).toEqual([4, 8, 14])
})

test('a log start that was recorded keeps earlier epochs away', async () => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  for (const epoch of [2, 3]) append(log, epoch, 4)
  await fixture.settle()
  log.updateHighWatermark(8 as Offset)
  log.advanceLogStartOffset(6 as Offset)
  await fixture.scheduler.advance(CHECKPOINTED)
  fixture.kill()
  await fixture.open()
  const again = await fixture.log()
  expect(again.logStartOffset).toBe(6)
  expect(endOf(again, 2)).toEqual({ epoch: 2, endOffset: 6 })
})

test.each(['kill', 'clean stop'] as const)('a file that was lost is made again from the batches on both sides of the recovery point, after a %s', async (stop) => {
  const fixture = new LogFixture({ config: { segmentBytes: 4 * BATCH_BYTES, indexIntervalBytes: BATCH_BYTES } })
  const log = await fixture.log()
  for (const epoch of [2, 3]) append(log, epoch, 5)
  await fixture.settle()
  await fixture.scheduler.advance(CHECKPOINTED)
  for (const epoch of [3, 7]) append(log, epoch, 5)
  await fixture.settle()
  if (stop === 'kill') fixture.kill()
  else await fixture.close()
  fixture.fs.removeFile(`${LOG_DIR}/golden-0/leader-epoch-checkpoint`)
  await fixture.open()
  const again = await fixture.log()
  expect([1, 2, 3, 5, 7].map((epoch) => endOf(again, epoch))).toEqual([
    { epoch: 1, endOffset: 0 }, { epoch: 2, endOffset: 5 }, { epoch: 3, endOffset: 15 }, { epoch: 3, endOffset: 15 }, { epoch: 7, endOffset: 20 },
  ])
})
