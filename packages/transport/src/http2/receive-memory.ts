/**
 * Where a connection's bytes are read to: slabs that are filled from front to back and used again when the turn of the event
 * loop ends in which their last frame was handled. So a gigabyte of records costs no garbage, as whoever is handed a view of them
 * is done with it by the end of the turn (the log writes what a turn appended when it ends).
 */
import { assert } from '@kavka/kernel'
import type { Scheduler } from '@kavka/kernel'
import { FRAME_HEADER_BYTES } from './frame-layout.ts'
import { frameLengthAt } from './single-stream.ts'

/** Holds several frames of a busy stream: where a slab ends, the begun frame is copied to the next one. */
export const SLAB_BYTES = 512 * 1024
/** Less room is not worth a call of the kernel, while little would have to be copied. */
const ROOM_BYTES_MIN = 32 * 1024
const MOVED_BYTES_MAX = 16 * 1024

/** Handles the whole frames between two positions and returns where the rest begins. */
export type FrameHandler = (bytes: Buffer, start: number, end: number) => number

/** Free slabs of all connections. */
export class SlabPool {
  readonly #slabsMax: number
  readonly #free: Buffer[] = []

  constructor(options: { readonly slabsMax: number }) {
    this.#slabsMax = options.slabsMax
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
  }

  give(slab: Buffer): void {
    if (slab.length === SLAB_BYTES && this.#free.length < this.#slabsMax) this.#free.push(slab)
  }
}

export class ReceiveMemory {
  readonly #handle: FrameHandler
  readonly #pool: SlabPool
  readonly #scheduler: Scheduler
  #slab: Buffer
  /** Where the first frame begins that is not handled, and where the bytes end. */
  #start = 0
  #end = 0

  constructor(handle: FrameHandler, { pool, scheduler }: { readonly pool: SlabPool; readonly scheduler: Scheduler }) {
    this.#handle = handle
    this.#pool = pool
    this.#scheduler = scheduler
    this.#slab = pool.take()
  }

  /** Where the next bytes are to be put; never empty. Asked again, it is the same place. */
  room(): Buffer {
    return this.#slab.subarray(this.#end)
  }

  /** `count` bytes lie in the room. */
  filled(count: number): void {
    this.#end += count
    this.#start = this.#handle(this.#slab, this.#start, this.#end)
    assert(this.#start <= this.#end && this.#end <= this.#slab.length, 'frames end where bytes end', { start: this.#start, end: this.#end })
    this.#makeRoom()
  }

  /** For bytes that were read elsewhere. */
  copy(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const count = bytes.copy(this.room(), 0, at)
      at += count
      this.filled(count)
    }
  }

  #makeRoom(): void {
    const begun = this.#end - this.#start
    const needed = begun < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : FRAME_HEADER_BYTES + frameLengthAt(this.#slab, this.#start)
    const isTight = this.#slab.length === SLAB_BYTES && this.#slab.length - this.#end < ROOM_BYTES_MIN && begun <= MOVED_BYTES_MAX
    if (this.#slab.length - this.#start < needed || isTight) this.#move(needed)
  }

  /**
   * The slab is free when the turn ends: the log asked for the end of the turn when it was handed the first record, before the slab
   * was left, and what is asked for first runs first. Nothing is read in between.
   */
  #move(needed: number): void {
    const left = this.#slab
    this.#slab = needed <= SLAB_BYTES ? this.#pool.take() : Buffer.allocUnsafeSlow(needed)
    left.copy(this.#slab, 0, this.#start, this.#end)
    this.#end -= this.#start
    this.#start = 0
    this.#scheduler.soon(() => this.#pool.give(left))
  }
}
