/** One simulated universe: a clock, an order of events, randomness split by purpose, a log of what happened, and the first violation. */
import { setImmediate } from 'node:timers'
import { seededRandom } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'
import { VirtualScheduler } from '@kavka/testkit'
import { ILLEGAL_STATE } from '../invariants/predicates.ts'
import type { PredicateName } from '../invariants/predicates.ts'
import { EventHash } from './event-hash.ts'
import { Probes } from './probes.ts'

export interface Violation {
  /** Of the predicate that was broken. */
  readonly name: string
  readonly message: string
  readonly atMs: number
}

const LOG_LINES_MAX = 400

export class World {
  readonly scheduler = new VirtualScheduler()
  readonly hash = new EventHash()
  readonly probes = new Probes()
  readonly #seed: number
  readonly #only: string | null
  /** Something that nobody looks at has broken: what follows proves nothing. */
  #isAbandoned = false
  readonly #log: string[] = []
  /** How often each predicate had something to judge: one that never has proves nothing. */
  readonly #judged = new Map<PredicateName, { count: number }>()
  violation: Violation | null = null
  events = 0

  /** `only`: the one predicate that counts, to see what it finds when all others look away. */
  constructor(options: { readonly seed: number; readonly only?: string }) {
    this.#seed = options.seed
    this.#only = options.only ?? null
  }

  get nowMs(): number {
    return this.scheduler.monotonicMs()
  }

  get log(): readonly string[] {
    return this.#log
  }

  /** A stream of its own for each purpose: leaving out a fault must not change what the others draw. */
  random(purpose: string): Random {
    let mixed = this.#seed ^ 0x9e3779b9
    for (let i = 0; i < purpose.length; i++) mixed = Math.imul(mixed ^ purpose.charCodeAt(i), 0x01000193)
    return seededRandom(mixed)
  }

  note(text: string): void {
    this.#log.push(`${this.nowMs.toFixed(3).padStart(10)} ${text}`)
    if (this.#log.length > LOG_LINES_MAX) this.#log.shift()
    this.hash.text(text)
  }

  get judged(): ReadonlyMap<PredicateName, number> {
    return new Map([...this.#judged].map(([predicate, { count }]) => [predicate, count]))
  }

  judge(predicate: PredicateName, holds: boolean, details: Readonly<Record<string, unknown>>): void {
    const known = this.#judged.get(predicate)
    if (known === undefined) this.#judged.set(predicate, { count: 1 })
    else known.count++
    if (!holds) this.#violate(predicate, JSON.stringify(details))
  }

  /** An exception that nobody expected: in production it would have stopped the process. */
  fail(error: unknown, where: string): void {
    const text = error instanceof Error ? error.stack ?? error.message : String(error)
    this.#violate(ILLEGAL_STATE, `${where}: ${text}`)
  }

  /** The first one counts; the run ends with the event that is under way. */
  #violate(name: string, message: string): void {
    if (this.violation !== null || this.#isAbandoned) return
    if (this.#only !== null && name !== this.#only) {
      this.#isAbandoned = name === ILLEGAL_STATE
      return
    }
    this.violation = { name, message, atMs: this.nowMs }
    this.note(`VIOLATION ${name} ${message.split('\n', 1)[0]}`)
  }

  /** Everything from here on is this world's fault; the result ends that, when all that is left behind has run dry. */
  watchRejections(): () => Promise<void> {
    const rejected = (error: unknown): void => this.fail(error, 'a rejection that nobody handles')
    process.on('unhandledRejection', rejected)
    return async () => {
      await settled()
      process.off('unhandledRejection', rejected)
    }
  }

  /** Runs until `isDone`, a violation, or `untilMs`; true when it was done. Promises settle after each event. */
  async run(isDone: () => boolean, untilMs: number): Promise<boolean> {
    await settled()
    if (runMicrotasks === null) {
      while (this.#goesOn(isDone, untilMs)) {
        if (!this.#step()) break
        await settled()
      }
    } else {
      // In a turn of its own: promise callbacks do not run inside of promise callbacks.
      await new Promise<void>((resolve) => {
        setImmediate(() => {
          while (this.#goesOn(isDone, untilMs) && this.#step()) runMicrotasks()
          resolve()
        })
      })
    }
    return this.violation === null && isDone()
  }

  #goesOn(isDone: () => boolean, untilMs: number): boolean {
    return this.violation === null && !this.#isAbandoned && this.nowMs < untilMs && !isDone()
  }

  /** One event; false when there is none. */
  #step(): boolean {
    try {
      if (!this.scheduler.runNextSync()) return false
    } catch (error) {
      this.fail(error, 'an event')
    }
    this.events++
    this.hash.number(this.nowMs)
    return true
  }
}

/**
 * Runs promise callbacks until none is left, at once: a turn of the event loop for each of a million events would take longer
 * than the events do. What Node runs between two callbacks of timers is reachable under this old name; where it is not, turns
 * of the event loop do the same, slower.
 */
const runMicrotasks = (process as { _tickCallback?: () => void })._tickCallback ?? null

/** Resolves when no promise callback is left to run. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
