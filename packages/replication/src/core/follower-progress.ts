import { assert } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'

/** Position of a follower that has not acknowledged anything in the current leader epoch. */
export const UNKNOWN_POSITION = -1

/**
 * What the leader knows of one follower in the current leader epoch. Only what a follower made durable counts.
 *
 * `caughtUpMs` answers "when did it last have everything the leader had at that time?". Acknowledgments are pipelined here,
 * so the end of the log to reach is sampled and kept until the follower reaches it; sampling anew at every acknowledgment
 * (which is what request and response do for Kafka) would never be satisfied under constant load.
 */
export class FollowerProgress {
  readonly id: NodeId
  durableEnd: number = UNKNOWN_POSITION
  logStart: number = UNKNOWN_POSITION
  /** Of the incarnation that acknowledged; null before the first acknowledgment (KIP-903). */
  brokerEpoch: number | null = null
  caughtUpMs: number
  connected = false
  #sampledEnd: number
  #sampledMs: number

  /** A member of the ISR gets the benefit of the doubt from the moment of the election. */
  constructor(id: NodeId, start: { readonly inSync: boolean; readonly leaderEnd: number; readonly nowMs: number }) {
    this.id = id
    this.caughtUpMs = start.inSync ? start.nowMs : Number.NEGATIVE_INFINITY
    this.#sampledEnd = start.leaderEnd
    this.#sampledMs = start.nowMs
  }

  acknowledge(durableEnd: number, logStart: number, brokerEpoch: number, leaderEnd: number, nowMs: number): void {
    assert(durableEnd >= 0, 'acknowledged a negative offset', { durableEnd })
    assert(durableEnd <= leaderEnd, 'acknowledged beyond the leader', { follower: this.id, durableEnd, leaderEnd })
    this.durableEnd = durableEnd
    this.logStart = logStart
    this.brokerEpoch = brokerEpoch
    if (durableEnd === leaderEnd) this.caughtUpMs = Math.max(this.caughtUpMs, nowMs)
    else if (durableEnd >= this.#sampledEnd) this.caughtUpMs = Math.max(this.caughtUpMs, this.#sampledMs)
    else return
    this.#sampledEnd = leaderEnd
    this.#sampledMs = nowMs
  }

  /** The leader's end moves: a connected follower that had everything until now was caught up until now. */
  leaderAppended(endBefore: number, endAfter: number, nowMs: number): void {
    if (this.durableEnd !== endBefore || !this.connected) return
    this.caughtUpMs = Math.max(this.caughtUpMs, nowMs)
    this.#sampledEnd = endAfter
    this.#sampledMs = nowMs
  }

  connect(): void {
    this.connected = true
  }

  /** From here on nothing is known of it: whoever had everything was caught up until now. */
  disconnect(leaderEnd: number, nowMs: number): void {
    if (this.connected && this.durableEnd === leaderEnd) this.caughtUpMs = Math.max(this.caughtUpMs, nowMs)
    this.connected = false
  }

  /** Kafka's rule: has everything, or had everything at most `lagMsMax` ago (`replica.lag.time.max.ms`). */
  isCaughtUp(leaderEnd: number, nowMs: number, lagMsMax: number): boolean {
    return this.durableEnd === leaderEnd || nowMs - this.caughtUpMs <= lagMsMax
  }
}
