/**
 * The part of the metadata log behind the snapshot's margin, in memory, and how far it has reached the disk. Three ends, never
 * out of order: synced (durable) <= handed (part of a write under way or done) <= end.
 */
import { assert, assertPresent } from '@kavka/kernel'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { Entry, SnapshotId } from './messages.ts'
import type { LogStart } from './ready.ts'

/** Epoch "before the first": that of the entry before offset 0. */
export const NO_EPOCH = 0 as LeaderEpoch
export const LOG_ORIGIN: LogStart = { offset: 0 as Offset, previousEpoch: NO_EPOCH }

export function offsetAfter(offset: Offset, count: number): Offset {
  return (offset + count) as Offset
}

/** Where an epoch ends: the offset after its last entry. */
export interface EpochEnd {
  readonly epoch: LeaderEpoch
  readonly endOffset: Offset
}

/** What of the log has yet to be written. */
export interface LogWrite {
  readonly logStart: LogStart | null
  readonly truncateTo: Offset | null
  readonly entries: readonly Entry[]
}

export class RaftLog {
  #start: LogStart
  #entries: Entry[]
  /** Ascending, one for each epoch with entries in the log, and one for `previousEpoch` when the log was cut. */
  #epochs: Array<{ readonly epoch: LeaderEpoch; readonly startOffset: Offset }> = []
  #syncedEnd: Offset
  /** What `syncedEnd` becomes when the write under way is done. */
  #writingEnd: Offset
  #handedEnd: Offset
  #truncateTo: Offset | null = null
  #startChanged = false

  constructor(start: LogStart, entries: readonly Entry[]) {
    this.#start = start
    this.#entries = []
    this.#resetEpochs()
    this.#syncedEnd = this.#writingEnd = this.#handedEnd = start.offset
    this.append(entries)
    this.#syncedEnd = this.#writingEnd = this.#handedEnd = this.endOffset
  }

  get start(): LogStart {
    return this.#start
  }

  get endOffset(): Offset {
    return offsetAfter(this.#start.offset, this.#entries.length)
  }

  /** Everything below is on the disk. */
  get syncedEnd(): Offset {
    return this.#syncedEnd
  }

  /** Epoch of the last entry, also when a snapshot holds it; `NO_EPOCH` when there never was one. */
  get lastEpoch(): LeaderEpoch {
    return this.#entries.at(-1)?.epoch ?? this.#start.previousEpoch
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert(entry.offset === this.endOffset, 'entries must be dense', { offset: entry.offset, end: this.endOffset })
      assert(entry.epoch >= this.lastEpoch, 'epochs must not fall', { epoch: entry.epoch, last: this.lastEpoch })
      if (entry.epoch > this.lastEpoch) this.#epochs.push({ epoch: entry.epoch, startOffset: entry.offset })
      this.#entries.push(entry)
    }
  }

  /** Drops entries at `offset` and above. */
  truncateTo(offset: Offset): void {
    assert(offset >= this.#start.offset, 'truncation into the snapshot', { offset, start: this.#start.offset })
    assert(offset < this.endOffset, 'nothing to truncate', { offset, end: this.endOffset })
    this.#entries.length = offset - this.#start.offset
    while (this.#epochs.length > 0 && this.#epochs.at(-1)!.startOffset >= offset) this.#epochs.pop()
    if (offset < this.#handedEnd) {
      this.#truncateTo = this.#truncateTo === null || offset < this.#truncateTo ? offset : this.#truncateTo
    }
    this.#syncedEnd = lower(this.#syncedEnd, offset)
    this.#writingEnd = lower(this.#writingEnd, offset)
    this.#handedEnd = lower(this.#handedEnd, offset)
  }

  /** Drops entries below `offset`, which a snapshot holds. */
  trimTo(offset: Offset): void {
    assert(offset <= this.endOffset, 'trim beyond the end', { offset, end: this.endOffset })
    if (offset <= this.#start.offset) return
    const previousEpoch = assertPresent(this.epochAt(offsetAfter(offset, -1)), 'the entry before the new start is known')
    this.#entries = this.#entries.slice(offset - this.#start.offset)
    this.#start = { offset, previousEpoch }
    this.#startChanged = true
    this.#resetEpochs()
    // Entries that were cut count as handed over: the write that moves the start also brings the snapshot that holds them.
    this.#handedEnd = higher(this.#handedEnd, offset)
  }

  /** Drops everything: the log continues after a snapshot that came from the leader. */
  resetTo(id: SnapshotId): void {
    this.#entries = []
    this.#start = { offset: id.offset, previousEpoch: id.epoch }
    this.#startChanged = true
    this.#resetEpochs()
    this.#truncateTo = id.offset
    this.#handedEnd = id.offset
    // Nothing counts as durable until the snapshot is; a write that is under way says nothing about that.
    this.#syncedEnd = this.#writingEnd = LOG_ORIGIN.offset
  }

  /** Epoch of the entry at `offset`, also of the one just before the start; null when it is not known. */
  epochAt(offset: Offset): LeaderEpoch | null {
    if (offset === this.#start.offset - 1) return this.#start.previousEpoch
    return this.#entries[offset - this.#start.offset]?.epoch ?? null
  }

  /** Whether a replica whose log ends at `endOffset` after an entry of `lastEpoch` has a prefix of this log. */
  hasPrefix(endOffset: Offset, lastEpoch: LeaderEpoch): boolean {
    if (endOffset > this.endOffset || endOffset < this.#start.offset) return false
    return this.epochAt(offsetAfter(endOffset, -1)) === lastEpoch
  }

  /** The largest epoch of this log not above `epoch`, and its end; null when the log knows none so small. */
  endOfEpoch(epoch: LeaderEpoch): EpochEnd | null {
    for (let i = this.#epochs.length - 1; i >= 0; i--) {
      const known = this.#epochs[i]!
      if (known.epoch <= epoch) {
        return { epoch: known.epoch, endOffset: this.#epochs[i + 1]?.startOffset ?? this.endOffset }
      }
    }
    return this.#start.offset === 0 ? { epoch: NO_EPOCH, endOffset: this.#start.offset } : null
  }

  /** Entries from `from` up to `to` whose payloads sum to at most `bytesMax`; at least one when there is one. */
  slice(from: Offset, to: Offset, bytesMax: number): readonly Entry[] {
    assert(from >= this.#start.offset && to <= this.endOffset, 'slice outside the log', { from, to })
    const first = from - this.#start.offset
    const last = to - this.#start.offset
    let bytes = 0
    let at = first
    while (at < last) {
      bytes += this.#entries[at]!.payload.length
      if (at > first && bytes > bytesMax) break
      at++
    }
    return this.#entries.slice(first, at)
  }

  /** The smallest start that keeps at most `bytesMax` of payload below `offset`. */
  startRetaining(offset: Offset, bytesMax: number): Offset {
    let bytes = 0
    let start = offset
    while (start > this.#start.offset) {
      bytes += this.#entries[start - 1 - this.#start.offset]!.payload.length
      if (bytes > bytesMax) break
      start = offsetAfter(start, -1)
    }
    return start
  }

  /** What is to be written now, or null; from here on it counts as under way. */
  takeWrite(): LogWrite | null {
    const entries = this.#entries.slice(this.#handedEnd - this.#start.offset)
    if (entries.length === 0 && this.#truncateTo === null && !this.#startChanged) return null
    const write = { logStart: this.#startChanged ? this.#start : null, truncateTo: this.#truncateTo, entries }
    this.#startChanged = false
    this.#truncateTo = null
    this.#handedEnd = this.#writingEnd = this.endOffset
    return write
  }

  /** The write under way is durable. */
  writeDone(): void {
    this.#syncedEnd = higher(this.#syncedEnd, this.#writingEnd)
    assert(this.#syncedEnd <= this.#handedEnd, 'synced beyond what was written')
    assert(this.#handedEnd <= this.endOffset, 'written beyond the end')
  }

  #resetEpochs(): void {
    const { offset, previousEpoch } = this.#start
    this.#epochs = offset === 0 ? [] : [{ epoch: previousEpoch, startOffset: offsetAfter(offset, -1) }]
    let last = previousEpoch
    for (const entry of this.#entries) {
      if (entry.epoch > last) this.#epochs.push({ epoch: entry.epoch, startOffset: entry.offset })
      last = entry.epoch
    }
  }
}

function lower(a: Offset, b: Offset): Offset {
  return a < b ? a : b
}

function higher(a: Offset, b: Offset): Offset {
  return a > b ? a : b
}
