/**
 * From the chunks of a TCP stream to Kafka's frames: int32 length, then that many bytes. Sans-IO and pull-based, so that a
 * connection that has enough requests in flight simply stops asking.
 */
import { assert } from '@kavka/kernel'
import { foreignProtocolOf } from './foreign-protocols.ts'

/** The stream cannot be read any further; the connection is to be closed. */
export interface FramingFailure {
  readonly reason: string
}

export interface FrameAssemblerOptions {
  /** `socket.request.max.bytes`. */
  readonly frameBytesMax: number
}

const LENGTH_BYTES = 4
/** A frame that lies whole in a chunk is handed out as a view unless that would keep this many times its size alive. */
const VIEW_RETENTION_FACTOR_MAX = 4
/** A declared length is believed up to here; beyond it memory grows with what really arrives. */
const TRUSTED_LENGTH_BYTES_MAX = 4 * 1024 * 1024

export class FrameAssembler {
  readonly #frameBytesMax: number
  readonly #lengthBytes = Buffer.alloc(LENGTH_BYTES)
  #lengthFilled = 0
  #chunk: Buffer | null = null
  #chunkAt = 0
  #frame: Buffer | null = null
  #frameFilled = 0
  #frameLength = 0

  constructor(options: FrameAssemblerOptions) {
    assert(options.frameBytesMax > 0, 'the largest frame has a size', { ...options })
    this.#frameBytesMax = options.frameBytesMax
  }

  /** Bytes of a frame that has begun but not ended, or of frames not asked for yet. */
  get hasPartialInput(): boolean {
    return this.#chunk !== null || this.#frame !== null || this.#lengthFilled > 0
  }

  /** The next bytes of the stream. Only once `next` has returned null. */
  push(chunk: Buffer): void {
    assert(this.#chunk === null, 'the previous chunk is used up')
    if (chunk.length === 0) return
    this.#chunk = chunk
    this.#chunkAt = 0
  }

  /** The next whole frame without its length; null when more bytes are needed. */
  next(): Buffer | FramingFailure | null {
    if (this.#chunk === null) return null
    if (this.#frame === null && !this.#beginFrame()) return null
    const failure = this.#failureOfLength()
    if (failure !== null) return failure
    const frame = this.#wholeFrameInChunk() ?? this.#fillFrame()
    if (this.#chunk !== null && this.#chunkAt === this.#chunk.length) this.#chunk = null
    return frame
  }

  /** Reads the length; false while some of its bytes are missing. */
  #beginFrame(): boolean {
    const chunk = this.#chunk!
    while (this.#lengthFilled < LENGTH_BYTES && this.#chunkAt < chunk.length) {
      this.#lengthBytes[this.#lengthFilled++] = chunk[this.#chunkAt++]!
    }
    if (this.#lengthFilled < LENGTH_BYTES) {
      this.#chunk = null
      return false
    }
    this.#frameLength = this.#lengthBytes.readInt32BE(0)
    return true
  }

  #failureOfLength(): FramingFailure | null {
    if (this.#frameLength >= 0 && this.#frameLength <= this.#frameBytesMax) return null
    const foreign = foreignProtocolOf(this.#lengthBytes)
    if (foreign !== null) return { reason: `${foreign} arrived where a Kafka request is expected` }
    if (this.#frameLength < 0) return { reason: `negative frame length ${this.#frameLength}` }
    return { reason: `frame length ${this.#frameLength} is larger than socket.request.max.bytes=${this.#frameBytesMax}` }
  }

  #wholeFrameInChunk(): Buffer | null {
    const chunk = this.#chunk
    if (this.#frame !== null || chunk === null || chunk.length - this.#chunkAt < this.#frameLength) return null
    const view = chunk.subarray(this.#chunkAt, this.#chunkAt + this.#frameLength)
    this.#chunkAt += this.#frameLength
    this.#lengthFilled = 0
    return view.length * VIEW_RETENTION_FACTOR_MAX < chunk.length ? Buffer.from(view) : view
  }

  /** Each frame gets memory of its own: records live on in it, in the tail cache, after the request is answered. */
  #fillFrame(): Buffer | null {
    const chunk = this.#chunk
    this.#frame ??= Buffer.allocUnsafeSlow(Math.min(this.#frameLength, TRUSTED_LENGTH_BYTES_MAX))
    if (chunk === null) return null
    const count = Math.min(chunk.length - this.#chunkAt, this.#frameLength - this.#frameFilled)
    this.#ensureCapacity(this.#frameFilled + count)
    chunk.copy(this.#frame, this.#frameFilled, this.#chunkAt, this.#chunkAt + count)
    this.#chunkAt += count
    this.#frameFilled += count
    if (this.#frameFilled < this.#frameLength) return null
    return this.#endFrame()
  }

  #ensureCapacity(size: number): void {
    const frame = this.#frame!
    if (size <= frame.length) return
    const bigger = Buffer.allocUnsafeSlow(Math.min(this.#frameLength, Math.max(size, frame.length * 2)))
    frame.copy(bigger, 0, 0, this.#frameFilled)
    this.#frame = bigger
  }

  #endFrame(): Buffer {
    const frame = this.#frame!
    assert(frame.length === this.#frameLength, 'the memory of a whole frame has its length')
    this.#frame = null
    this.#frameFilled = 0
    this.#lengthFilled = 0
    return frame
  }
}
