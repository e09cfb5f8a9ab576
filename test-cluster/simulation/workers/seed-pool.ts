/** Plays seeds on several cores: a process each, for a simulation is one thread, and a seed that never ends takes nobody with it. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { RunResult } from '../simulate.ts'

export interface SeedPoolOptions {
  readonly workers: number
  readonly from: number
  readonly seedsMax: number
  readonly seconds: number
}

export interface PlayedSeed extends RunResult {
  readonly cpuMs: number
}

export interface SeedPoolEvents {
  played(result: PlayedSeed): void
  /** The process ended, or said nothing for too long, with this seed at hand. */
  lost(seed: number, problem: string): void
}

/** So that none waits for the parent between two seeds. */
const SEEDS_AHEAD = 2
const SEED_MS_MAX = 180_000
/** Short-lived memory by the million: a larger nursery is emptied less often. */
const EXEC_ARGV = ['--max-semi-space-size=32']

/** Seeds in order from `from`; resolves when the time or the seeds are over and all that was begun has been reported. */
export async function playSeeds(options: SeedPoolOptions, events: SeedPoolEvents): Promise<void> {
  const untilMs = performance.now() + options.seconds * 1_000
  const seedEnd = options.from + options.seedsMax
  let next = options.from
  const queue: SeedQueue = {
    take: () => queue.returned.shift() ?? (next < seedEnd && performance.now() < untilMs ? next++ : null),
    returned: [],
  }
  await Promise.all(Array.from({ length: options.workers }, async () => {
    // Whoever lost a worker goes on with a new one.
    while (await new Worker(queue, events).done === 'lost');
  }))
}

interface SeedQueue {
  take(): number | null
  /** What a worker that is gone had not begun. */
  readonly returned: number[]
}

class Worker {
  readonly #child: ChildProcess
  readonly #queue: SeedQueue
  readonly #events: SeedPoolEvents
  readonly #atHand: number[] = []
  #watch: NodeJS.Timeout | null = null
  readonly done: Promise<'over' | 'lost'>

  constructor(queue: SeedQueue, events: SeedPoolEvents) {
    this.#queue = queue
    this.#events = events
    this.#child = fork(join(import.meta.dirname, 'seed-worker.ts'), { execArgv: [...process.execArgv, ...EXEC_ARGV], serialization: 'advanced' })
    this.done = new Promise((resolve) => {
      this.#child.on('message', (result: PlayedSeed) => this.#played(result))
      this.#child.on('exit', (code, signal) => resolve(this.#ended(signal ?? `code ${code}`)))
    })
    this.#refill()
  }

  #played(result: PlayedSeed): void {
    this.#atHand.shift()
    this.#events.played(result)
    this.#refill()
  }

  #refill(): void {
    if (this.#watch !== null) clearTimeout(this.#watch)
    while (this.#atHand.length < SEEDS_AHEAD) {
      const seed = this.#queue.take()
      if (seed === null) break
      this.#atHand.push(seed)
      this.#child.send(seed)
    }
    if (this.#atHand.length === 0) this.#child.disconnect()
    else this.#watch = setTimeout(() => this.#child.kill('SIGKILL'), SEED_MS_MAX)
  }

  #ended(how: string): 'over' | 'lost' {
    if (this.#watch !== null) clearTimeout(this.#watch)
    const [seed, ...notBegun] = this.#atHand
    if (seed === undefined) return 'over'
    this.#queue.returned.push(...notBegun)
    this.#events.lost(seed, how)
    return 'lost'
  }
}
