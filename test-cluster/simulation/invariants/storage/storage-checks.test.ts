import { buildBatch } from '@kavka/protocol'
import type { NodeId, Uuid } from '@kavka/protocol'
import { MemoryFileSystem } from '@kavka/testkit'
import { World } from '../../world/world.ts'
import { IndexChecks } from './index-checks.ts'
import { LogContentChecks } from './log-content-checks.ts'
import { MetaFileChecks } from './meta-file-checks.ts'

const NODE = 1 as NodeId
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid
const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAAAg' as Uuid

describe('S4 IndexesAreOfTheLog', () => {
  const batches = [10, 30, 20].map((timestamp, index) => {
    return buildBatch([{ timestamp, key: null, value: Buffer.alloc(50) }], { baseOffset: 100 + index, partitionLeaderEpoch: 1 })
  })
  const log = Buffer.concat(batches)
  /** Of the third batch, the second to begin more than 100 bytes behind an entry. */
  const secondAt = batches[0]!.length

  function entry(...[high, low]: readonly number[]): Buffer {
    const bytes = Buffer.alloc(8)
    bytes.writeInt32BE(high!, 0)
    bytes.writeInt32BE(low!, 4)
    return bytes
  }

  function time(timestampMs: number, relative: number): Buffer {
    const bytes = Buffer.alloc(12)
    bytes.writeBigInt64BE(BigInt(timestampMs), 0)
    bytes.writeInt32BE(relative, 8)
    return bytes
  }

  function violationOf(offsets: Buffer, times: Buffer, state: 'sealed' | 'written-on' = 'sealed'): string | undefined {
    const world = new World({ seed: 1 })
    new IndexChecks({ indexIntervalBytes: 100 }, world).segment({}, { baseOffset: 100, log, offsets, times }, state)
    return world.violation?.name
  }

  const offsets = Buffer.concat([entry(1, secondAt), entry(2, secondAt + batches[1]!.length)])
  const times = time(30, 1)

  test('as the log makes them', () => {
    expect(violationOf(offsets, times)).toBeUndefined()
  })

  test.each([
    ['an entry that points into a batch', Buffer.concat([entry(1, secondAt + 1), offsets.subarray(8)]), times],
    ['an entry of another offset', Buffer.concat([entry(0, secondAt), offsets.subarray(8)]), times],
    ['an entry too few', offsets.subarray(0, 8), times],
    ['half an entry', offsets.subarray(0, 12), times],
    ['a timestamp too low', offsets, time(20, 1)],
    ['a timestamp of another record', offsets, time(30, 2)],
    ['no timestamps', offsets, Buffer.alloc(0)],
  ])('%s is flagged', (_what, badOffsets, badTimes) => {
    expect(violationOf(badOffsets, badTimes)).toBe('S4 IndexesAreOfTheLog')
  })

  test('the largest timestamp is noted at an entry, or when the segment is sealed, and then may stay in its file', () => {
    expect(violationOf(offsets, times, 'written-on')).toBeUndefined()
    const beforeFirstEntry = { offsets: Buffer.alloc(0), log: batches[0]! }
    const cut = (found: Buffer): string | undefined => {
      const world = new World({ seed: 1 })
      new IndexChecks({ indexIntervalBytes: 100 }, world).segment({}, { baseOffset: 100, times: found, ...beforeFirstEntry }, 'written-on')
      return world.violation?.name
    }
    const behindTheCut = time(30, 1)
    expect([cut(Buffer.alloc(0)), cut(time(10, 0)), cut(behindTheCut)]).toEqual([undefined, undefined, 'S4 IndexesAreOfTheLog'])
  })

  test('the last segment of a log that was cut is looked at', () => {
    const disk = new MemoryFileSystem()
    for (const directory of ['/data', '/data/t-0']) disk.makeDirectory(directory)
    const names = ['00000000000000000000', '00000000000000000100'].map((base) => `/data/t-0/${base}`)
    for (const name of names) disk.writeFile(`${name}.log`, '')
    const judged = (left: Buffer): string | undefined => {
      disk.writeFile(`${names[1]!}.index`, left)
      const world = new World({ seed: 1 })
      new IndexChecks({ indexIntervalBytes: 100 }, world).ofShortened(NODE, disk, '/data/t-0')
      return world.violation?.name
    }
    expect([judged(Buffer.alloc(0)), judged(entry(1, secondAt))]).toEqual([undefined, 'S4 IndexesAreOfTheLog'])
  })
})

describe('S8 MetaFilesReplacedWhole', () => {
  const PATH = '/data/recovery-point-offset-checkpoint'

  function replaced(...contents: readonly string[]): { readonly world: World; readonly checks: MetaFileChecks; end(found: string | null): string | undefined } {
    const world = new World({ seed: 1 })
    const checks = new MetaFileChecks(world)
    for (const content of contents) checks.renamed(NODE, PATH, () => Buffer.from(content))
    const end = (found: string | null): string | undefined => {
      checks.ended(NODE, () => (found === null ? null : Buffer.from(found)))
      return world.violation?.name
    }
    return { world, checks, end }
  }

  test.each([['the old', 'one'], ['the new', 'two'], ['none before the first sync', null]])('%s content is fine', (_which, found) => {
    expect(replaced('one', 'two').end(found)).toBeUndefined()
  })

  test.each([['half of one', 'tw'], ['nothing', ''], ['what nobody wrote', 'three']])('%s is flagged', (_what, found) => {
    expect(replaced('one', 'two').end(found)).toBe('S8 MetaFilesReplacedWhole')
  })

  test('what was replaced durably does not come back', () => {
    const { checks, end } = replaced('one', 'two')
    checks.syncing(NODE, '/data')()
    expect(end('one')).toBe('S8 MetaFilesReplacedWhole')
  })

  test('a sync covers what was there when it began', () => {
    const { checks, end } = replaced('one')
    const synced = checks.syncing(NODE, '/data')
    checks.renamed(NODE, PATH, () => Buffer.from('two'))
    synced()
    expect(end('one')).toBeUndefined()
    expect(end(null)).toBe('S8 MetaFilesReplacedWhole')
  })

  test('a replacement that returned lasts', () => {
    const { world, checks } = replaced()
    const isDurable = checks.renamed(NODE, PATH, () => Buffer.from('one'))!
    checks.syncing(NODE, '/data')()
    checks.replaced(NODE, PATH, isDurable)
    expect(world.violation).toBeNull()
  })

  test('one that returned before its name was on the disk is flagged', () => {
    const { world, checks } = replaced('one')
    const synced = checks.syncing(NODE, '/data')
    const isDurable = checks.renamed(NODE, PATH, () => Buffer.from('two'))!
    synced()
    checks.replaced(NODE, PATH, isDurable)
    expect(world.violation?.name).toBe('S8 MetaFilesReplacedWhole')
  })

  test('a removal lasts as well', () => {
    const { checks, end } = replaced('one')
    checks.removed(NODE, PATH)
    checks.syncing(NODE, '/data')()
    expect(end('one')).toBe('S8 MetaFilesReplacedWhole')
  })
})

describe('S9 ContentIsOwn', () => {
  function taken(): { readonly world: World; readonly checks: LogContentChecks } {
    const world = new World({ seed: 1 })
    const checks = new LogContentChecks(world)
    checks.appending(TOPIC_ID, 0, 77)
    return { world, checks }
  }

  test('a batch where it was appended', () => {
    const { world, checks } = taken()
    checks.found(NODE, TOPIC_ID, 0, { base: 3, crc: 77 })
    expect(world.violation).toBeNull()
  })

  test.each([
    ['of the topic of the same name before', OTHER_ID, 0, 77],
    ['of another partition', TOPIC_ID, 1, 77],
    ['that nobody appended', TOPIC_ID, 0, 78],
  ])('one %s is flagged', (_whose, topicId, partition, crc) => {
    const { world, checks } = taken()
    checks.found(NODE, topicId, partition, { base: 3, crc })
    expect(world.violation?.name).toBe('S9 ContentIsOwn')
  })
})

describe('S3 RotIsNotCut', () => {
  function opened(logEndOffset: number, isCorrupt: boolean): string | undefined {
    const world = new World({ seed: 1 })
    const checks = new LogContentChecks(world)
    checks.rotted(NODE, [{ topicId: TOPIC_ID, partition: 0, recordedEnd: 10 }])
    checks.opened({ node: NODE, topicId: TOPIC_ID, topic: 't', partition: 0, logEndOffset, isCorrupt })
    expect(world.judged.get('S3 RotIsNotCut')).toBe(1)
    return world.violation?.name
  }

  test('rot that is named, or lies behind the recovery point', () => {
    expect(opened(4, true)).toBeUndefined()
    expect(opened(10, false)).toBeUndefined()
  })

  test('a log that is shorter without a word is flagged', () => {
    expect(opened(9, false)).toBe('S3 RotIsNotCut')
  })

  test('emptying a damaged log that may be elected is flagged', () => {
    const world = new World({ seed: 1 })
    new LogContentChecks(world).emptying(NODE, 't-0', true)
    expect(world.violation?.name).toBe('S3 RotIsNotCut')
  })
})
