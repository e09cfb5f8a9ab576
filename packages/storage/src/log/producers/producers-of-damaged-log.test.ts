/** A replay that meets damage misses who wrote behind it: no snapshot may say that this is all, or the next start takes the log for whole. */
import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import { LOG_DIR, LogFixture } from '../../testing/log-fixture.ts'
import type { DiskLog } from '../disk-log.ts'

const CHECKPOINTED = 61_000
/** So that a start does not read what lies below the recovery point. */
const DENSE = { indexIntervalBytes: 1 }
const DIRECTORY = `${LOG_DIR}/golden-0`

function append(log: DiskLog, producerId: number, baseSequence: number) {
  const record = { timestamp: 1_700_000_400_000, key: null, value: Buffer.alloc(100, 1), headers: [] }
  return log.appendAsLeader(buildBatch([record], { producerId, producerEpoch: 0, baseSequence }), 0 as LeaderEpoch, 'client').kind
}

const known = (log: DiskLog) => log.activeProducers.map(({ producerId, lastSequence }) => [producerId, lastSequence])

const snapshots = (fixture: LogFixture) => fixture.fs.list(DIRECTORY).filter((name) => name.endsWith('.snapshot'))

/** Producer 1 wrote offsets 0 to 3 and producer 2 the next; the batch of offset 2, below the recovery point, is zeros, and no snapshot knows who wrote. */
async function damaged(fixture: LogFixture): Promise<DiskLog> {
  const log = await fixture.log()
  for (const [producerId, sequence] of [[1, 0], [1, 1], [1, 2], [1, 3], [2, 0]] as const) append(log, producerId, sequence)
  await fixture.settle()
  const batchBytes = log.sizeBytes / 5
  await fixture.scheduler.advance(CHECKPOINTED)
  fixture.kill()
  for (const name of snapshots(fixture)) fixture.fs.removeFile(`${DIRECTORY}/${name}`)
  fixture.fs.corrupt(`${DIRECTORY}/00000000000000000000.log`, 2 * batchBytes, Buffer.alloc(batchBytes))
  await fixture.open()
  const again = await fixture.log()
  expect([again.corruption?.found, again.corruption?.offset, again.logEndOffset, known(again)]).toEqual(['by-read', 2, 5, [[1, 1]]])
  return again
}

async function reopened(fixture: LogFixture, end: 'killed' | 'closed'): Promise<DiskLog> {
  if (end === 'closed') await fixture.close()
  else fixture.kill()
  await fixture.open()
  return fixture.log()
}

test.each(['killed', 'closed'] as const)('damage that a start has met is met again when the process was %s', async (end) => {
  const fixture = new LogFixture({ config: DENSE })
  append(await damaged(fixture), 3, 0)
  await fixture.settle()
  await fixture.scheduler.advance(CHECKPOINTED)
  const again = await reopened(fixture, end)
  expect([again.corruption?.found, again.corruption?.offset, again.logEndOffset]).toEqual(['by-read', 2, 6])
})

test('so it is when a segment was begun meanwhile', async () => {
  const fixture = new LogFixture({ config: { ...DENSE, segmentBytes: 1_000 } })
  const log = await damaged(fixture)
  append(log, 3, 0)
  append(log, 3, 1)
  await fixture.settle()
  expect([log.segmentCount, snapshots(fixture)]).toEqual([2, []])
  const again = await reopened(fixture, 'closed')
  expect([again.corruption?.found, again.corruption?.offset, again.logEndOffset]).toEqual(['by-read', 2, 7])
})

test('damage that a truncation has met is met again', async () => {
  const fixture = new LogFixture({ config: DENSE })
  const log = await fixture.log()
  for (const sequence of [0, 1, 2, 3, 4]) append(log, 1, sequence)
  await fixture.settle()
  const batchBytes = log.sizeBytes / 5
  fixture.fs.corrupt(`${DIRECTORY}/00000000000000000000.log`, batchBytes, Buffer.alloc(batchBytes))
  log.updateHighWatermark(1 as Offset)
  log.truncateTo(4 as Offset)
  expect([log.corruption?.offset]).toEqual([1])
  const again = await reopened(fixture, 'closed')
  expect([again.corruption?.offset]).toEqual([1])
})

test('a log that is filled again knows its producers, and takes snapshots of them', async () => {
  const fixture = new LogFixture({ config: DENSE })
  const log = await damaged(fixture)
  log.truncateFullyAndStartAt(0 as Offset)
  for (const sequence of [0, 1, 2]) append(log, 1, sequence)
  await fixture.settle()
  await fixture.close()
  expect(snapshots(fixture)).toEqual(['00000000000000000003.snapshot'])
  await fixture.open()
  const again = await fixture.log()
  expect([again.corruption, known(again)]).toEqual([null, [[1, 2]]])
})
