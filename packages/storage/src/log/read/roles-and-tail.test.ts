/** The tail cache of a replica that leads, follows and leads again: what is read has no gap and no other bytes than the log. */
import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { LogReadOutcome } from '../../partition-log.ts'
import { LogFixture } from '../../testing/log-fixture.ts'
import type { DiskLog } from '../disk-log.ts'

const RECORDS_PER_BATCH = 3

function batch(baseOffset: number, epoch: number): Buffer {
  const records = Array.from({ length: RECORDS_PER_BATCH }, (_, index) => ({
    timestamp: 1_700_000_000_000, key: null, value: Buffer.from(`${baseOffset + index}`), headers: [],
  }))
  return buildBatch(records, { baseOffset, partitionLeaderEpoch: epoch })
}

function lead(log: DiskLog, epoch: number, batches: number): void {
  for (let i = 0; i < batches; i++) log.appendAsLeader(batch(0, 0), epoch as LeaderEpoch, 'client')
}

function follow(log: DiskLog, epoch: number, batches: number): void {
  for (let i = 0; i < batches; i++) log.appendAsFollower(batch(log.logEndOffset, epoch), epoch as LeaderEpoch)
}

function read(log: DiskLog, startOffset: number): LogReadOutcome | Promise<LogReadOutcome> {
  return log.read({
    startOffset: startOffset as Offset, endOffsetMax: log.logEndOffset, bytesMax: 1_000_000, minimum: 'at-least-one-batch',
  })
}

/** Base offsets of the batches in an answer. */
function batchesIn(outcome: LogReadOutcome): number[] {
  if (outcome.kind !== 'read') throw new Error(outcome.kind)
  const bytes = Buffer.concat(outcome.records)
  const offsets: number[] = []
  for (let at = 0; at < bytes.length; at += 12 + bytes.readInt32BE(at + 8)) offsets.push(Number(bytes.readBigInt64BE(at)))
  return offsets
}

test('what a leader appends is read from memory, what a follower appends from the file', async () => {
  const log = await new LogFixture().log()
  lead(log, 0, 2)
  expect(read(log, 0)).not.toBeInstanceOf(Promise)
  follow(log, 1, 2)
  const reading = read(log, 0)
  expect(reading).toBeInstanceOf(Promise)
  expect(batchesIn(await reading)).toEqual([0, 3, 6, 9])
})

test('a follower that leads again serves the new from memory and all of it without a gap', async () => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  lead(log, 0, 2)
  follow(log, 1, 2)
  lead(log, 2, 2)
  for (const start of [0, 3, 6, 9]) expect(batchesIn(await read(log, start))).toEqual([0, 3, 6, 9, 12, 15].filter((base) => base >= start))
  const newest = read(log, 12)
  expect(newest).not.toBeInstanceOf(Promise)
  expect(batchesIn(await newest)).toEqual([12, 15])
  await fixture.settle()
  expect(batchesIn(await read(log, 0))).toEqual([0, 3, 6, 9, 12, 15])
})

test.each([1, Number.MAX_SAFE_INTEGER])('what replaces a truncated tail of the same length is told as durable, flush.messages=%s', async (flushMessages) => {
  const fixture = new LogFixture({ config: { flushMessages } })
  const log = await fixture.log()
  lead(log, 0, 2)
  await fixture.settle()
  const told: number[] = []
  log.onDurable(() => told.push(log.durableEndOffset))
  log.truncateTo(3 as Offset)
  follow(log, 1, 1)
  await fixture.settle()
  expect(told.at(-1)).toBe(6)
  log.truncateFullyAndStartAt(3 as Offset)
  follow(log, 2, 1)
  await fixture.settle()
  expect(told).toEqual([6, 6])
})
