/** Drives one core without a broker: keeps its log, its clock and the answers it gave. For tests. */
import { assert } from '@kavka/kernel'
import { Writer, consumerProtocolSubscriptionCodec } from '@kavka/protocol'
import type { Correlation, Now, PendingAppend } from '../../coordinators/coordinator-core.ts'
import { recordCountOf } from '../../coordinators/coordinator-batch.ts'
import { defaultGroupOptions } from '../group-options.ts'
import type { GroupOptions } from '../group-options.ts'
import { GroupPartitionCore } from '../core/group-partition-core.ts'

export type LogEntry =
  | { readonly kind: 'record'; readonly offset: number; readonly key: Buffer; readonly value: Buffer | null; readonly producerId: number }
  | { readonly kind: 'marker'; readonly offset: number; readonly producerId: number; readonly result: 'commit' | 'abort' }

interface InLog {
  readonly append: PendingAppend
  readonly firstOffset: number
}

export class CoreHarness {
  readonly options: GroupOptions
  core: GroupPartitionCore
  log: LogEntry[] = []
  /** Appends whose fate the test has not told yet. */
  pending: InLog[] = []
  readonly answers = new Map<number, unknown>()
  /** Answers and appends since the last `takeNews`, in order. */
  #news: News[] = []
  #nextCorrelation = 1
  #uuids = 0
  #nextOffset = 0
  /** `commit`: every append is committed at once. `hold`: the test decides. */
  appends: 'commit' | 'hold' = 'commit'
  nowMs = 0

  constructor(options: Partial<GroupOptions> = {}) {
    this.options = { ...defaultGroupOptions, ...options }
    this.core = this.#newCore()
    this.core.loaded(this.now)
  }

  get now(): Now {
    return { monotonicMs: this.nowMs, wallMs: 1_000_000 + this.nowMs }
  }

  call<Answer>(operation: (core: GroupPartitionCore, correlation: Correlation<Answer>, now: Now) => void): number {
    const correlation = this.#nextCorrelation++
    operation(this.core, correlation as Correlation<Answer>, this.now)
    this.drain()
    return correlation
  }

  /** The answer of a call that must have been given. */
  answered<Answer>(operation: (core: GroupPartitionCore, correlation: Correlation<Answer>, now: Now) => void): Answer {
    const correlation = this.call(operation)
    assert(this.answers.has(correlation), 'the call is answered', { correlation })
    return this.answers.get(correlation) as Answer
  }

  drain(): void {
    for (let effects = this.core.takeEffects(); effects.length > 0; effects = this.core.takeEffects()) {
      for (const effect of effects) {
        if (effect.kind === 'reply') {
          this.answers.set(effect.correlation, effect.body)
          this.#news.push({ kind: 'answer', correlation: effect.correlation, body: effect.body })
        } else {
          this.#write(effect.append)
        }
      }
      if (this.appends === 'commit') this.#tell(this.pending.length)
    }
  }

  /** Commits the oldest appends that are held. */
  commit(count = this.pending.length): void {
    this.#tell(count)
    this.drain()
  }

  /** The oldest held append never got into the log. */
  fail(errorCode: number): void {
    const first = this.pending.shift()
    assert(first !== undefined, 'an append is held')
    const end = first.firstOffset + recordCountOf(first.append.payload)
    this.log = this.log.filter(({ offset }) => offset < first.firstOffset || offset >= end)
    first.append.failed(errorCode, this.now)
    this.drain()
  }

  timeOut(): void {
    assert(this.pending.length > 0, 'an append is held')
    this.pending[0]!.append.timedOut(this.now)
    this.drain()
  }

  advance(durationMs: number): void {
    const endMs = this.nowMs + durationMs
    for (let next = this.core.nextDeadlineMs(); next !== null && next <= endMs; next = this.core.nextDeadlineMs()) {
      this.nowMs = Math.max(this.nowMs, next)
      this.core.expire(this.now)
      this.drain()
    }
    this.nowMs = endMs
  }

  /** Another broker takes over: a new core reads the log. What is held is in the log or lost, as told. */
  failover(held: 'kept' | 'lost' = 'lost'): void {
    if (held === 'lost') {
      const firstLost = this.pending[0]?.firstOffset ?? Infinity
      this.log = this.log.filter(({ offset }) => offset < firstLost)
    }
    this.pending = []
    this.core = this.#newCore()
    for (const entry of this.log) {
      if (entry.kind === 'marker') this.core.replayMarker(entry)
      else this.core.replay(entry)
    }
    this.core.loaded(this.now)
    this.drain()
  }

  takeNews(): News[] {
    const news = this.#news
    this.#news = []
    return news
  }

  #newCore(): GroupPartitionCore {
    return new GroupPartitionCore(this.options, { newUuid: () => String(++this.#uuids) })
  }

  #write(append: PendingAppend): void {
    const firstOffset = this.#nextOffset
    const { payload } = append
    if (payload.kind === 'marker') {
      this.log.push({ kind: 'marker', offset: this.#nextOffset++, producerId: payload.producerId, result: payload.result })
    } else {
      const producerId = payload.kind === 'transactional' ? payload.producerId : -1
      for (const { key, value } of payload.records) {
        this.log.push({ kind: 'record', offset: this.#nextOffset++, key, value, producerId })
        this.#news.push({ kind: 'append', key, value, producerId })
      }
    }
    this.pending.push({ append, firstOffset })
  }

  #tell(count: number): void {
    for (const { append, firstOffset } of this.pending.splice(0, count)) append.committed(this.now, firstOffset)
  }
}

export type News =
  | { readonly kind: 'answer'; readonly correlation: number; readonly body: unknown }
  | { readonly kind: 'append'; readonly key: Buffer; readonly value: Buffer | null; readonly producerId: number }

/** Metadata of a consumer that subscribes to the topics. */
export function subscription(topics: readonly string[], userData = ''): Buffer {
  const writer = new Writer()
  writer.int16(0)
  consumerProtocolSubscriptionCodec.encode(writer, { topics: [...topics], userData: Buffer.from(userData) }, 0)
  return writer.toBuffer()
}
