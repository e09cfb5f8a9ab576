import { ErrorCode, leaderEpoch, nodeId } from '@kavka/protocol'
import type { Uuid } from '@kavka/protocol'
import type { LeaderPartitionFrame } from '../ports.ts'
import { encodeBatch, placeBatch } from '../simulation/model-batch.ts'
import { isBeyondComparison, judgePosition, truncationPoint } from './divergence.ts'
import { FollowerState } from './follower-state.ts'
import type { FollowerLog } from './follower-state.ts'

/** A log by its epochs alone: `[epoch, start]`. */
function log(epochs: readonly (readonly [number, number])[], end: number, start = 0, highWatermark = 0): FollowerLog {
  return {
    logStartOffset: start,
    logEndOffset: end,
    highWatermark,
    latestEpoch: epochs.at(-1)?.[0] ?? null,
    endOffsetForEpoch: (epoch) => {
      if (epoch > (epochs.at(-1)?.[0] ?? -1)) return null
      const next = epochs.findIndex(([other]) => other > epoch)
      if (next === 0) return { epoch, endOffset: epochs[0]![1] } as never
      const known = next === -1 ? epochs.at(-1) : epochs[next - 1]
      return known === undefined ? null : ({ epoch: known[0], endOffset: next === -1 ? end : epochs[next]![1] } as never)
    },
  }
}

function frame(change: Partial<LeaderPartitionFrame> = {}): LeaderPartitionFrame {
  return {
    topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid,
    partition: 0,
    leaderEpoch: leaderEpoch(5),
    errorCode: ErrorCode.NONE,
    baseOffset: 10,
    highWatermark: 8,
    logStartOffset: 0,
    logEndOffset: 20,
    divergingEpoch: null,
    records: [],
    ...change,
  }
}

function batchAt(baseOffset: number): Buffer {
  const bytes = encodeBatch(1)
  placeBatch(bytes, baseOffset, 5)
  return bytes
}

function follower(of: FollowerLog): FollowerState {
  const state = new FollowerState(nodeId(1), leaderEpoch(5))
  state.announce(of)
  return state
}

const mine = log([[4, 0]], 10)

describe('a follower', () => {
  test('says nothing and appends nothing before it has announced its position in this epoch', () => {
    const state = new FollowerState(nodeId(1), leaderEpoch(5))
    expect(state.decide(frame({ records: [batchAt(10)] }), mine).kind).toBe('ignore')
  })

  test('announces its end and the epoch before it; -1 for an empty log', () => {
    expect(new FollowerState(nodeId(1), leaderEpoch(5)).announce(mine)).toEqual({ fetchOffset: 10, lastFetchedEpoch: 4 })
    expect(new FollowerState(nodeId(1), leaderEpoch(5)).announce(log([], 0)).lastFetchedEpoch).toBe(-1)
  })

  test('appends what continues its log, once the leader agreed', () => {
    const state = follower(mine)
    expect(state.phase).toBe('reconciling')
    expect(state.decide(frame({ records: [batchAt(10)] }), mine).kind).toBe('append')
    expect(state.phase).toBe('fetching')
  })

  test('ignores frames of another epoch', () => {
    expect(follower(mine).decide(frame({ leaderEpoch: leaderEpoch(4), records: [batchAt(10)] }), mine).kind).toBe('ignore')
  })

  test('drops what was under way before it announced anew, and asks again if the stream skips later', () => {
    const state = follower(mine)
    const ahead = frame({ baseOffset: 15, records: [batchAt(15)] })
    expect(state.decide(ahead, mine).kind).toBe('ignore')
    state.decide(frame(), mine)
    expect(state.decide(ahead, mine).kind).toBe('restart')
    expect(state.decide(frame({ baseOffset: 15 }), mine).kind).toBe('ignore')
  })

  test('takes the high watermark as far as its log goes, and never back', () => {
    const state = follower(mine)
    expect(state.highWatermarkAfter(frame({ highWatermark: 30 }), mine)).toBe(10)
    expect(state.highWatermarkAfter(frame({ highWatermark: 3 }), log([[4, 0]], 10, 0, 5))).toBeNull()
  })

  test('raises its log start, but not beyond its high watermark', () => {
    const state = follower(mine)
    expect(state.logStartAfter(frame({ logStartOffset: 6 }), log([[4, 0]], 10, 0, 8))).toBe(6)
    expect(state.logStartAfter(frame({ logStartOffset: 6 }), log([[4, 0]], 10, 0, 2))).toBe(2)
    expect(state.logStartAfter(frame({ logStartOffset: 0 }), log([[4, 0]], 10, 0, 2))).toBeNull()
  })

  test('begins at the batch when an empty log is to start inside one', () => {
    const empty = log([], 10, 10)
    const action = follower(empty).decide(frame({ records: [batchAt(7)] }), empty)
    expect(action).toMatchObject({ kind: 'start-at-batch', startOffset: 7 })
  })

  test.each([
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ErrorCode.FENCED_LEADER_EPOCH,
    ErrorCode.UNKNOWN_LEADER_EPOCH,
    ErrorCode.UNKNOWN_TOPIC_ID,
    ErrorCode.KAFKA_STORAGE_ERROR,
  ])('backs off at error %d', (errorCode) => {
    expect(follower(mine).decide(frame({ errorCode }), mine)).toEqual({ kind: 'back-off', errorCode })
  })
})

describe('out of range', () => {
  const outOfRange = (change: Partial<LeaderPartitionFrame>): LeaderPartitionFrame =>
    frame({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, ...change })

  test('below the leader: start over at its log start', () => {
    const action = follower(mine).decide(outOfRange({ logStartOffset: 12 }), mine)
    expect(action).toEqual({ kind: 'start-over', startOffset: 12 })
  })

  test('beyond the leader: cut to its end', () => {
    expect(follower(mine).decide(outOfRange({ logEndOffset: 7 }), mine)).toMatchObject({ kind: 'truncate', endOffset: 7 })
  })

  test('beyond the leader and starting beyond it: start over', () => {
    const late = log([[4, 8]], 10, 8)
    expect(follower(late).decide(outOfRange({ logEndOffset: 7 }), late)).toEqual({ kind: 'start-over', startOffset: 0 })
  })

  test('all of it deleted by the leader, which cannot judge it any more: start over there', () => {
    const action = follower(mine).decide(outOfRange({ logStartOffset: 10 }), mine)
    expect(action).toEqual({ kind: 'start-over', startOffset: 10 })
  })

  test('empty at the log start of the leader: ask again', () => {
    const empty = log([], 10, 10)
    expect(follower(empty).decide(outOfRange({ logStartOffset: 10 }), empty).kind).toBe('restart')
  })

  test('in range by now: ask again', () => {
    expect(follower(mine).decide(outOfRange({}), mine).kind).toBe('restart')
  })
})

describe('divergence', () => {
  test('KIP-101: cut to where the leader ended the epoch', () => {
    expect(truncationPoint(log([[1, 0], [2, 5]], 10), { epoch: 2, endOffset: 7 })).toBe(7)
    expect(truncationPoint(log([[1, 0], [2, 5]], 10), { epoch: 1, endOffset: 7 })).toBe(5)
  })

  test('KIP-279: an epoch unknown here cuts to the end of the next smaller one, to be compared again', () => {
    expect(truncationPoint(log([[1, 0], [4, 6]], 10), { epoch: 3, endOffset: 8 })).toBe(6)
  })

  test('without any epochs: to the leader end', () => {
    expect(truncationPoint(log([], 10), { epoch: 3, endOffset: 8 })).toBe(8)
    expect(truncationPoint(log([], 6), { epoch: 3, endOffset: 8 })).toBe(6)
  })

  test('never below the own log start', () => {
    const late = log([[3, 4]], 10, 4)
    const action = follower(late).decide(frame({ divergingEpoch: { epoch: 2, endOffset: 1 } }), late)
    expect(action).toMatchObject({ kind: 'truncate', endOffset: 4 })
  })

  test('is found by the leader when epoch or end differ', () => {
    const leaders = log([[1, 0], [3, 5]], 10)
    expect(judgePosition(leaders, 10, 3)).toEqual({ kind: 'consistent' })
    expect(judgePosition(leaders, 5, 1)).toEqual({ kind: 'consistent' })
    expect(judgePosition(leaders, 6, 1)).toEqual({ kind: 'diverging', epoch: 1, endOffset: 5 })
    expect(judgePosition(leaders, 5, 2)).toEqual({ kind: 'diverging', epoch: 1, endOffset: 5 })
    expect(judgePosition(leaders, 12, 3)).toEqual({ kind: 'diverging', epoch: 3, endOffset: 10 })
    expect(judgePosition(leaders, 12, 4)).toEqual({ kind: 'out-of-range' })
  })

  test('below the log start or without epochs to compare it is out of range', () => {
    expect(judgePosition(log([[1, 4]], 10, 4), 3, 1)).toEqual({ kind: 'out-of-range' })
    expect(judgePosition(log([], 10), 10, 3)).toEqual({ kind: 'out-of-range' })
    expect(judgePosition(log([[1, 0]], 10), 11, -1)).toEqual({ kind: 'out-of-range' })
    expect(judgePosition(log([[1, 0]], 10), 10, -1)).toEqual({ kind: 'consistent' })
  })

  test('a tail that ends at the log start, in an epoch that went with the records before it, cannot be compared', () => {
    const leaders = log([[4, 10], [5, 12]], 20, 10)
    const at = (fetchOffset: number, lastFetchedEpoch: number, logStartOffset = 0): boolean =>
      isBeyondComparison(leaders, { fetchOffset, lastFetchedEpoch, logStartOffset })
    expect(at(10, 3)).toBe(true)
    // The epoch that spans the log start is known: equal epochs have equal pasts.
    expect(at(10, 4)).toBe(false)
    expect(at(12, 4)).toBe(false)
    // Nothing is there to compare.
    expect(at(10, 3, 10)).toBe(false)
    expect(at(10, -1)).toBe(false)
  })

  test('nor is the end of an emptied log of the same epoch beyond comparison', () => {
    expect(isBeyondComparison(log([[4, 10]], 10, 10), { fetchOffset: 10, lastFetchedEpoch: 4, logStartOffset: 0 })).toBe(false)
  })
})
