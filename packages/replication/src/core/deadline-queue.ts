import { assert } from '@kavka/kernel'

/** Put on whatever waits for a deadline; the queue keeps the slot here so that removal needs no search. */
export interface Deadlined {
  deadlineSlot: number | null
}

/** Deadlines are rounded up to this, so that one slot holds many and one timer serves all. */
export const DEADLINE_SLOT_MS = 5

/**
 * Everything that may run out of time, in slots of 5 ms: adding and removing are O(1) while the slot exists, and only a
 * new slot costs a step in a heap of slots. Whoever completes in time leaves no trace but, at most, an empty slot.
 */
export class DeadlineQueue<T extends Deadlined> {
  readonly #slots = new Map<number, Set<T>>()
  /** Binary heap of slot numbers, each once. */
  readonly #heap: number[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  add(item: T, deadlineMs: number): void {
    assert(item.deadlineSlot === null, 'already waiting')
    const slot = Math.ceil(deadlineMs / DEADLINE_SLOT_MS)
    let items = this.#slots.get(slot)
    if (items === undefined) {
      this.#slots.set(slot, (items = new Set()))
      this.#push(slot)
    }
    items.add(item)
    item.deadlineSlot = slot
    this.#size++
  }

  /** Harmless when it no longer waits. */
  remove(item: T): void {
    if (item.deadlineSlot === null) return
    if (this.#slots.get(item.deadlineSlot)?.delete(item) === true) this.#size--
    item.deadlineSlot = null
  }

  /** When the first slot that may hold something is due; null when nothing waits. */
  nextDeadlineMs(): number | null {
    this.#dropEmptySlots()
    const slot = this.#heap[0]
    return slot === undefined ? null : slot * DEADLINE_SLOT_MS
  }

  /** Takes out everything due at `nowMs`, oldest deadline first. */
  expire(nowMs: number): T[] {
    const due: T[] = []
    for (let slot = this.#heap[0]; slot !== undefined && slot * DEADLINE_SLOT_MS <= nowMs; slot = this.#heap[0]) {
      for (const item of this.#slots.get(slot) ?? []) {
        item.deadlineSlot = null
        due.push(item)
      }
      this.#dropSlot(slot)
    }
    this.#size -= due.length
    return due
  }

  #dropEmptySlots(): void {
    for (let slot = this.#heap[0]; slot !== undefined && this.#slots.get(slot)?.size === 0; slot = this.#heap[0]) {
      this.#dropSlot(slot)
    }
  }

  #dropSlot(slot: number): void {
    this.#slots.delete(slot)
    this.#pop()
  }

  #push(slot: number): void {
    const heap = this.#heap
    let at = heap.push(slot) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (heap[parent]! <= slot) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = slot
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++
      if (heap[child]! >= last) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}
