/**
 * When logs are synced. Those whose records wait for it are synced together, one round at a time: what arrives while a round is under
 * way is in the next one, so that a sync covers the more the more there is to do, and what a round made durable is told in one turn
 * of the event loop, so that a follower acknowledges all of it in one frame. A round that takes long (one log had much to write) holds
 * nobody else back. Syncs that no record waits for have no part in rounds. Also the place where syncs are counted.
 */
import { assert } from '@kavka/kernel'
import type { Scheduler, TimerHandle } from '@kavka/kernel'

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

export interface SyncRoundsOptions {
  /** Each sync needs its files open while it lasts, and the threads that sync are few. */
  readonly logsAtOnceMax: number
}

/** After this time a round is no reason any more to keep others waiting. */
const ROUND_MS_MAX = 10

interface Round {
  left: number
  /** Synced, not told yet. */
  readonly done: SyncedLog[]
  isLate: boolean
  timer: TimerHandle | null
}

export class SyncRounds {
  readonly #logsAtOnceMax: number
  readonly #scheduler: Scheduler
  /** In order of arrival. */
  readonly #awaited = new Set<SyncedLog>()
  readonly #unawaited = new Set<SyncedLog>()
  #running = 0
  /** The round that others wait for; null when the next may start. */
  #round: Round | null = null
  #isStartRequested = false
  #count = 0
  #totalMs = 0
  #listener: (elapsedMs: number) => void = () => {}

  constructor(options: SyncRoundsOptions, dependencies: { readonly scheduler: Scheduler }) {
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
    if (this.#round === null) this.#startSoon()
  }

  /** Nobody waits for it but whoever called. */
  requestApart(log: SyncedLog): void {
    this.#unawaited.add(log)
    this.#startSoon()
  }

  /** Not at once: the other logs that this turn wrote ask right after. */
  #startSoon(): void {
    if (this.#isStartRequested) return
    this.#isStartRequested = true
    void Promise.resolve().then(() => {
      this.#isStartRequested = false
      this.#start()
    })
  }

  #start(): void {
    if (this.#round === null) this.#startRound()
    for (const log of this.#take(this.#unawaited)) this.#begin(log, { left: 1, done: [], isLate: true, timer: null })
  }

  #startRound(): void {
    const logs = this.#take(this.#awaited)
    if (logs.length === 0) return
    const round: Round = { left: logs.length, done: [], isLate: false, timer: null }
    this.#round = round
    round.timer = this.#scheduler.after(ROUND_MS_MAX, () => this.#late(round))
    for (const log of logs) this.#begin(log, round)
  }

  #take(waiting: Set<SyncedLog>): SyncedLog[] {
    const taken: SyncedLog[] = []
    for (const log of waiting) {
      if (this.#running + taken.length >= this.#logsAtOnceMax) break
      waiting.delete(log)
      taken.push(log)
    }
    return taken
  }

  #begin(log: SyncedLog, round: Round): void {
    this.#running++
    const startedMs = this.#scheduler.monotonicMs()
    void log.beginSync().then(() => {
      this.#running--
      this.#note(this.#scheduler.monotonicMs() - startedMs)
      round.left--
      round.done.push(log)
      if (round.left === 0 || round.isLate) this.#tell(round)
    })
  }

  #late(round: Round): void {
    round.isLate = true
    round.timer = null
    this.#tell(round)
  }

  #tell(round: Round): void {
    if (this.#round === round) this.#round = null
    if (round.left === 0) round.timer?.cancel()
    for (const log of round.done.splice(0)) log.endSync()
    if (this.#awaited.size + this.#unawaited.size > 0) this.#startSoon()
  }

  #note(elapsedMs: number): void {
    this.#count++
    this.#totalMs += elapsedMs
    this.#listener(elapsedMs)
  }
}
