/** From the bytes of a gRPC call to its messages: one byte that says whether it is compressed, u32 length, content. */
import { WireDecodeError } from '../proto-runtime.ts'
import { GRPC_PREFIX_BYTES } from './message-sender.ts'

/** A declared length is believed up to here; beyond it memory grows with what really arrives. */
const TRUSTED_LENGTH_BYTES_MAX = 4 * 1024 * 1024

export class MessageAssembler {
  readonly #messageBytesMax: number
  readonly #onMessage: (message: Buffer) => void
  /** The begun message with its prefix; null between messages. */
  #partial: Buffer | null = null
  #filled = 0

  /** A message that lies whole in what was pushed is handed on as a view of it. */
  constructor(options: { readonly messageBytesMax: number }, onMessage: (message: Buffer) => void) {
    this.#messageBytesMax = options.messageBytesMax
    this.#onMessage = onMessage
  }

  /** Throws WireDecodeError for what is no message here. */
  push(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) at = this.#partial === null ? this.#begin(bytes, at) : this.#continue(this.#partial, bytes, at)
  }

  #begin(bytes: Buffer, at: number): number {
    const left = bytes.length - at
    if (left >= GRPC_PREFIX_BYTES) {
      const size = this.#sizeOf(bytes, at)
      if (left >= size) {
        this.#onMessage(bytes.subarray(at + GRPC_PREFIX_BYTES, at + size))
        return at + size
      }
    }
    this.#partial = Buffer.allocUnsafe(GRPC_PREFIX_BYTES)
    this.#filled = 0
    return at
  }

  #continue(partial: Buffer, bytes: Buffer, at: number): number {
    const count = bytes.copy(partial, this.#filled, at)
    this.#filled += count
    if (this.#filled < partial.length) return at + count
    const size = this.#sizeOf(partial, 0)
    if (this.#filled < size) {
      this.#grow(partial, size)
      return at + count
    }
    this.#partial = null
    this.#onMessage(partial.subarray(GRPC_PREFIX_BYTES, size))
    return at + count
  }

  #grow(partial: Buffer, size: number): void {
    const grown = Buffer.allocUnsafe(Math.min(size, Math.max(TRUSTED_LENGTH_BYTES_MAX, partial.length * 2)))
    partial.copy(grown)
    this.#partial = grown
  }

  #sizeOf(prefix: Buffer, at: number): number {
    if (prefix[at] !== 0) throw new WireDecodeError('a compressed message')
    const length = prefix.readUInt32BE(at + 1)
    if (length > this.#messageBytesMax) throw new WireDecodeError(`a message of ${length} bytes`)
    return GRPC_PREFIX_BYTES + length
  }
}
