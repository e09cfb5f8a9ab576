/**
 * Recent batches of all logs in memory, bounded together: what followers and caught-up consumers read never touches a file.
 * Small appends are copied, one behind the other, into slabs: a batch would pin the chunk of the socket that it came in, which is up to
 * four times as large, and have it live long enough to be collected with the old objects only.
 */
import { assert } from '@kavka/kernel'

/** Bookkeeping of an entry, so that a flood of tiny batches is bounded too. */
const ENTRY_OVERHEAD_BYTES = 256
/** The copy of 16 KiB takes 2 microseconds. */
const SLAB_BYTES = 256 * 1024
/** Larger appends have memory of their own, but for this much. */
const COPIED_BYTES_MAX = SLAB_BYTES / 4
const PINNED_FACTOR_MAX = 1.25
const HOLES_COMPACTED_AT = 1_024

export interface CachedRun {
  readonly baseOffset: number
  /** Exclusive. */
  readonly nextOffset: number
  /** Whole batches, contiguous in the log. */
  readonly records: Buffer
}

export class TailCache {
  readonly #bytesMax: number
  #bytes = 0
  /** Oldest first, over all logs: whose turn it is to lose its oldest run. Entries before `#head` are spent. */
  #order: (LogTail | null)[] = []
  #head = 0
  #slab: Buffer | null = null
  #slabBytes = 0

  constructor(options: { readonly bytesMax: number }) {
    this.#bytesMax = options.bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A log's share; it holds nothing until runs are added. */
  tail(): LogTail {
    return new LogTail(this)
  }

  /** For LogTail: the records in memory that pins little else. */
  memoryFor(records: Buffer): Buffer {
    if (this.#bytesMax === 0) return records
    if (records.length <= COPIED_BYTES_MAX) return this.#copyIntoSlab(records)
    return records.buffer.byteLength > records.length * PINNED_FACTOR_MAX ? copyOf(records) : records
  }

  #copyIntoSlab(records: Buffer): Buffer {
    if (this.#slab === null || this.#slabBytes + records.length > SLAB_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
      this.#slabBytes = 0
    }
    const copy = this.#slab.subarray(this.#slabBytes, this.#slabBytes + records.length)
    records.copy(copy)
    this.#slabBytes += records.length
    return copy
  }

  /** For LogTail. */
  charge(tail: LogTail, bytes: number): void {
    this.#bytes += bytes
    this.#order.push(tail)
    while (this.#bytes > this.#bytesMax && this.#head < this.#order.length) {
      const oldest = this.#order[this.#head]!
      this.#order[this.#head++] = null
      // A tail that was cleared or cut left its turns behind: they free nothing.
      if (oldest !== null) oldest.dropOldestTurn()
    }
    if (this.#head >= HOLES_COMPACTED_AT && this.#head * 2 >= this.#order.length) {
      this.#order = this.#order.slice(this.#head)
      this.#head = 0
    }
  }

  /** For LogTail. */
  release(bytes: number): void {
    this.#bytes -= bytes
    assert(this.#bytes >= 0, 'tail cache released more than it held')
  }
}

/** One log's recent runs: a gapless suffix of what was appended. */
export class LogTail {
  readonly #cache: TailCache
  #runs: CachedRun[] = []
  #head = 0
  /** Turns in the cache's order that belong to runs no longer here; they come up before those of the runs that are. */
  #staleTurns = 0

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  /** First offset that can be read from here; null when empty. */
  get startOffset(): number | null {
    return this.#runs[this.#head]?.baseOffset ?? null
  }

  add(baseOffset: number, nextOffset: number, records: Buffer): void {
    const kept = this.#cache.memoryFor(records)
    this.#runs.push({ baseOffset, nextOffset, records: kept })
    this.#cache.charge(this, cost(kept))
  }

  /** The runs from the one that contains `offset` on; null when `offset` lies before the first or after the last. */
  from(offset: number): readonly CachedRun[] | null {
    const first = this.#runs[this.#head]
    if (first === undefined || offset < first.baseOffset || offset >= this.#runs.at(-1)!.nextOffset) return null
    let low = this.#head
    let high = this.#runs.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#runs[middle]!.nextOffset <= offset) low = middle + 1
      else high = middle
    }
    return this.#runs.slice(low, Math.min(this.#runs.length, low + RUNS_PER_READ_MAX))
  }

  clear(): void {
    for (let i = this.#head; i < this.#runs.length; i++) this.#cache.release(cost(this.#runs[i]!.records))
    this.#staleTurns += this.#runs.length - this.#head
    this.#runs = []
    this.#head = 0
  }

  /** For TailCache: the oldest turn of this log is up. */
  dropOldestTurn(): void {
    if (this.#staleTurns > 0) {
      this.#staleTurns--
      return
    }
    const oldest = this.#runs[this.#head]
    assert(oldest !== undefined, 'a turn in the tail cache without a run')
    this.#cache.release(cost(oldest.records))
    // Its place waits for the next compaction; its records must not, or all logs together keep twice what the bound says.
    this.#runs[this.#head++] = SPENT
    if (this.#head >= HOLES_COMPACTED_AT || this.#head === this.#runs.length) {
      this.#runs = this.#runs.slice(this.#head)
      this.#head = 0
    }
  }
}

const SPENT: CachedRun = { baseOffset: -1, nextOffset: -1, records: Buffer.alloc(0) }

/** A read looks at no more runs at once; the next read goes on from there. */
const RUNS_PER_READ_MAX = 4_096

function cost(records: Buffer): number {
  return records.length + ENTRY_OVERHEAD_BYTES
}

function copyOf(records: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(records.length)
  records.copy(copy)
  return copy
}
