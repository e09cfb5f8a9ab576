import { sleep, systemScheduler } from '@kavka/kernel'
import { VirtualScheduler } from '@kavka/testkit'

const REAL_MS_MAX = 20_000
/** Of virtual time, between two looks at the sockets. */
const STEP_MS = 100

/**
 * A clock that stands unless the test moves it, beside real sockets. What happens while it stands owes to no timer of ours, however
 * slow the machine is: so a test can tell "at once" from "after a back-off" without measuring anything.
 */
export class StandingTime {
  readonly scheduler = new VirtualScheduler()

  /** Waits for the sockets while the clock stands. */
  async until(condition: () => boolean): Promise<void> {
    await this.#until(condition, 0)
  }

  /** The same while time passes, at no particular speed. */
  async passUntil(condition: () => boolean): Promise<void> {
    await this.#until(condition, STEP_MS)
  }

  /** Runs the timers of that time; what they begin is for `until` to see. */
  pass(durationMs: number): Promise<void> {
    return this.scheduler.advance(durationMs)
  }

  async #until(condition: () => boolean, stepMs: number): Promise<void> {
    const startMs = systemScheduler.monotonicMs()
    while (!condition()) {
      if (systemScheduler.monotonicMs() - startMs > REAL_MS_MAX) throw new Error(`waited in vain for ${String(condition)}`)
      await this.scheduler.advance(stepMs)
      await sleep(systemScheduler, 2)
    }
  }
}
