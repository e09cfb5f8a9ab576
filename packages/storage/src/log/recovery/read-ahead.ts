/**
 * Brings what a recovery is about to check from the disk into the page cache, on other threads: while one core checks the batches of
 * a log, the others fetch those of the next. What is read here is thrown away, and a read that fails will fail again where it counts.
 */
import type { File } from '@kavka/kernel'
import type { OpenFiles } from '../../files/open-files.ts'
import type { WalkRange } from '../batches/walk-batches.ts'

const PIECE_BYTES = 4 * 1024 * 1024
/** Enough to keep the threads busy while a log is checked, and little enough that whoever else needs them waits for less than a second. */
const PIECES_AT_ONCE = 64
/** Less is read sooner than it is asked for. */
const WORTHWHILE_BYTES = 16 * 1024 * 1024

export class ReadAhead {
  readonly #files: OpenFiles
  /** All pieces land on each other: nobody looks at them. */
  #nowhere: Buffer | null = null
  #users = 0

  constructor(dependencies: { readonly files: OpenFiles }) {
    this.#files = dependencies.files
  }

  /** Resolves when the range was read, or could not be. */
  async fetch(path: string, range: WalkRange): Promise<void> {
    if (range.end - range.start < WORTHWHILE_BYTES) return
    const borrowed = this.#files.borrow(path)
    this.#users++
    this.#nowhere ??= Buffer.allocUnsafeSlow(PIECE_BYTES)
    await readPieces(borrowed.file, range, this.#nowhere)
    this.#users--
    if (this.#users === 0) this.#nowhere = null
    borrowed.release()
  }
}

async function readPieces(file: File, { start, end }: WalkRange, target: Buffer): Promise<void> {
  let position = start
  const reader = async (): Promise<void> => {
    while (position < end) {
      const at = position
      position += PIECE_BYTES
      await file.read(target, 0, Math.min(PIECE_BYTES, end - at), at)
    }
  }
  await Promise.allSettled(Array.from({ length: PIECES_AT_ONCE }, reader))
}
