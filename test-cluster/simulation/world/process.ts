/** A process of the simulation: it has a scheduler of its own, can be paused, and once dead does nothing any more. */
import type { Scheduler, TimerHandle } from '@kavka/kernel'
import type { World } from './world.ts'

export class SimulatedProcess implements Scheduler {
  readonly name: string
  readonly #world: World
  #deferred: (() => void)[] | null = null
  isAlive = true
  /** Of this machine's wall clock against the true time. */
  wallSkewMs = 0

  constructor(name: string, world: World) {
    this.name = name
    this.#world = world
  }

  get isPaused(): boolean {
    return this.#deferred !== null
  }

  wallMs(): number {
    return this.#world.scheduler.wallMs() + this.wallSkewMs
  }

  monotonicMs(): number {
    return this.#world.scheduler.monotonicMs()
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    return this.#world.scheduler.after(delayMs, () => this.run(callback))
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
    this.#world.hash.text(this.name)
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
