import { seededRandom } from '@kavka/kernel'
import { ErrorCode, ZERO_UUID } from '@kavka/protocol'
import type { Uuid } from '@kavka/protocol'
import { FetchSessionCache } from './fetch-session-cache.ts'
import type { FetchContext, FetchSessionRequest } from './fetch-session-cache.ts'
import { nextSessionEpoch } from './fetch-session.ts'
import type { SessionFetchPartition, SessionPartitionResult } from './fetch-session.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid

function partition(number: number, fetchOffset = 0): SessionFetchPartition {
  return {
    topic: 't',
    topicId: ZERO_UUID,
    partition: number,
    fetchOffset,
    bytesMax: 1024,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
  }
}

function request(change: Partial<FetchSessionRequest>): FetchSessionRequest {
  return {
    sessionId: 0,
    sessionEpoch: 0,
    naming: 'topic-name',
    isFromFollower: false,
    partitions: [],
    forgotten: [],
    ...change,
  }
}

function result(change: Partial<SessionPartitionResult> = {}): SessionPartitionResult {
  return {
    errorCode: 0,
    highWatermark: 10,
    logStartOffset: 0,
    recordsSizeBytes: 0,
    preferredReadReplica: null,
    divergingEpoch: null,
    ...change,
  }
}

function cacheOf(sessionsMax = 10): FetchSessionCache {
  return new FetchSessionCache({ sessionsMax, evictionMs: 120_000 }, { random: seededRandom(1) })
}

function begin(cache: FetchSessionCache, change: Partial<FetchSessionRequest>, nowMs = 0): FetchContext {
  const begun = cache.begin(request(change), nowMs)
  if (!begun.ok) throw new Error(`error ${begun.error}`)
  return begun.value
}

function errorOf(cache: FetchSessionCache, change: Partial<FetchSessionRequest>): number {
  const begun = cache.begin(request(change), 0)
  return begun.ok ? ErrorCode.NONE : begun.error
}

/** Answers every partition alike, or as `results` say by partition number. */
function answer(context: FetchContext, results: Record<number, SessionPartitionResult> = {}, nowMs = 0) {
  const all = context.partitionsToFetch().map(({ partition: number }) => results[number] ?? result())
  const response = context.filterResponse(all, nowMs)
  return { ...response, told: response.partitions.map((entry) => entry.partition.partition) }
}

function open(cache: FetchSessionCache, count = 3, change: Partial<FetchSessionRequest> = {}, nowMs = 0): number {
  const partitions = Array.from({ length: count }, (_, number) => partition(number))
  return answer(begin(cache, { partitions, ...change }, nowMs), {}, nowMs).sessionId
}

describe('without a session', () => {
  test('(0, -1): everything is answered, nothing is kept', () => {
    const cache = cacheOf()
    const response = answer(begin(cache, { sessionEpoch: -1, partitions: [partition(0), partition(1)] }))
    expect(response).toMatchObject({ sessionId: 0, told: [0, 1] })
    expect(cache.size).toBe(0)
  })

  test('a full fetch is given id 0 when there is no slot', () => {
    expect(open(cacheOf(0))).toBe(0)
  })
})

describe('a session', () => {
  test('begins with a full answer and then tells only news', () => {
    const cache = cacheOf()
    const sessionId = open(cache)
    expect(sessionId).toBeGreaterThan(0)
    expect(cache.partitionsCached).toBe(3)
    const quiet = answer(begin(cache, { sessionId, sessionEpoch: 1 }))
    expect(quiet).toMatchObject({ errorCode: 0, sessionId, told: [] })
    const news = {
      0: result({ highWatermark: 11 }),
      1: result({ logStartOffset: 5 }),
      2: result({ preferredReadReplica: 2 }),
    }
    expect(answer(begin(cache, { sessionId, sessionEpoch: 2 }), news).told).toEqual([0, 1, 2])
    expect(answer(begin(cache, { sessionId, sessionEpoch: 3 }), { 2: result({ divergingEpoch: {} }) }).told).toEqual([0, 1, 2])
  })

  test('tells an error each time, and the partition once more when the error is gone', () => {
    const cache = cacheOf()
    const sessionId = open(cache, 1)
    const broken = { 0: result({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }) }
    expect(answer(begin(cache, { sessionId, sessionEpoch: 1 }), broken).told).toEqual([0])
    expect(answer(begin(cache, { sessionId, sessionEpoch: 2 }), broken).told).toEqual([0])
    expect(answer(begin(cache, { sessionId, sessionEpoch: 3 })).told).toEqual([0])
    expect(answer(begin(cache, { sessionId, sessionEpoch: 4 })).told).toEqual([])
  })

  test('adds, changes and forgets partitions', () => {
    const cache = cacheOf()
    const sessionId = open(cache)
    const context = begin(cache, {
      sessionId,
      sessionEpoch: 1,
      partitions: [partition(1, 77), partition(3)],
      forgotten: [{ topic: 't', topicId: ZERO_UUID, partition: 0 }],
    })
    expect(context.partitionsToFetch().map((p) => [p.partition, p.fetchOffset])).toEqual([[1, 77], [2, 0], [3, 0]])
    expect(answer(context).told).toEqual([3])
    expect(cache.partitionsCached).toBe(3)
  })

  test('moves partitions that returned data to the end', () => {
    const cache = cacheOf()
    const sessionId = open(cache)
    answer(begin(cache, { sessionId, sessionEpoch: 1 }), { 0: result({ recordsSizeBytes: 5 }) })
    const order = begin(cache, { sessionId, sessionEpoch: 2 }).partitionsToFetch().map((p) => p.partition)
    expect(order).toEqual([1, 2, 0])
  })

  test('ends when its last partition is forgotten', () => {
    const cache = cacheOf()
    const sessionId = open(cache, 1)
    const forgotten = [{ topic: 't', topicId: ZERO_UUID, partition: 0 }]
    expect(answer(begin(cache, { sessionId, sessionEpoch: 1, forgotten }))).toMatchObject({ sessionId: 0, told: [] })
    expect(cache.size).toBe(0)
    expect(cache.partitionsCached).toBe(0)
  })

  test('(id, -1) closes it, (id, 0) replaces it', () => {
    const cache = cacheOf()
    const first = open(cache)
    answer(begin(cache, { sessionId: first, sessionEpoch: -1, partitions: [partition(0)] }))
    expect(cache.size).toBe(0)
    const second = open(cache)
    const third = open(cache, 2, { sessionId: second })
    expect(third).not.toBe(second)
    expect(cache.size).toBe(1)
  })

  test('refuses unknown ids, wrong epochs and the other way of naming topics', () => {
    const cache = cacheOf()
    const sessionId = open(cache)
    expect(errorOf(cache, { sessionId: sessionId + 1, sessionEpoch: 1 })).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect(errorOf(cache, { sessionId, sessionEpoch: 2 })).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    expect(errorOf(cache, { sessionId, sessionEpoch: 1, naming: 'topic-id' })).toBe(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    expect(errorOf(cache, { sessionId, sessionEpoch: 1 })).toBe(ErrorCode.NONE)
    expect(errorOf(cache, { sessionId, sessionEpoch: 1 })).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  })

  test('that moved on while a fetch waited tells the old request nothing and forgets nothing', () => {
    const cache = cacheOf()
    const sessionId = open(cache, 1)
    const slow = begin(cache, { sessionId, sessionEpoch: 1 })
    const next = begin(cache, { sessionId, sessionEpoch: 2 })
    expect(answer(slow, { 0: result({ highWatermark: 50 }) })).toMatchObject({
      errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH,
      told: [],
    })
    expect(answer(next, { 0: result({ highWatermark: 50 }) }).told).toEqual([0])
  })

  test('keeps topics apart by id when requests name them so', () => {
    const cache = cacheOf()
    const byId = { ...partition(0), topic: '', topicId: TOPIC_ID }
    const sessionId = answer(begin(cache, { naming: 'topic-id', partitions: [byId] })).sessionId
    const other = { ...byId, topicId: 'AAAAAAAAAAAAAAAAAAAAAg' as Uuid }
    const context = begin(cache, { sessionId, sessionEpoch: 1, naming: 'topic-id', partitions: [other] })
    expect(context.partitionsToFetch().map(({ topicId }) => topicId)).toEqual([byId.topicId, other.topicId])
  })

  test('counts epochs past the largest int32 to 1', () => {
    expect(nextSessionEpoch(0)).toBe(1)
    expect(nextSessionEpoch(2 ** 31 - 1)).toBe(1)
    expect(nextSessionEpoch(-1)).toBe(-1)
  })
})

describe('eviction', () => {
  const OLD_MS = 120_001

  test('an idle session gives way to any other', () => {
    const cache = cacheOf(1)
    open(cache, 5, { isFromFollower: true })
    expect(open(cache, 1, {}, OLD_MS - 1)).toBe(0)
    expect(open(cache, 1, {}, OLD_MS)).toBeGreaterThan(0)
    expect(cache.evictionsTotal).toBe(1)
  })

  test('a young session in use gives way to no consumer, however large', () => {
    const cache = cacheOf(1)
    open(cache, 1)
    expect(open(cache, 50)).toBe(0)
  })

  test('an old one in use gives way to a larger one only', () => {
    const cache = cacheOf(1)
    const sessionId = open(cache, 3)
    answer(begin(cache, { sessionId, sessionEpoch: 1 }, OLD_MS - 10))
    expect(open(cache, 3, {}, OLD_MS)).toBe(0)
    expect(open(cache, 4, {}, OLD_MS)).toBeGreaterThan(0)
    expect(errorOf(cache, { sessionId, sessionEpoch: 2 })).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  })

  test('a consumer gives way to a follower at once, a follower does not give way to a consumer', () => {
    const cache = cacheOf(1)
    open(cache, 9)
    const follower = open(cache, 1, { isFromFollower: true })
    expect(follower).toBeGreaterThan(0)
    answer(begin(cache, { sessionId: follower, sessionEpoch: 1 }, OLD_MS - 10))
    expect(open(cache, 50, {}, OLD_MS)).toBe(0)
  })
})
