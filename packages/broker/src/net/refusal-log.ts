/** One line about refused connections and requests per second and reason at most: a hostile peer must not fill the disk. */
import type { Clock, Logger } from '@kavka/kernel'

const LINES_PER_INTERVAL_MAX = 10
const INTERVAL_MS = 1000

export class RefusalLog {
  readonly #logger: Logger
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #intervalStartMs = -Infinity
  #lines = 0
  #suppressed = 0

  constructor(deps: { readonly logger: Logger; readonly clock: Pick<Clock, 'monotonicMs'> }) {
    this.#logger = deps.logger
    this.#clock = deps.clock
  }

  write(details: Readonly<Record<string, unknown>>, message: string): void {
    const now = this.#clock.monotonicMs()
    if (now - this.#intervalStartMs >= INTERVAL_MS) this.#newInterval(now)
    if (this.#lines >= LINES_PER_INTERVAL_MAX) {
      this.#suppressed++
      return
    }
    this.#lines++
    this.#logger.info(details, message)
  }

  #newInterval(now: number): void {
    if (this.#suppressed > 0) this.#logger.info({ suppressed: this.#suppressed }, 'more refusals were not logged')
    this.#intervalStartMs = now
    this.#lines = 0
    this.#suppressed = 0
  }
}
