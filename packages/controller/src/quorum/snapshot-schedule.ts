/** When the next snapshot is due: after so many bytes, or so long after the last one if there is anything new. */
import type { Entry } from '../raft/messages.ts'

export interface SnapshotScheduleOptions {
  readonly snapshotAfterBytes: number
  /** 0 switches the interval off. */
  readonly snapshotAfterMs: number
}

export class SnapshotSchedule {
  readonly #options: SnapshotScheduleOptions
  #bytes = 0
  #sinceMs = 0

  constructor(options: SnapshotScheduleOptions) {
    this.#options = options
  }

  /** A snapshot was taken or loaded. */
  restart(nowMs: number): void {
    this.#bytes = 0
    this.#sinceMs = nowMs
  }

  applied(entries: readonly Entry[]): void {
    for (const { payload } of entries) this.#bytes += payload.length
  }

  isDue(nowMs: number): boolean {
    const { snapshotAfterBytes, snapshotAfterMs } = this.#options
    if (this.#bytes >= snapshotAfterBytes) return true
    return snapshotAfterMs > 0 && this.#bytes > 0 && nowMs - this.#sinceMs >= snapshotAfterMs
  }
}
