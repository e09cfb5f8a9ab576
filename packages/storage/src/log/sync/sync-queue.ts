/**
 * When logs are synced: each as soon as its own sync before is over, whatever others do, those first that records wait for. What ended
 * in one turn of the event loop is told when the turn ends, so that a follower acknowledges all of it in one frame, and after what
 * the turn appended was written, so that the next sync covers that. Also the place where syncs are counted.
 */
import { assert } from '@kavka/kernel'
import type { Scheduler } from '@kavka/kernel'

export interface SyncedLog {
  /** Off the event loop. Never rejects: a failure is known to the log's directory when it resolves. */
  beginSync(): Promise<void>
  /** Tells of what the sync that began covered. */
  endSync(): void
}

/** Syncs of logs since the start (Kafka's LogFlushRateAndTimeMs), as plain numbers. */
export interface SyncFigures {
  readonly count: number
  readonly totalMs: number
}

export interface SyncQueueOptions {
  /** Each sync needs its files open while it lasts, and the threads that sync are few. */
  readonly logsAtOnceMax: number
}

export class SyncQueue {
  readonly #logsAtOnceMax: number
  readonly #scheduler: Scheduler
  /** In order of arrival. */
  readonly #awaited = new Set<SyncedLog>()
  readonly #unawaited = new Set<SyncedLog>()
  #running = 0
  /** Synced, not told yet. */
  #done: SyncedLog[] = []
  #isStartRequested = false
  #count = 0
  #totalMs = 0
  #listener: (elapsedMs: number) => void = () => {}

  constructor(options: SyncQueueOptions, dependencies: { readonly scheduler: Scheduler }) {
    assert(options.logsAtOnceMax >= 1, 'at least one log must be synced at a time')
    this.#logsAtOnceMax = options.logsAtOnceMax
    this.#scheduler = dependencies.scheduler
  }

  get figures(): SyncFigures {
    return { count: this.#count, totalMs: this.#totalMs }
  }

  /** Called after each sync with the time it took. */
  onSynced(listener: (elapsedMs: number) => void): void {
    this.#listener = listener
  }

  /** Records wait for it. A log asks again only when the sync it asked for has ended. */
  request(log: SyncedLog): void {
    this.#awaited.add(log)
    this.#startSoon()
  }

  /** Nobody waits for it but whoever called. */
  requestApart(log: SyncedLog): void {
    this.#unawaited.add(log)
    this.#startSoon()
  }

  /** Not at once: the other logs that this turn wrote ask right after, and who is awaited goes first. */
  #startSoon(): void {
    if (this.#isStartRequested) return
    this.#isStartRequested = true
    void Promise.resolve().then(() => {
      this.#isStartRequested = false
      this.#start(this.#awaited)
      this.#start(this.#unawaited)
    })
  }

  #start(waiting: Set<SyncedLog>): void {
    for (const log of waiting) {
      if (this.#running >= this.#logsAtOnceMax) return
      waiting.delete(log)
      this.#begin(log)
    }
  }

  #begin(log: SyncedLog): void {
    this.#running++
    const startedMs = this.#scheduler.monotonicMs()
    void log.beginSync().then(() => {
      this.#running--
      this.#note(this.#scheduler.monotonicMs() - startedMs)
      if (this.#done.length === 0) this.#scheduler.soon(() => this.#tell())
      this.#done.push(log)
      if (this.#awaited.size + this.#unawaited.size > 0) this.#startSoon()
    })
  }

  #tell(): void {
    const done = this.#done
    this.#done = []
    for (const log of done) log.endSync()
  }

  #note(elapsedMs: number): void {
    this.#count++
    this.#totalMs += elapsedMs
    this.#listener(elapsedMs)
  }
}
