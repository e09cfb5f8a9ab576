/** Indexes of segments that are no longer written, kept in memory within a bound; those used longest ago are read again when needed. */

export interface ColdSegment {
  /** False when they cannot be read back: their files lag behind. */
  evictIndexes(): boolean
}

/** A buffer and its objects, besides the entries. */
const OVERHEAD_BYTES = 512

export class IndexMemory {
  readonly #bytesMax: number
  #bytes = 0
  /** In order of last use. */
  readonly #held = new Map<ColdSegment, number>()

  constructor(options: { readonly bytesMax: number }) {
    this.#bytesMax = options.bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The indexes of `segment`, with `entryBytes` of entries, are in memory and used now. */
  use(segment: ColdSegment, entryBytes: number): void {
    this.forget(segment)
    const bytes = entryBytes + OVERHEAD_BYTES
    this.#held.set(segment, bytes)
    this.#bytes += bytes
    if (this.#bytes > this.#bytesMax) this.#evict(segment)
  }

  forget(segment: ColdSegment): void {
    const bytes = this.#held.get(segment)
    if (bytes === undefined) return
    this.#held.delete(segment)
    this.#bytes -= bytes
  }

  #evict(kept: ColdSegment): void {
    for (const segment of this.#held.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      if (segment !== kept && segment.evictIndexes()) this.forget(segment)
    }
  }
}
