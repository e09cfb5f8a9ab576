import type { Random } from '@kavka/kernel'

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly sizeBytes: number }

/** The bytes of one file: as the page cache shows them, as the disk holds them, and the changes between the two. */
export class MemoryFileContent {
  #cached = new GrowingBuffer()
  #durable = new GrowingBuffer()
  #unsynced: Change[] = []
  #changes = 0
  /** Something reached one of the two in another way or order: when all is synced they may still differ. */
  #hasDiverged = false
  /** When it was changed last, by the clock of whoever changed it. */
  modifiedMs: number

  constructor(modifiedMs = 0) {
    this.modifiedMs = modifiedMs
  }

  get sizeBytes(): number {
    return this.#cached.size
  }

  copy(): Buffer {
    return Buffer.from(this.#cached.bytes())
  }

  read(target: Buffer, targetOffset: number, length: number, position: number): number {
    const end = Math.min(position + length, this.#cached.size)
    if (position >= end) return 0
    return this.#cached.copyTo(target, targetOffset, position, end)
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length > 0) this.#change({ kind: 'write', position, bytes: Buffer.from(bytes) })
  }

  truncate(sizeBytes: number): void {
    this.#change({ kind: 'truncate', sizeBytes })
  }

  corrupt(position: number, bytes: Uint8Array): void {
    this.#hasDiverged = true
    this.#cached.write(bytes, position)
    this.#durable.write(bytes, position)
  }

  /** Names the changes made so far, for `sync` and `forget`. */
  mark(): number {
    return this.#changes
  }

  /** Makes the changes up to the mark durable. */
  sync(mark: number): void {
    for (const change of this.#takeUpTo(mark)) this.#durable.apply(change)
  }

  /** The changes up to the mark will never be durable, though the page cache goes on showing them. */
  forget(mark: number): void {
    this.#hasDiverged = true
    this.#takeUpTo(mark)
  }

  /** What was forgotten, and all else, is on the disk after all. */
  catchUp(): void {
    this.#hasDiverged = false
    this.#unsynced = []
    this.#durable = this.#cached.clone()
  }

  crash(random: Random | undefined): void {
    if (this.#unsynced.length === 0 && !this.#hasDiverged) return
    if (random !== undefined) {
      for (const change of this.#unsynced) this.#survive(change, random)
    }
    this.#unsynced = []
    this.#hasDiverged = false
    this.#cached = this.#durable.clone()
  }

  #survive(change: Change, random: Random): void {
    const fate = random.below(3)
    if (fate === 0) return
    if (fate === 1 || change.kind === 'truncate') return this.#durable.apply(change)
    this.#durable.apply({ ...change, bytes: change.bytes.subarray(0, random.below(change.bytes.length + 1)) })
  }

  #change(change: Change): void {
    this.#unsynced.push(change)
    this.#changes++
    this.#cached.apply(change)
  }

  #takeUpTo(mark: number): Change[] {
    const later = Math.min(this.#changes - mark, this.#unsynced.length)
    if (later === 0) {
      const all = this.#unsynced
      this.#unsynced = []
      return all
    }
    const taken = this.#unsynced.slice(0, this.#unsynced.length - later)
    this.#unsynced = this.#unsynced.slice(taken.length)
    return taken
  }
}

class GrowingBuffer {
  #memory = Buffer.alloc(0)
  size = 0

  bytes(): Buffer {
    return this.#memory.subarray(0, this.size)
  }

  copyTo(target: Buffer, targetOffset: number, from: number, to: number): number {
    return this.#memory.copy(target, targetOffset, from, to)
  }

  clone(): GrowingBuffer {
    const copy = new GrowingBuffer()
    copy.write(this.bytes(), 0)
    return copy
  }

  apply(change: Change): void {
    if (change.kind === 'write') this.write(change.bytes, change.position)
    else this.resize(change.sizeBytes)
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return
    if (position + bytes.length > this.size) this.resize(position + bytes.length)
    this.#memory.set(bytes, position)
  }

  /** New bytes are zero, also where a shorter file grows again. */
  resize(size: number): void {
    if (size > this.#memory.length) {
      const grown = Buffer.alloc(Math.max(size, this.#memory.length * 2, 512))
      this.#memory.copy(grown, 0, 0, this.size)
      this.#memory = grown
    }
    if (size < this.size) this.#memory.fill(0, size, this.size)
    this.size = size
  }
}
