/**
 * How many logs of a node are synced at once: each needs its files open while it lasts, and the threads that sync are few. Also the
 * place where syncs are counted.
 */
import { assert } from '@kavka/kernel'
import type { Clock } from '@kavka/kernel'

/** Syncs of logs since the start (Kafka's LogFlushRateAndTimeMs), as plain numbers. */
export interface SyncFigures {
  readonly count: number
  readonly totalMs: number
}

export class SyncSlots {
  readonly #clock: Clock
  #free: number
  /** In order of arrival; entries before `#head` are served. */
  #waiting: (() => void)[] = []
  #head = 0
  #count = 0
  #totalMs = 0
  #listener: (elapsedMs: number) => void = () => {}

  constructor(options: { readonly slotsMax: number }, dependencies: { readonly clock: Clock }) {
    assert(options.slotsMax >= 1, 'at least one log must be synced at a time')
    this.#free = options.slotsMax
    this.#clock = dependencies.clock
  }

  get figures(): SyncFigures {
    return { count: this.#count, totalMs: this.#totalMs }
  }

  /** Called after each sync with the time it took. */
  onSynced(listener: (elapsedMs: number) => void): void {
    this.#listener = listener
  }

  /** Runs `sync` when its turn has come. */
  async run<T>(sync: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    const startedMs = this.#clock.monotonicMs()
    try {
      return await sync()
    } finally {
      this.#note(this.#clock.monotonicMs() - startedMs)
      this.#release()
    }
  }

  #note(elapsedMs: number): void {
    this.#count++
    this.#totalMs += elapsedMs
    this.#listener(elapsedMs)
  }

  /** The slot goes to who waits longest. */
  #release(): void {
    const next = this.#waiting[this.#head]
    if (next === undefined) {
      this.#free++
      return
    }
    this.#head++
    if (this.#head === this.#waiting.length) {
      this.#waiting = []
      this.#head = 0
    }
    next()
  }
}

/** Works through `items`, `widthMax` at a time. */
export async function eachAtOnce<T>(items: Iterable<T>, widthMax: number, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: widthMax }, worker))
}
