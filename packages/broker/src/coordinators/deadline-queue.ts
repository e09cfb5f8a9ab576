import { assert } from '@kavka/kernel'

/**
 * Many deadlines that move far more often than they pass: each heartbeat of each member moves one. Moving a
 * deadline later costs a number; the heap learns of it when the old entry comes up (lazy rescheduling), so
 * that it holds one entry a timer.
 */
export class DeadlineQueue<Task> {
  /**
   * Binary heap ordered by the moment under which the timer was entered, which is never later than its
   * deadline.
   */
  readonly #heap: HeapEntry<Task>[] = []

  /** Sets or moves the deadline. */
  schedule(timer: Deadline<Task>, deadlineMs: number): void {
    assert(Number.isFinite(deadlineMs), 'a deadline is a number', { deadlineMs })
    timer.deadlineMs = deadlineMs
    if (timer.queuedAtMs !== null && timer.queuedAtMs <= deadlineMs) return
    timer.queuedAtMs = deadlineMs
    this.#push({ atMs: deadlineMs, timer })
  }

  cancel(timer: Deadline<Task>): void {
    timer.deadlineMs = null
  }

  /** Lower bound of the next deadline. */
  nextMs(): number | null {
    this.#dropStale()
    return this.#heap[0]?.atMs ?? null
  }

  /** Takes one timer whose deadline has passed, or null. Its deadline is cleared. */
  pop(nowMs: number): Task | null {
    while (this.#heap.length > 0 && this.#heap[0]!.atMs <= nowMs) {
      const { atMs, timer } = this.#removeFirst()
      if (timer.queuedAtMs !== atMs) continue
      timer.queuedAtMs = null
      if (timer.deadlineMs === null) continue
      if (timer.deadlineMs > nowMs) {
        this.schedule(timer, timer.deadlineMs)
        continue
      }
      timer.deadlineMs = null
      return timer.task
    }
    return null
  }

  get size(): number {
    return this.#heap.length
  }

  /** Entries of canceled timers at the top would wake the shell for nothing. */
  #dropStale(): void {
    while (this.#heap.length > 0) {
      const { atMs, timer } = this.#heap[0]!
      if (timer.queuedAtMs === atMs && timer.deadlineMs !== null) return
      this.#removeFirst()
      if (timer.queuedAtMs === atMs) timer.queuedAtMs = null
    }
  }

  #push(entry: HeapEntry<Task>): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (heap[parent]!.atMs <= entry.atMs) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = entry
  }

  #removeFirst(): HeapEntry<Task> {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.atMs < heap[child]!.atMs) child++
      if (heap[child]!.atMs >= last.atMs) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return first
  }
}

/** A timer; create it with `newDeadline` and hand it to one queue only. */
export interface Deadline<Task> {
  readonly task: Task
  /** Null: not set. */
  deadlineMs: number | null
  /** Under which moment the heap holds it; null: not at all. Owned by the queue. */
  queuedAtMs: number | null
}

interface HeapEntry<Task> {
  readonly atMs: number
  readonly timer: Deadline<Task>
}

/** A timer that is not set yet. */
export function newDeadline<Task>(task: Task): Deadline<Task> {
  return { task, deadlineMs: null, queuedAtMs: null }
}
