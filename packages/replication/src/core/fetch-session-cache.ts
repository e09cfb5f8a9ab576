import { assert, failure, success } from '@kavka/kernel'
import type { Random, Result } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import {
  FetchSession,
  FINAL_FETCH_EPOCH,
  FULL_FETCH_EPOCH,
  nextSessionEpoch,
  NO_SESSION_ID,
} from './fetch-session.ts'
import type {
  SessionFetchPartition,
  SessionNaming,
  SessionPartitionName,
  SessionPartitionResult,
} from './fetch-session.ts'

export interface FetchSessionCacheOptions {
  /** `max.incremental.fetch.session.cache.slots`; 0 makes every fetch sessionless. */
  readonly sessionsMax: number
  /** A session unused for so long gives way to any other (Kafka: 120 s, not configurable). */
  readonly evictionMs: number
}

export interface FetchSessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly naming: SessionNaming
  readonly isFromFollower: boolean
  readonly partitions: readonly SessionFetchPartition[]
  readonly forgotten: readonly SessionPartitionName[]
}

/** One fetch within, or without, a session. */
export interface FetchContext {
  /** What to read, in this order. */
  partitionsToFetch(): readonly SessionFetchPartition[]
  /**
   * Chooses what the response mentions and makes the session remember it; `results` are those of `partitionsToFetch`, in that order.
   * To be called once, when the response is final.
   */
  filterResponse<R extends SessionPartitionResult>(results: readonly R[], nowMs: number): SessionResponse<R>
}

export interface SessionResponse<R> {
  /** Top-level error: INVALID_FETCH_SESSION_EPOCH when the session moved on while this fetch waited. */
  readonly errorCode: number
  readonly sessionId: number
  readonly partitions: readonly { readonly partition: SessionFetchPartition; readonly result: R }[]
}

/** Fetch sessions of one broker (KIP-227), and the meaning of (session id, session epoch) in requests. */
export class FetchSessionCache {
  readonly #options: FetchSessionCacheOptions
  readonly #random: Random
  /** Least recently used first. */
  readonly #sessions = new Map<number, FetchSession>()
  #partitionsCached = 0
  #evictionsTotal = 0

  constructor(options: FetchSessionCacheOptions, { random }: { readonly random: Random }) {
    assert(options.sessionsMax >= 0, 'slots', { sessionsMax: options.sessionsMax })
    this.#options = options
    this.#random = random
  }

  get size(): number {
    return this.#sessions.size
  }

  get partitionsCached(): number {
    return this.#partitionsCached
  }

  get evictionsTotal(): number {
    return this.#evictionsTotal
  }

  /** The error is a top-level error code of the response, which then names no partition and session id 0. */
  begin(request: FetchSessionRequest, nowMs: number): Result<FetchContext, number> {
    if (request.sessionEpoch === FULL_FETCH_EPOCH || request.sessionEpoch === FINAL_FETCH_EPOCH) {
      const named = this.#sessions.get(request.sessionId)
      if (named !== undefined) this.#remove(named)
      if (request.sessionEpoch === FINAL_FETCH_EPOCH) return success(sessionless(request.partitions))
      return success(this.#fullFetch(request))
    }
    return this.#incrementalFetch(request, nowMs)
  }

  #fullFetch(request: FetchSessionRequest): FetchContext {
    return {
      partitionsToFetch: () => request.partitions,
      filterResponse: (results, nowMs) => {
        const session = this.#maybeCreate(request, nowMs)
        results.forEach((result, index) => session?.tell(request.partitions[index]!, result))
        return { ...everything(request.partitions, results), sessionId: session?.id ?? NO_SESSION_ID }
      },
    }
  }

  #incrementalFetch(request: FetchSessionRequest, nowMs: number): Result<FetchContext, number> {
    const session = this.#sessions.get(request.sessionId)
    if (session === undefined) return failure(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    if (session.epoch !== request.sessionEpoch) return failure(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    if (session.naming !== request.naming) return failure(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    const sizeBefore = session.size
    session.update(request.partitions, request.forgotten)
    this.#partitionsCached += session.size - sizeBefore
    if (session.size === 0) {
      this.#remove(session)
      return success(sessionless([]))
    }
    session.epoch = nextSessionEpoch(session.epoch)
    this.#touch(session, nowMs)
    return success(incremental(session))
  }

  #maybeCreate(request: FetchSessionRequest, nowMs: number): FetchSession | null {
    if (request.partitions.length === 0 || !this.#makeRoom(request, nowMs)) return null
    const session = new FetchSession({
      id: this.#freshId(),
      naming: request.naming,
      isPrivileged: request.isFromFollower,
      nowMs,
    })
    session.update(request.partitions, [])
    this.#sessions.set(session.id, session)
    this.#partitionsCached += session.size
    return session
  }

  #freshId(): number {
    for (;;) {
      const id = this.#random.below(2 ** 31 - 1) + 1
      if (!this.#sessions.has(id)) return id
    }
  }

  #touch(session: FetchSession, nowMs: number): void {
    session.lastUsedMs = nowMs
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
  }

  #makeRoom(request: FetchSessionRequest, nowMs: number): boolean {
    if (this.#sessions.size < this.#options.sessionsMax) return true
    const victim = this.#victimFor(request, nowMs)
    if (victim === null) return false
    this.#remove(victim)
    this.#evictionsTotal++
    return true
  }

  /** The idle one, else the least valuable of those old enough (or any consumer's, for a follower) if worth less than the new one. */
  #victimFor(request: FetchSessionRequest, nowMs: number): FetchSession | null {
    const [oldest] = this.#sessions.values()
    if (oldest === undefined) return null
    if (nowMs - oldest.lastUsedMs > this.#options.evictionMs) return oldest
    let victim: FetchSession | null = null
    for (const session of this.#sessions.values()) {
      const isOld = nowMs - session.createdMs > this.#options.evictionMs
      if (!isOld && !(request.isFromFollower && !session.isPrivileged)) continue
      if (victim === null || isLessValuable(session, victim)) victim = session
    }
    if (victim === null) return null
    const isWorthLess = isLessValuable(victim, { isPrivileged: request.isFromFollower, size: request.partitions.length })
    return isWorthLess ? victim : null
  }

  #remove(session: FetchSession): void {
    if (this.#sessions.delete(session.id)) this.#partitionsCached -= session.size
  }
}

/** Consumers before followers, then the smaller. */
function isLessValuable(
  a: { readonly isPrivileged: boolean; readonly size: number },
  b: { readonly isPrivileged: boolean; readonly size: number },
): boolean {
  if (a.isPrivileged !== b.isPrivileged) return b.isPrivileged
  return a.size < b.size
}

function sessionless(partitions: readonly SessionFetchPartition[]): FetchContext {
  return {
    partitionsToFetch: () => partitions,
    filterResponse: (results) => everything(partitions, results),
  }
}

function incremental(session: FetchSession): FetchContext {
  const partitions = session.partitions()
  const { epoch } = session
  return {
    partitionsToFetch: () => partitions,
    filterResponse: (results) => {
      // The client gave up on this request and sent the next: what it is told now would be lost, so nothing is remembered.
      if (session.epoch !== epoch) {
        return { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId: NO_SESSION_ID, partitions: [] }
      }
      assert(results.length === partitions.length, 'a result for each partition')
      const told = everything(partitions, results).partitions.filter(({ partition, result }) =>
        session.tell(partition, result),
      )
      return { errorCode: ErrorCode.NONE, sessionId: session.id, partitions: told }
    },
  }
}

function everything<R>(partitions: readonly SessionFetchPartition[], results: readonly R[]): SessionResponse<R> {
  assert(results.length === partitions.length, 'a result for each partition')
  return {
    errorCode: ErrorCode.NONE,
    sessionId: NO_SESSION_ID,
    partitions: results.map((result, index) => ({ partition: partitions[index]!, result })),
  }
}
