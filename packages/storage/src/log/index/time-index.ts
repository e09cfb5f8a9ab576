/**
 * The sparse index from time to offset of one segment: 12-byte entries of (largest timestamp so far, last offset of the
 * batch that has it - segment base), ascending in the timestamp.
 */
import { assert } from '@kavka/kernel'
import { int64At, writeInt64At } from '@kavka/protocol'

export const TIME_INDEX_ENTRY_BYTES = 12
const ENTRIES_MIN = 16

export interface TimestampOffset {
  readonly timestampMs: number
  readonly offset: number
}

export class TimeIndex {
  readonly #baseOffset: number
  #bytes: Buffer
  #count: number

  constructor(baseOffset: number, content: Buffer = Buffer.alloc(0)) {
    this.#baseOffset = baseOffset
    this.#bytes = content
    this.#count = Math.floor(content.length / TIME_INDEX_ENTRY_BYTES)
  }

  get count(): number {
    return this.#count
  }

  get entryBytes(): number {
    return TIME_INDEX_ENTRY_BYTES
  }

  get sizeBytes(): number {
    return this.#count * TIME_INDEX_ENTRY_BYTES
  }

  get content(): Buffer {
    return this.#bytes.subarray(0, this.sizeBytes)
  }

  entry(index: number): TimestampOffset {
    const at = index * TIME_INDEX_ENTRY_BYTES
    return { timestampMs: int64At(this.#bytes, at), offset: this.#baseOffset + this.#bytes.readInt32BE(at + 8) }
  }

  get last(): TimestampOffset | null {
    return this.#count === 0 ? null : this.entry(this.#count - 1)
  }

  /** Adds an entry when it is news: Kafka never stores a timestamp that is not above the last one. */
  maybeAppend(timestampMs: number, offset: number): void {
    const last = this.last
    if (timestampMs <= (last?.timestampMs ?? -1)) return
    assert(last === null || offset >= last.offset, 'time index offsets must not descend', { offset, last: last?.offset })
    this.#reserve()
    const at = this.#count * TIME_INDEX_ENTRY_BYTES
    writeInt64At(this.#bytes, at, timestampMs)
    this.#bytes.writeInt32BE(offset - this.#baseOffset, at + 8)
    this.#count++
  }

  /** Offset from which on to look for a timestamp >= `timestampMs`: that of the last entry below it, else the segment's base. */
  offsetBefore(timestampMs: number): number {
    let low = 0
    let high = this.#count - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      if (int64At(this.#bytes, middle * TIME_INDEX_ENTRY_BYTES) < timestampMs) low = middle + 1
      else high = middle - 1
    }
    return high < 0 ? this.#baseOffset : this.entry(high).offset
  }

  /** Keeps the entries whose offset is below `offset`. */
  truncateToOffset(offset: number): void {
    while (this.#count > 0 && this.entry(this.#count - 1).offset >= offset) this.#count--
  }

  #reserve(): void {
    const needed = (this.#count + 1) * TIME_INDEX_ENTRY_BYTES
    if (needed <= this.#bytes.length) return
    const grown = Buffer.alloc(Math.max(ENTRIES_MIN * TIME_INDEX_ENTRY_BYTES, this.#bytes.length * 2, needed))
    this.#bytes.copy(grown, 0, 0, this.sizeBytes)
    this.#bytes = grown
  }
}

/** Bytes of the leading entries that ascend. */
export function soundTimeBytes(content: Buffer): number {
  let timestampMs = -1
  let relative = -1
  let at = 0
  for (; at + TIME_INDEX_ENTRY_BYTES <= content.length; at += TIME_INDEX_ENTRY_BYTES) {
    if (int64At(content, at) <= timestampMs || content.readInt32BE(at + 8) < relative) return at
    timestampMs = int64At(content, at)
    relative = content.readInt32BE(at + 8)
  }
  return at
}

/** Why a file's content cannot be this segment's time index; null when it can. */
export function timeIndexProblem(content: Buffer): string | null {
  if (content.length % TIME_INDEX_ENTRY_BYTES !== 0) return `its size ${content.length} is no multiple of ${TIME_INDEX_ENTRY_BYTES}`
  const soundBytes = soundTimeBytes(content)
  return soundBytes < content.length ? `its entries do not ascend at byte ${soundBytes}` : null
}
