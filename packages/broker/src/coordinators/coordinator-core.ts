import type { Brand } from '@kavka/kernel'

/**
 * What a coordinator is to the shell that keeps it alive: a synchronous state machine over the records of one
 * partition of an internal topic. Requests, time, results of appends go in; records to append and answers
 * come out as effects. State that must survive a failover changes only when its records are committed, or
 * when they are replayed after one: both take the same road.
 */
export interface CoordinatorCore {
  /** One record of the log, in offset order, while the partition is loaded. */
  replay(record: ReplayedRecord): void
  /** The end of a transaction, where its marker stands in the log. */
  replayMarker(marker: ReplayedMarker): void
  /** The whole log was replayed: sessions start anew. */
  loaded(now: Now): void
  /**
   * Earliest moment at which `expire` may have something to do, on the monotonic clock; null: never. May be
   * early, never late.
   */
  nextDeadlineMs(): number | null
  expire(now: Now): void
  /** Hands over what was decided since the last call, in order. */
  takeEffects(): CoordinatorEffect[]
}

/** Both clocks at one moment: deadlines use the monotonic one, what is written down the other. */
export interface Now {
  readonly wallMs: number
  readonly monotonicMs: number
}

/** Names a waiting request towards the core; `Answer` is what it will be answered with. */
export type Correlation<Answer> = Brand<number, 'Correlation'> & { readonly answer?: Answer }

export interface CoordinatorRecord {
  readonly key: Buffer
  /** Null: a tombstone. */
  readonly value: Buffer | null
}

export type CoordinatorEffect =
  | { readonly kind: 'append'; readonly append: PendingAppend }
  | { readonly kind: 'reply'; readonly correlation: number; readonly body: unknown }

/**
 * Records on their way into the log and what follows from it. Exactly one of `committed` and `failed` is
 * called, in the order of the appends; `timedOut` may be called once before.
 */
export interface PendingAppend {
  readonly payload: AppendPayload
  /** In the log and replicated: now the state follows. `firstOffset` is where the first record stands. */
  committed(now: Now, firstOffset: number): void
  /** Not in the log, and it never will be. */
  failed(errorCode: number, now: Now): void
  /**
   * Whoever waits has waited long enough; the records may still be committed, and then `committed` is called.
   */
  timedOut(now: Now): void
}

export type AppendPayload =
  /** Written whole into one batch, possibly together with its neighbors of the same turn. */
  | { readonly kind: 'records'; readonly records: readonly CoordinatorRecord[] }
  /** Offsets of a transaction: a batch of their own that carries the producer. */
  | {
      readonly kind: 'transactional'
      readonly producerId: number
      readonly producerEpoch: number
      readonly records: readonly CoordinatorRecord[]
    }
  /** The marker that ends a transaction on this partition. */
  | {
      readonly kind: 'marker'
      readonly producerId: number
      readonly producerEpoch: number
      readonly coordinatorEpoch: number
      readonly result: 'commit' | 'abort'
    }

export interface ReplayedRecord {
  readonly offset: number
  readonly key: Buffer
  readonly value: Buffer | null
  /** -1 outside a transaction. */
  readonly producerId: number
}

export interface ReplayedMarker {
  readonly offset: number
  readonly producerId: number
  readonly result: 'commit' | 'abort'
}

/** Collects effects inside a core and gives its waiting requests type-safe answers. */
export class EffectOutbox {
  #effects: CoordinatorEffect[] = []

  append(append: PendingAppend): void {
    this.#effects.push({ kind: 'append', append })
  }

  reply<Answer>(correlation: Correlation<Answer>, body: Answer): void {
    this.#effects.push({ kind: 'reply', correlation, body })
  }

  take(): CoordinatorEffect[] {
    const effects = this.#effects
    if (effects.length > 0) this.#effects = []
    return effects
  }
}
