/** The smallest coordinator: keeps the last value of each key, once it is in the log. For tests. */
import type { CoordinatorCore, CoordinatorEffect, Correlation, Now, ReplayedMarker, ReplayedRecord } from '../coordinator-core.ts'
import { EffectOutbox } from '../coordinator-core.ts'

export type PutAnswer = { readonly kind: 'stored'; readonly offset: number } | { readonly kind: 'refused'; readonly errorCode: number } | { readonly kind: 'timed-out' }

export class CounterCore implements CoordinatorCore {
  readonly values = new Map<string, string | null>()
  readonly replayed: string[] = []
  readonly markers: string[] = []
  readonly #outbox = new EffectOutbox()
  wasLoaded = false
  deadlineMs: number | null = null
  expirations = 0

  put(correlation: Correlation<PutAnswer>, key: string, value: string, sizeBytes = 0): void {
    this.#outbox.append({
      payload: { kind: 'records', records: [{ key: Buffer.from(key), value: Buffer.from(value.padEnd(sizeBytes, ' ')) }] },
      committed: (_now, offset) => {
        this.values.set(key, value)
        this.#outbox.reply(correlation, { kind: 'stored', offset })
      },
      failed: (errorCode) => this.#outbox.reply(correlation, { kind: 'refused', errorCode }),
      timedOut: () => this.#outbox.reply(correlation, { kind: 'timed-out' }),
    })
  }

  replay({ key, value, producerId }: ReplayedRecord): void {
    this.replayed.push(`${key}=${value}${producerId < 0 ? '' : ` by ${producerId}`}`)
    this.values.set(key.toString(), value?.toString() ?? null)
  }

  replayMarker({ producerId, result }: ReplayedMarker): void {
    this.markers.push(`${result} ${producerId}`)
  }

  loaded(): void {
    this.wasLoaded = true
  }

  nextDeadlineMs(): number | null {
    return this.deadlineMs
  }

  expire(now: Now): void {
    if (this.deadlineMs === null || now.monotonicMs < this.deadlineMs) return
    this.deadlineMs = null
    this.expirations++
  }

  takeEffects(): CoordinatorEffect[] {
    return this.#outbox.take()
  }
}
