/**
 * The sparse index from offset to byte position of one segment: 8-byte entries of (last offset of a batch - segment base,
 * position of that batch), both ascending. Kept in memory as it lies in the file.
 */
import { assert } from '@kavka/kernel'

export const OFFSET_INDEX_ENTRY_BYTES = 8
const ENTRIES_MIN = 16
/** Offsets in a segment lie within this distance of its base, because indexes store them in 31 bits. */
export const RELATIVE_OFFSET_MAX = 0x7fff_ffff

export interface OffsetPosition {
  readonly offset: number
  readonly position: number
}

export class OffsetIndex {
  readonly #baseOffset: number
  #bytes: Buffer
  #count: number

  /** `content` as read from the file (it is kept); sanity is `offsetIndexProblem`'s business. */
  constructor(baseOffset: number, content: Buffer = Buffer.alloc(0)) {
    this.#baseOffset = baseOffset
    this.#bytes = content
    this.#count = Math.floor(content.length / OFFSET_INDEX_ENTRY_BYTES)
  }

  get count(): number {
    return this.#count
  }

  get sizeBytes(): number {
    return this.#count * OFFSET_INDEX_ENTRY_BYTES
  }

  /** The file's content; a view. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.sizeBytes)
  }

  entry(index: number): OffsetPosition {
    const at = index * OFFSET_INDEX_ENTRY_BYTES
    return { offset: this.#baseOffset + this.#bytes.readInt32BE(at), position: this.#bytes.readInt32BE(at + 4) }
  }

  get last(): OffsetPosition | null {
    return this.#count === 0 ? null : this.entry(this.#count - 1)
  }

  append(offset: number, position: number): void {
    const relative = offset - this.#baseOffset
    assert(relative >= 0 && relative <= RELATIVE_OFFSET_MAX, 'offset outside the index range', { offset, base: this.#baseOffset })
    assert(this.#count === 0 || this.last!.offset < offset, 'index offsets must ascend', { offset })
    this.#reserve()
    const at = this.#count * OFFSET_INDEX_ENTRY_BYTES
    this.#bytes.writeInt32BE(relative, at)
    this.#bytes.writeInt32BE(position, at + 4)
    this.#count++
  }

  /** Where to start looking for `offset`: the last indexed batch whose last offset is not above it, else the segment's start. */
  positionFor(offset: number): number {
    const index = this.#floor(offset - this.#baseOffset)
    return index < 0 ? 0 : this.#bytes.readInt32BE(index * OFFSET_INDEX_ENTRY_BYTES + 4)
  }

  /** `positionFor`, with the offsets that the batch there can have: behind those of the entry before, up to the entry's own. */
  placeFor(offset: number): { readonly position: number; readonly offsetMin: number; readonly lastOffsetMax: number } {
    const index = this.#floor(offset - this.#baseOffset)
    if (index < 0) return { position: 0, offsetMin: this.#baseOffset, lastOffsetMax: Infinity }
    const { offset: lastOffsetMax, position } = this.entry(index)
    return { position, lastOffsetMax, offsetMin: index === 0 ? this.#baseOffset : this.entry(index - 1).offset + 1 }
  }

  /** Keeps the first `count` entries. */
  truncateToCount(count: number): void {
    this.#count = Math.min(this.#count, count)
  }

  /** Keeps the entries of batches that start below `position`. */
  truncateToPosition(position: number): void {
    while (this.#count > 0 && this.entry(this.#count - 1).position >= position) this.#count--
  }

  #floor(relative: number): number {
    let low = 0
    let high = this.#count - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      if (this.#bytes.readInt32BE(middle * OFFSET_INDEX_ENTRY_BYTES) <= relative) low = middle + 1
      else high = middle - 1
    }
    return high
  }

  #reserve(): void {
    const needed = (this.#count + 1) * OFFSET_INDEX_ENTRY_BYTES
    if (needed <= this.#bytes.length) return
    const grown = Buffer.alloc(Math.max(ENTRIES_MIN * OFFSET_INDEX_ENTRY_BYTES, this.#bytes.length * 2, needed))
    this.#bytes.copy(grown, 0, 0, this.sizeBytes)
    this.#bytes = grown
  }
}

/** Bytes of the leading entries that ascend. None points to the first batch, so that zeros left by a crash are no entry. */
export function soundOffsetBytes(content: Buffer): number {
  let offset = -1
  let position = 0
  let at = 0
  for (; at + OFFSET_INDEX_ENTRY_BYTES <= content.length; at += OFFSET_INDEX_ENTRY_BYTES) {
    if (content.readInt32BE(at) <= offset || content.readInt32BE(at + 4) <= position) return at
    offset = content.readInt32BE(at)
    position = content.readInt32BE(at + 4)
  }
  return at
}

/** Why a file's content cannot be this segment's offset index; null when it can. */
export function offsetIndexProblem(content: Buffer, segmentBytes: number): string | null {
  if (content.length % OFFSET_INDEX_ENTRY_BYTES !== 0) return `its size ${content.length} is no multiple of ${OFFSET_INDEX_ENTRY_BYTES}`
  const soundBytes = soundOffsetBytes(content)
  if (soundBytes < content.length) return `its entries do not ascend at byte ${soundBytes}`
  if (content.length === 0) return null
  const position = content.readInt32BE(content.length - 4)
  return position >= segmentBytes ? `it points to byte ${position} of a segment of ${segmentBytes}` : null
}
