import { DeadlineQueue } from './deadline-queue.ts'
import type { Deadlined } from './deadline-queue.ts'

/** A request that waits for a condition, at most until its deadline. Exactly one of `complete` elsewhere and `expire` here happens. */
export interface ParkedRequest extends Deadlined {
  /** Out of time: answer with what there is. */
  expire(): void
}

/** A purgatory is bounded: beyond it requests are answered instead of parked. */
export interface PurgatoryOptions {
  readonly parkedMax: number
}

/**
 * Parked requests of one kind and their deadlines. The conditions live with what they are about (the waiters and watchers of
 * a partition); the purgatory knows who is still waiting, in O(1) a request, with one timer for all (the shell's).
 */
export class Purgatory {
  readonly #parkedMax: number
  readonly #deadlines = new DeadlineQueue<ParkedRequest>()
  #timedOutTotal = 0

  constructor({ parkedMax }: PurgatoryOptions) {
    this.#parkedMax = parkedMax
  }

  get size(): number {
    return this.#deadlines.size
  }

  get isFull(): boolean {
    return this.#deadlines.size >= this.#parkedMax
  }

  get timedOutTotal(): number {
    return this.#timedOutTotal
  }

  park(request: ParkedRequest, deadlineMs: number): void {
    this.#deadlines.add(request, deadlineMs)
  }

  /** Called when the condition came true, or never will. */
  release(request: ParkedRequest): void {
    this.#deadlines.remove(request)
  }

  nextDeadlineMs(): number | null {
    return this.#deadlines.nextDeadlineMs()
  }

  expire(nowMs: number): void {
    for (const request of this.#deadlines.expire(nowMs)) {
      this.#timedOutTotal++
      request.expire()
    }
  }
}
