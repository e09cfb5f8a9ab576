import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { Entry } from './messages.ts'
import { LOG_ORIGIN, RaftLog } from './raft-log.ts'

const at = (offset: number): Offset => offset as Offset
const inEpoch = (epoch: number): LeaderEpoch => epoch as LeaderEpoch

/** `1,1,2` gives three entries of those epochs from offset `from`. */
function entriesOf(epochs: string, from = 0): Entry[] {
  return epochs.split(',').map((epoch, i) => ({
    offset: at(from + i),
    epoch: inEpoch(Number(epoch)),
    kind: 'data',
    payload: new Uint8Array(10),
  }))
}

const written = (log: RaftLog): string => {
  const write = log.takeWrite()
  if (write === null) return 'nothing'
  const { logStart, truncateTo, entries } = write
  return `start=${logStart?.offset ?? '-'} truncate=${truncateTo ?? '-'} entries=${entries.map(({ offset, epoch }) => `${offset}@${epoch}`).join(' ')}`
}

test('an empty log ends where it starts, before the first epoch', () => {
  const log = new RaftLog(LOG_ORIGIN, [])
  expect([log.endOffset, log.lastEpoch, log.syncedEnd]).toEqual([0, 0, 0])
  expect(log.hasPrefix(at(0), inEpoch(0))).toBe(true)
  expect(log.endOfEpoch(inEpoch(5))).toEqual({ epoch: 0, endOffset: 0 })
  expect(log.takeWrite()).toBeNull()
})

test('epochs are found, and where they end', () => {
  const log = new RaftLog(LOG_ORIGIN, entriesOf('1,1,3,3,3,7'))
  expect([0, 1, 2, 5, 6].map((offset) => log.epochAt(at(offset)))).toEqual([1, 1, 3, 7, null])
  expect([0, 1, 2, 3, 6, 7, 9].map((epoch) => log.endOfEpoch(inEpoch(epoch)))).toEqual([
    { epoch: 0, endOffset: 0 },
    { epoch: 1, endOffset: 2 },
    { epoch: 1, endOffset: 2 },
    { epoch: 3, endOffset: 5 },
    { epoch: 3, endOffset: 5 },
    { epoch: 7, endOffset: 6 },
    { epoch: 7, endOffset: 6 },
  ])
})

test('a prefix matches by its end and the epoch of its last entry', () => {
  const log = new RaftLog(LOG_ORIGIN, entriesOf('1,1,3'))
  expect(log.hasPrefix(at(2), inEpoch(1))).toBe(true)
  expect(log.hasPrefix(at(2), inEpoch(3))).toBe(false)
  expect(log.hasPrefix(at(3), inEpoch(3))).toBe(true)
  expect(log.hasPrefix(at(4), inEpoch(3))).toBe(false)
})

test('entries must be dense and epochs must not fall', () => {
  const log = new RaftLog(LOG_ORIGIN, entriesOf('2'))
  expect(() => log.append(entriesOf('2', 2))).toThrow('dense')
  expect(() => log.append(entriesOf('1', 1))).toThrow('epochs must not fall')
})

test('what is appended counts as synced only when its write is done', () => {
  const log = new RaftLog(LOG_ORIGIN, [])
  log.append(entriesOf('1,1'))
  expect(written(log)).toBe('start=- truncate=- entries=0@1 1@1')
  log.append(entriesOf('1', 2))
  expect(log.syncedEnd).toBe(0)
  log.writeDone()
  expect(log.syncedEnd).toBe(2)
  expect(written(log)).toBe('start=- truncate=- entries=2@1')
  log.writeDone()
  expect(log.syncedEnd).toBe(3)
  expect(log.takeWrite()).toBeNull()
})

test('a truncation under a write takes back what that write would have made synced', () => {
  const log = new RaftLog(LOG_ORIGIN, entriesOf('1'))
  log.append(entriesOf('1,1,1', 1))
  written(log)
  log.truncateTo(at(2))
  log.append(entriesOf('2,2', 2))
  log.writeDone()
  expect(log.syncedEnd).toBe(2)
  expect(written(log)).toBe('start=- truncate=2 entries=2@2 3@2')
  log.writeDone()
  expect(log.syncedEnd).toBe(4)
})

test('what was never handed over needs no truncation on disk; of several, the lowest counts', () => {
  const log = new RaftLog(LOG_ORIGIN, entriesOf('1,1,1'))
  log.append(entriesOf('1,1', 3))
  log.truncateTo(at(4))
  expect(written(log)).toBe('start=- truncate=- entries=3@1')
  log.truncateTo(at(1))
  log.append(entriesOf('2,2,2', 1))
  log.truncateTo(at(2))
  expect(written(log)).toBe('start=- truncate=1 entries=1@2')
  expect(log.endOfEpoch(inEpoch(9))).toEqual({ epoch: 2, endOffset: 2 })
  expect(() => log.truncateTo(at(2))).toThrow('nothing to truncate')
})

test('trimming keeps the epoch before the new start', () => {
  const log = new RaftLog(LOG_ORIGIN, entriesOf('1,1,3,3'))
  log.trimTo(at(2))
  expect(log.start).toEqual({ offset: 2, previousEpoch: 1 })
  expect(log.hasPrefix(at(2), inEpoch(1))).toBe(true)
  expect(log.hasPrefix(at(1), inEpoch(1))).toBe(false)
  expect(log.endOfEpoch(inEpoch(2))).toEqual({ epoch: 1, endOffset: 2 })
  expect(log.endOfEpoch(inEpoch(0))).toBeNull()
  expect(written(log)).toBe('start=2 truncate=- entries=')
  expect(() => log.truncateTo(at(1))).toThrow('into the snapshot')
})

test('a log trimmed past what was handed over does not write the trimmed entries', () => {
  const log = new RaftLog(LOG_ORIGIN, [])
  log.append(entriesOf('1,1,1'))
  log.trimTo(at(2))
  expect(written(log)).toBe('start=2 truncate=- entries=2@1')
  log.writeDone()
  expect(log.syncedEnd).toBe(3)
})

test('a reset replaces everything, and nothing is synced until it is written', () => {
  const log = new RaftLog(LOG_ORIGIN, entriesOf('1,1,1'))
  log.append(entriesOf('1', 3))
  written(log)
  log.resetTo({ offset: at(10), epoch: inEpoch(4) })
  log.writeDone()
  expect([log.syncedEnd, log.endOffset, log.lastEpoch]).toEqual([0, 10, 4])
  log.append(entriesOf('5', 10))
  expect(written(log)).toBe('start=10 truncate=10 entries=10@5')
  log.writeDone()
  expect(log.syncedEnd).toBe(11)
})

test('slices are bounded by payload bytes, but hold one entry at least', () => {
  const log = new RaftLog(LOG_ORIGIN, entriesOf('1,1,1,1'))
  const offsets = (bytesMax: number): number[] => log.slice(at(1), at(4), bytesMax).map(({ offset }) => offset)
  expect([offsets(1), offsets(20), offsets(29), offsets(1000)]).toEqual([[1], [1, 2], [1, 2], [1, 2, 3]])
  expect(log.slice(at(4), at(4), 100)).toEqual([])
})

test('the retained part is the longest that fits', () => {
  const log = new RaftLog(LOG_ORIGIN, entriesOf('1,1,1,1'))
  expect([0, 9, 10, 25, 1000].map((bytesMax) => log.startRetaining(at(3), bytesMax))).toEqual([3, 3, 2, 1, 0])
})
