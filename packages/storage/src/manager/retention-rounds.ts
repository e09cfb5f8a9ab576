/**
 * Retention over all logs, a little in each turn of the event loop: every segment that goes costs syncs of its directory, and the
 * segments of thousands of partitions may expire in the same minute.
 */
import type { Scheduler } from '@kavka/kernel'
import type { DiskLog } from '../log/disk-log.ts'

/** After it no other segments are begun in the turn. */
const TURN_MS_MAX = 2

export interface RetentionRoundsDependencies {
  readonly scheduler: Scheduler
  /** As of now. */
  readonly logs: () => Iterable<DiskLog>
  /** Takes a few segments of the log; false when there are none to take. */
  readonly deleteSome: (log: DiskLog) => boolean
}

export class RetentionRounds {
  readonly #dependencies: RetentionRoundsDependencies
  /** Of the round under way, those that are not done; the last one is next. */
  #left: DiskLog[] = []
  #stopped = false

  constructor(dependencies: RetentionRoundsDependencies) {
    this.#dependencies = dependencies
  }

  /** Begins a round, unless the one before is still under way. */
  begin(): void {
    if (this.#left.length > 0) return
    this.#left = [...this.#dependencies.logs()].toReversed()
    this.#continue()
  }

  stop(): void {
    this.#stopped = true
  }

  #continue(): void {
    const { scheduler, deleteSome } = this.#dependencies
    const startedMs = scheduler.monotonicMs()
    for (let log = this.#left.at(-1); log !== undefined && !this.#stopped; log = this.#left.at(-1)) {
      if (!deleteSome(log)) this.#left.pop()
      if (this.#left.length > 0 && scheduler.monotonicMs() - startedMs >= TURN_MS_MAX) return scheduler.soon(() => this.#continue())
    }
  }
}
