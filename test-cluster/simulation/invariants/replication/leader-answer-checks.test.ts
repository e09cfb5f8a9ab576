import { ErrorCode } from '@kavka/protocol'
import type { ShadowBatch } from '../../node/shadow-log.ts'
import { World } from '../../world/world.ts'
import { LeaderAnswerChecks } from './leader-answer-checks.ts'
import type { AnsweringReplica } from './leader-answer-checks.ts'

const { NONE, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, OFFSET_NOT_AVAILABLE } = ErrorCode

function batch(base: number, last: number, epoch: number, timestampMs: number): ShadowBatch {
  return { base, last, epoch, timestampMs, crc: base, producerId: -1, producerEpoch: -1, baseSequence: -1, count: last - base + 1, sizeBytes: 100 }
}

/** Epoch 4 has no records, 6 has just begun. */
const replica: AnsweringReplica = {
  node: 1, partition: 't-0', leaderEpoch: 6, logStartOffset: 1, logEndOffset: 9,
  batches: [batch(0, 2, 3, 50), batch(3, 6, 3, 40), batch(7, 8, 5, 60)],
}

function violationOf(judge: (checks: LeaderAnswerChecks) => void, judged = 1): string | undefined {
  const world = new World({ seed: 1 })
  judge(new LeaderAnswerChecks(world))
  expect([...world.judged.values()].reduce((sum, count) => sum + count, 0)).toBe(judged)
  return world.violation?.name
}

describe('P8 AppliedHWMonotonic', () => {
  test('an end that grows, or stays', () => {
    expect(violationOf((checks) => checks.endTold(replica, 9, 9))).toBeUndefined()
  })

  test('one below what clients know is flagged', () => {
    expect(violationOf((checks) => checks.endTold(replica, 8, 9))).toBe('P8 AppliedHWMonotonic')
  })
})

describe('P7 ReadsWhereAsked', () => {
  test.each([[3, 4], [3, 3], [1, 3]])('offset 3 is read with batch %i to %i', (base, last) => {
    expect(violationOf((checks) => checks.readFrom(1, 3, { base, last }))).toBeUndefined()
  })

  test.each([[4, 6], [1, 2]])('a read that begins with batch %i to %i is flagged', (base, last) => {
    expect(violationOf((checks) => checks.readFrom(1, 3, { base, last }))).toBe('P7 ReadsWhereAsked')
  })

  test('there may be nothing to read', () => {
    expect(violationOf((checks) => checks.readFrom(1, 3, undefined))).toBeUndefined()
  })
})

describe('P12 LeaderEpochFencing', () => {
  test('an older epoch is fenced, a newer one is unknown', () => {
    expect(violationOf((checks) => checks.fencing(replica, 5, FENCED_LEADER_EPOCH))).toBeUndefined()
    expect(violationOf((checks) => checks.fencing(replica, 7, UNKNOWN_LEADER_EPOCH))).toBeUndefined()
  })

  test.each([[5, NONE], [7, NONE], [5, UNKNOWN_LEADER_EPOCH], [7, FENCED_LEADER_EPOCH]])('%i answered with %i is flagged', (sent, errorCode) => {
    expect(violationOf((checks) => checks.fencing(replica, sent, errorCode))).toBe('P12 LeaderEpochFencing')
  })
})

describe('P11 EpochEndTold', () => {
  test.each([[3, 7], [5, 9], [6, 9]])('epoch %i ends at %i', (asked, endOffset) => {
    expect(violationOf((checks) => checks.epochEnd(replica, asked, { errorCode: NONE, leaderEpoch: asked, endOffset }))).toBeUndefined()
  })

  test.each([[3, 3, 9], [5, 3, 7], [6, -1, -1], [6, 5, 9], [6, 6, 8]])('epoch %i told as %i until %i is flagged', (asked, leaderEpoch, endOffset) => {
    expect(violationOf((checks) => checks.epochEnd(replica, asked, { errorCode: NONE, leaderEpoch, endOffset }))).toBe('P11 EpochEndTold')
  })

  test('nothing is said of an epoch that ended below the log start', () => {
    const later = { ...replica, logStartOffset: 7 }
    expect(violationOf((checks) => checks.epochEnd(later, 3, { errorCode: NONE, leaderEpoch: 3, endOffset: 99 }), 0)).toBeUndefined()
  })

  test('nothing is said of an epoch without records', () => {
    expect(violationOf((checks) => checks.epochEnd(replica, 4, { errorCode: NONE, leaderEpoch: 3, endOffset: 7 }), 0)).toBeUndefined()
  })
})

describe('S4 TimestampFound', () => {
  const found = (timestamp: number, visibleEnd: number, offset: number, errorCode: number = NONE, after = replica) => {
    return (checks: LeaderAnswerChecks) => checks.timestampFound(replica, after, timestamp, visibleEnd, { errorCode, offset })
  }

  test.each([[10, 9, 1], [45, 9, 1], [55, 9, 7], [55, 7, -1], [70, 9, -1]])('at or after %i, below %i: %i', (timestamp, visibleEnd, offset) => {
    expect(violationOf(found(timestamp, visibleEnd, offset))).toBeUndefined()
  })

  test.each([[10, 9, 3], [45, 9, 7], [55, 9, -1], [55, 9, 8], [55, 7, 3]])('at or after %i, below %i: %i is flagged', (timestamp, visibleEnd, offset) => {
    expect(violationOf(found(timestamp, visibleEnd, offset))).toBe('S4 TimestampFound')
  })

  test('the log may lose its begin meanwhile', () => {
    expect(violationOf(found(10, 9, 3, NONE, { ...replica, logStartOffset: 3 }))).toBeUndefined()
  })

  test('a leader that does not know what is committed says so', () => {
    expect(violationOf(found(55, 7, -1, OFFSET_NOT_AVAILABLE), 0)).toBeUndefined()
  })
})
