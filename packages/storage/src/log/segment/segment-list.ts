/** The segments of a log, ascending and gapless in the sense that each ends where the next begins. */
import { assert } from '@kavka/kernel'
import type { Segment } from './segment.ts'

export class SegmentList {
  #segments: Segment[]

  constructor(segments: readonly Segment[]) {
    assert(segments.length > 0, 'a log has at least one segment')
    this.#segments = [...segments]
  }

  get all(): readonly Segment[] {
    return this.#segments
  }

  get count(): number {
    return this.#segments.length
  }

  get active(): Segment {
    return this.#segments.at(-1)!
  }

  get first(): Segment {
    return this.#segments[0]!
  }

  get sizeBytes(): number {
    let sum = 0
    for (const segment of this.#segments) sum += segment.sizeBytes
    return sum
  }

  /** Index of the segment that `offset` belongs to; the first one for offsets before it. */
  indexFor(offset: number): number {
    let low = 0
    let high = this.#segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#segments[middle]!.baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  add(segment: Segment): void {
    assert(segment.baseOffset > this.active.baseOffset, 'segments must ascend', { baseOffset: segment.baseOffset })
    this.#segments.push(segment)
  }

  /** Takes the oldest `count` off the list; at least one stays. */
  takeFirst(count: number): Segment[] {
    assert(count < this.#segments.length, 'the active segment must stay')
    return this.#segments.splice(0, count)
  }

  takeLast(): Segment {
    assert(this.#segments.length > 1, 'the first segment must stay')
    return this.#segments.pop()!
  }

  replaceAll(segment: Segment): void {
    this.#segments = [segment]
  }
}
