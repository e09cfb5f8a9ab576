/**
 * When leadership goes back to brokers that returned. Kafka waits for its periodic check (5 minutes by
 * default); here it happens seconds after the broker is in sync again, so that a restarted broker does not
 * idle while the others carry its load. A broker that keeps failing waits twice as long each time, up to the
 * periodic check: its partitions must not change leaders with it.
 */
import type { NodeId } from '@kavka/protocol'

export interface HandbackOptions {
  /** Between rejoining the in-sync set and the election: more partitions follow in this time. */
  readonly delayMs: number
  /** Longest delay, and how long a failure counts against a broker. */
  readonly delayMsMax: number
}

export class HandbackSchedule {
  readonly #options: HandbackOptions
  readonly #dueMs = new Map<NodeId, number>()
  readonly #fencedMs = new Map<NodeId, readonly number[]>()

  constructor(options: HandbackOptions) {
    this.#options = options
  }

  /** The broker lost its partitions. */
  fenced(brokerId: NodeId, nowMs: number): void {
    this.#dueMs.delete(brokerId)
    this.#fencedMs.set(brokerId, [...this.#recentFencings(brokerId, nowMs), nowMs])
  }

  /** The broker is in sync for a partition that another one leads in its place. */
  rejoined(brokerId: NodeId, nowMs: number): void {
    if (!this.#dueMs.has(brokerId)) this.#dueMs.set(brokerId, nowMs + this.#delayMs(brokerId, nowMs))
  }

  /** Null: nobody waits. */
  nextDueMs(): number | null {
    return this.#dueMs.size === 0 ? null : Math.min(...this.#dueMs.values())
  }

  /** Brokers whose time has come; they are off the schedule. */
  takeDue(nowMs: number): ReadonlySet<NodeId> {
    const due = new Set([...this.#dueMs].filter(([, dueMs]) => dueMs <= nowMs).map(([brokerId]) => brokerId))
    for (const brokerId of due) this.#dueMs.delete(brokerId)
    return due
  }

  clear(): void {
    this.#dueMs.clear()
    this.#fencedMs.clear()
  }

  #delayMs(brokerId: NodeId, nowMs: number): number {
    const failures = this.#recentFencings(brokerId, nowMs).length
    return Math.min(this.#options.delayMs * 2 ** Math.max(0, failures - 1), this.#options.delayMsMax)
  }

  #recentFencings(brokerId: NodeId, nowMs: number): readonly number[] {
    return (this.#fencedMs.get(brokerId) ?? []).filter((atMs) => nowMs - atMs < this.#options.delayMsMax)
  }
}
