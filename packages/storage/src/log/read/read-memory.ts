/**
 * Memory that reads from files go into. New memory for each read costs more than the read itself: its pages have to be found and
 * cleared by the kernel, and the garbage collector counts it. So it is lent, and used again when its reader gives it back. A reader
 * that forgets to leaves it to the garbage collector, which is slower and as safe.
 */
import { assert } from '@kavka/kernel'

export interface ReadMemoryOptions {
  /** Size of what is kept; larger reads get memory of their own. */
  readonly pieceBytes: number
  /** Pieces kept while nobody uses them. */
  readonly idlePiecesMax: number
}

/** One read's memory, to be given back once, when nobody looks at it any more. */
export interface LentMemory {
  giveBack(): void
}

/** Reads much smaller than a piece must not occupy one. */
const SHARE_OF_PIECE_MIN = 1 / 16

export class ReadMemory {
  readonly #options: ReadMemoryOptions
  readonly #idle: Buffer[] = []

  constructor(options: ReadMemoryOptions) {
    this.#options = options
  }

  get idlePieces(): number {
    return this.#idle.length
  }

  lend(sizeBytes: number): LentPiece {
    const { pieceBytes } = this.#options
    if (sizeBytes > pieceBytes || sizeBytes < pieceBytes * SHARE_OF_PIECE_MIN) {
      return new LentPiece(Buffer.allocUnsafeSlow(sizeBytes), null)
    }
    const piece = this.#idle.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)
    return new LentPiece(piece.subarray(0, sizeBytes), () => this.#takeBack(piece))
  }

  #takeBack(piece: Buffer): void {
    if (this.#idle.length < this.#options.idlePiecesMax) this.#idle.push(piece)
  }
}

export class LentPiece implements LentMemory {
  readonly bytes: Buffer
  readonly #takeBack: (() => void) | null
  #isLent = true

  constructor(bytes: Buffer, takeBack: (() => void) | null) {
    this.bytes = bytes
    this.#takeBack = takeBack
  }

  giveBack(): void {
    assert(this.#isLent, 'memory of a read is given back once')
    this.#isLent = false
    this.#takeBack?.()
  }
}
