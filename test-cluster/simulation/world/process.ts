/** A process of the simulation: it has a scheduler of its own, can be paused, and once dead does nothing any more. */
import type { Scheduler, TimerHandle } from '@kavka/kernel'
import { LocalClock } from './local-clock.ts'
import { hashOf } from './event-hash.ts'
import type { World } from './world.ts'

export class SimulatedProcess implements Scheduler {
  readonly name: string
  readonly #world: World
  readonly #nameHash: number
  #deferred: (() => void)[] | null = null
  isAlive = true
  readonly clock: LocalClock

  constructor(name: string, world: World) {
    this.name = name
    this.#world = world
    this.#nameHash = hashOf(name)
    this.clock = new LocalClock(world.scheduler)
  }

  get isPaused(): boolean {
    return this.#deferred !== null
  }

  wallMs(): number {
    return this.clock.wallMs()
  }

  monotonicMs(): number {
    return this.clock.monotonicMs()
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    const { clock } = this
    const dueMs = clock.monotonicMs() + delayMs
    return this.#world.scheduler.after(clock.trueDelayMs(delayMs), () => {
      clock.reached(dueMs)
      this.run(callback)
    })
  }

  soon(callback: () => void): void {
    this.#world.scheduler.soon(() => this.run(callback))
  }

  /** Runs something that reaches this process: now, when it goes on, or never. */
  run(callback: () => void): void {
    if (!this.isAlive) return
    if (this.#deferred !== null) {
      this.#deferred.push(callback)
      return
    }
    this.#world.hash.word(this.#nameHash)
    try {
      callback()
    } catch (error) {
      // Whatever a process that just died throws is heard by nobody.
      if (this.isAlive) this.#world.fail(error, this.name)
    }
  }

  pause(): void {
    this.#deferred ??= []
  }

  resume(): void {
    const deferred = this.#deferred
    this.#deferred = null
    for (const callback of deferred ?? []) this.#world.scheduler.soon(() => this.run(callback))
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve)
    })
  }
}
