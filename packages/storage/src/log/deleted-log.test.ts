/** A log that leaves while something is under way for it: nobody misses its files, least of all the log directory. */
import { seededRandom } from '@kavka/kernel'
import { buildBatch } from '@kavka/protocol'
import type { LeaderEpoch, Offset, Uuid } from '@kavka/protocol'
import { LogFixture, PARTITION } from '../testing/log-fixture.ts'
import type { DiskLog } from './disk-log.ts'

const EPOCH = 0 as LeaderEpoch
const batch = () => buildBatch([{ timestamp: 1_700_000_400_000, key: null, value: Buffer.alloc(100, 1) }])
const read = { startOffset: 0 as Offset, endOffsetMax: 1_000 as Offset, bytesMax: 1_000_000, minimum: 'at-least-one-batch' as const }

test('what a turn appended to a log that it then deleted is not written', async () => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  log.appendAsLeader(batch(), EPOCH, 'client')
  fixture.manager.delete(PARTITION)
  await fixture.settle()
  expect(fixture.manager.directories).toMatchObject([{ state: 'online' }])
})

test('nor into the log of a new topic with its name', async () => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  log.appendAsLeader(batch(), EPOCH, 'client')
  fixture.manager.delete(PARTITION)
  const successor = fixture.manager.getOrCreate(PARTITION, 'AAAAAAAAAAAAAAAAAAAABQ' as Uuid, fixture.config)
  await fixture.settle()
  expect(successor.ok && fixture.fs.sizeBytes(`${successor.value.directory}/00000000000000000000.log`)).toBe(0)
})

test('a read of the files of a log that is deleted meanwhile fails, and nothing else does', async () => {
  const fixture = new LogFixture({ manager: { tailCacheBytesMax: 0 } })
  const log = await fixture.log()
  log.appendAsLeader(batch(), EPOCH, 'client')
  await fixture.settle()
  const reading = log.read(read)
  fixture.manager.delete(PARTITION)
  expect(await reading).toMatchObject({ kind: 'failed', errorCode: 56 })
  expect(fixture.manager.directories).toMatchObject([{ state: 'online' }])
})

test('what a checkpoint of a log writes last does not get into the log of a new topic with its name', async () => {
  const fixture = new LogFixture()
  const log = await fixture.log()
  log.assignEpochStart(5 as LeaderEpoch)
  log.appendAsLeader(batch(), 5 as LeaderEpoch, 'client')
  await fixture.settle()
  const checkpointed = log.checkpoint()
  fixture.manager.delete(PARTITION)
  const successor = fixture.manager.getOrCreate(PARTITION, 'AAAAAAAAAAAAAAAAAAAABQ' as Uuid, fixture.config)
  await fixture.settle()
  await checkpointed
  expect(successor.ok && fixture.fs.list(successor.value.directory)).toEqual([
    '00000000000000000000.index', '00000000000000000000.log', '00000000000000000000.timeindex', 'partition.metadata',
  ])
})

test.each(Array.from({ length: 30 }, (_, seed) => seed))('topics of a name come and go under reads, checkpoints and retention (seed %i)', async (seed) => {
  const random = seededRandom(seed)
  const fixture = new LogFixture({ config: { segmentBytes: 400, retentionBytes: 800, fileDeleteDelayMs: 3 }, manager: { tailCacheBytesMax: 0 } })
  let incarnation = 1
  let log = await fixture.log()
  const under: Promise<unknown>[] = []
  const readIt = async (): Promise<void> => {
    const own = incarnation
    const outcome = await log.read({ ...read, startOffset: (log.logStartOffset + random.below(log.logEndOffset - log.logStartOffset + 1)) as Offset })
    // Behind a batch header and a record header each batch has the number of its topic.
    if (outcome.kind === 'read' && outcome.sizeBytes > 0) expect(Buffer.concat(outcome.records).at(-2)).toBe(own)
  }
  const steps: (() => unknown)[] = [
    () => log.appendAsLeader(buildBatch([{ timestamp: 1_700_000_400_000, key: null, value: Buffer.alloc(150, incarnation) }]), EPOCH, 'client'),
    () => log.appendAsLeader(buildBatch([{ timestamp: 1_700_000_400_000, key: null, value: Buffer.alloc(10, incarnation) }]), EPOCH, 'client'),
    () => under.push(readIt()),
    () => under.push(readIt()),
    () => under.push(log.checkpoint()),
    () => fixture.scheduler.advance(random.below(4) / 2),
    () => fixture.scheduler.advance(random.below(4) / 2),
    () => {
      log.updateHighWatermark(log.logEndOffset)
      fixture.manager.applyRetention()
    },
    () => {
      if (random.below(2) === 0) fixture.manager.delete(PARTITION)
      else fixture.manager.markStray(PARTITION)
      incarnation++
      const made = fixture.manager.getOrCreate(PARTITION, Buffer.alloc(16, incarnation).toString('base64url') as Uuid, fixture.config)
      if (!made.ok) throw new Error(made.error.message)
      log = made.value as DiskLog
    },
  ]
  for (let step = 0; step < 80; step++) await steps[random.below(steps.length)]!()
  await fixture.settle()
  await Promise.all(under)
  expect(fixture.manager.directories).toMatchObject([{ state: 'online' }])
  expect(log.durableEndOffset).toBe(log.logEndOffset)
})
