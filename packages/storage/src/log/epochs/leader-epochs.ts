/**
 * Which leader epoch started at which offset (KIP-101): what a follower compares with its leader to find where their logs
 * part. Pure; `leader-epoch-file.ts` keeps it on disk.
 */
import { assert } from '@kavka/kernel'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { EpochEndOffset } from '../../partition-log.ts'

export interface EpochStart {
  readonly epoch: LeaderEpoch
  readonly startOffset: Offset
}

export class LeaderEpochs {
  /** Ascending in both fields. */
  #entries: EpochStart[] = []

  constructor(entries: readonly EpochStart[] = []) {
    for (const entry of entries) this.assign(entry.epoch, entry.startOffset)
  }

  get entries(): readonly EpochStart[] {
    return this.#entries
  }

  get latest(): LeaderEpoch | null {
    return this.#entries.at(-1)?.epoch ?? null
  }

  /**
   * Notes that a record of `epoch` stands at `startOffset`; true when that was news. Entries that contradict it (a larger epoch, a
   * start not before it) are dropped first: what is appended last is what the log holds.
   */
  assign(epoch: LeaderEpoch, startOffset: Offset): boolean {
    assert(epoch >= 0, 'negative leader epoch', { epoch })
    const lengthBefore = this.#entries.length
    while (this.#contradicts(epoch, startOffset)) this.#entries.pop()
    if (this.latest === epoch) return this.#entries.length !== lengthBefore
    this.#entries.push({ epoch, startOffset })
    return true
  }

  /**
   * The largest known epoch not above `epoch`, and where the next one starts. An epoch below all known ones gets the first
   * known start as its end; one above the latest, and any on an empty history, is unknown (null).
   */
  endOffsetFor(epoch: LeaderEpoch, logEndOffset: Offset): EpochEndOffset | null {
    const latest = this.latest
    if (latest === null || epoch > latest) return null
    if (epoch === latest) return { epoch, endOffset: logEndOffset }
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch)
    assert(next >= 0, 'an epoch below the latest has a successor')
    const endOffset = this.#entries[next]!.startOffset
    return { epoch: next === 0 ? epoch : this.#entries[next - 1]!.epoch, endOffset }
  }

  /** The epoch that a record at `offset` was written in; null when the history does not reach back that far. */
  epochOf(offset: Offset): LeaderEpoch | null {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      if (this.#entries[i]!.startOffset <= offset) return this.#entries[i]!.epoch
    }
    return null
  }

  /** Drops epochs that start at or above `endOffset` (KAFKA-10706: also the one that starts exactly there); true on a change. */
  truncateFromEnd(endOffset: Offset): boolean {
    const lengthBefore = this.#entries.length
    while (this.#entries.length > 0 && this.#entries.at(-1)!.startOffset >= endOffset) this.#entries.pop()
    return this.#entries.length !== lengthBefore
  }

  /** Drops epochs that ended below `startOffset`; the one that spans it now starts there. True on a change. */
  truncateFromStart(startOffset: Offset): boolean {
    let spanning = -1
    while (spanning + 1 < this.#entries.length && this.#entries[spanning + 1]!.startOffset <= startOffset) spanning++
    if (spanning < 0) return false
    const kept = this.#entries[spanning]!
    if (spanning === 0 && kept.startOffset === startOffset) return false
    this.#entries = [{ epoch: kept.epoch, startOffset }, ...this.#entries.slice(spanning + 1)]
    return true
  }

  clear(): void {
    this.#entries = []
  }

  #contradicts(epoch: LeaderEpoch, startOffset: Offset): boolean {
    const last = this.#entries.at(-1)
    if (last === undefined) return false
    if (last.epoch === epoch) return last.startOffset > startOffset
    return last.epoch > epoch || last.startOffset >= startOffset
  }
}
