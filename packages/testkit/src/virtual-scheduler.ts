/** Time that passes only when a test says so. */
import { setImmediate } from 'node:timers'
import { assert } from '@kavka/kernel'
import type { Scheduler, TimerHandle } from '@kavka/kernel'

interface Task {
  readonly atMs: number
  /** Tasks of the same time run in the order in which they were scheduled. */
  readonly order: number
  readonly callback: () => void
  cancelled: boolean
}

export interface VirtualSchedulerOptions {
  /** What `wallMs` shows when `monotonicMs` is 0. */
  readonly wallMsAtStart?: number
}

const WALL_MS_AT_START = 1_700_000_000_000

/**
 * A Scheduler whose clock jumps from task to task in a fixed order. The `…Sync` methods are for tests of synchronous code;
 * the others let promises settle after each task, so that asynchronous code is as deterministic.
 */
export class VirtualScheduler implements Scheduler {
  readonly #wallMsAtStart: number
  readonly #tasks = new TaskHeap()
  #nowMs = 0
  #order = 0

  constructor(options: VirtualSchedulerOptions = {}) {
    this.#wallMsAtStart = options.wallMsAtStart ?? WALL_MS_AT_START
  }

  wallMs(): number {
    return this.#wallMsAtStart + Math.floor(this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    assert(delayMs >= 0, 'delay must not be negative', { delayMs })
    const task: Task = { atMs: this.#nowMs + delayMs, order: this.#order++, callback, cancelled: false }
    this.#tasks.push(task)
    return {
      cancel: () => {
        task.cancelled = true
      },
    }
  }

  soon(callback: () => void): void {
    this.after(0, callback)
  }

  /** Runs the next task, moving the clock to it; false when nothing is scheduled. */
  runNextSync(): boolean {
    const task = this.#takeNext(Infinity)
    if (task === null) return false
    task.callback()
    return true
  }

  /** Lets `durationMs` pass, running all that falls due in it. */
  advanceSync(durationMs: number): void {
    const endMs = this.#nowMs + durationMs
    for (let task = this.#takeNext(endMs); task !== null; task = this.#takeNext(endMs)) task.callback()
    this.#nowMs = endMs
  }

  /** As `advanceSync`, with promises settled after each task. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs
    await settle()
    for (let task = this.#takeNext(endMs); task !== null; task = this.#takeNext(endMs)) {
      task.callback()
      await settle()
    }
    this.#nowMs = endMs
  }

  /** Runs until `condition` holds and returns true; false when `timeoutMs` of virtual time passed or nothing is left to run. */
  async runUntil(condition: () => boolean, timeoutMs = 60_000): Promise<boolean> {
    const endMs = this.#nowMs + timeoutMs
    await settle()
    while (!condition()) {
      const task = this.#takeNext(endMs)
      if (task === null) return false
      task.callback()
      await settle()
    }
    return true
  }

  #takeNext(endMs: number): Task | null {
    for (let task = this.#tasks.peek(); task !== null && task.atMs <= endMs; task = this.#tasks.peek()) {
      this.#tasks.pop()
      if (task.cancelled) continue
      assert(task.atMs >= this.#nowMs, 'time must not go back', { atMs: task.atMs, nowMs: this.#nowMs })
      this.#nowMs = task.atMs
      return task
    }
    return null
  }
}

/** Resolves when no promise callback is left to run. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

class TaskHeap {
  readonly #items: Task[] = []

  peek(): Task | null {
    return this.#items[0] ?? null
  }

  push(task: Task): void {
    const items = this.#items
    let at = items.length
    items.push(task)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(task, items[parent]!)) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = task
  }

  pop(): void {
    const items = this.#items
    const last = items.pop()!
    if (items.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child++
      if (!isBefore(items[child]!, last)) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
