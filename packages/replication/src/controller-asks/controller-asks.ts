/**
 * Asks the active controller one request at a time; what comes up meanwhile goes into the next. What was not answered is asked again
 * after a back-off: it may have happened, so only questions that do no harm twice are asked this way.
 */
import type { Random, Scheduler } from '@kavka/kernel'
import { nodeRequest } from '@kavka/controller'
import type { ControllerChannel } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'
import { RetryBackoff } from '../core/retry-backoff.ts'
import { OnceATurn } from '../once-a-turn.ts'

export interface ControllerAsksOptions {
  readonly localId: NodeId
  readonly requestTimeoutMs: number
}

export interface ControllerAsksDependencies {
  readonly controller: ControllerChannel
  readonly scheduler: Scheduler
  readonly random: Random
}

/** What is asked, by its owner, who keeps what waits. */
export interface AskedThings<Thing, Response> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly isWaiting: () => boolean
  /** What goes into the next request; it waits no longer. */
  readonly take: () => readonly Thing[]
  readonly bodyFor: (things: readonly Thing[]) => unknown
  /** `again`: something of it waits once more, and the next request takes its time. */
  readonly answered: (things: readonly Thing[], response: Response) => 'done' | 'again'
  /** Puts back what still matters. */
  readonly unanswered: (things: readonly Thing[]) => void
}

const RETRY_MS = { delayMsMin: 25, delayMsMax: 1000 }

export class ControllerAsks<Thing, Response> {
  readonly #options: ControllerAsksOptions
  readonly #dependencies: ControllerAsksDependencies
  readonly #asked: AskedThings<Thing, Response>
  readonly #backoff: RetryBackoff
  readonly #flush: OnceATurn
  #isUnderWay = false
  #stopped = false

  constructor(options: ControllerAsksOptions, asked: AskedThings<Thing, Response>, dependencies: ControllerAsksDependencies) {
    this.#options = options
    this.#asked = asked
    this.#dependencies = dependencies
    this.#backoff = new RetryBackoff(RETRY_MS, dependencies)
    this.#flush = new OnceATurn(() => this.#send(), dependencies)
  }

  /** Something waits: asked when the turn ends, or after the request that is under way. */
  request(): void {
    if (!this.#isUnderWay) this.#flush.request()
  }

  /** Nothing is asked and no answer is heard any more. */
  stop(): void {
    this.#stopped = true
    this.#flush.stop()
  }

  #send(): void {
    if (this.#isUnderWay || this.#stopped) return
    const things = this.#asked.take()
    if (things.length === 0) return
    this.#isUnderWay = true
    const { apiKey, apiVersion } = this.#asked
    const request = nodeRequest(this.#options.localId, { apiKey, apiVersion, body: this.#asked.bodyFor(things) })
    void this.#dependencies.controller.request(request, this.#options.requestTimeoutMs).then(
      (reply) => {
        if (reply.kind === 'answered') this.#answered(things, reply.body as Response)
        else this.#unanswered(things)
      },
      () => this.#unanswered(things),
    )
  }

  #answered(things: readonly Thing[], response: Response): void {
    if (this.#stopped) return
    if (this.#asked.answered(things, response) === 'again') return this.#proceedLater()
    this.#backoff.reset()
    this.#proceed()
  }

  #unanswered(things: readonly Thing[]): void {
    if (this.#stopped) return
    this.#asked.unanswered(things)
    this.#proceedLater()
  }

  #proceedLater(): void {
    this.#dependencies.scheduler.after(this.#backoff.nextDelayMs(), () => this.#proceed())
  }

  #proceed(): void {
    this.#isUnderWay = false
    if (this.#asked.isWaiting()) this.#flush.request()
  }
}
