/** The sending half of a stream: gRPC messages as DATA frames, within the windows that the peer opens (RFC 9113 §5.2). */
import {
  DEFAULT_FRAME_BYTES_MAX, DEFAULT_WINDOW_BYTES, FRAME_HEADER_BYTES, FrameType, WINDOW_BYTES_MAX, writeFrameHeader,
} from './frame-layout.ts'

export const GRPC_PREFIX_BYTES = 5
/** What a caller leaves free at the head of a message: the header of its DATA frame and gRPC's prefix. */
export const MESSAGE_HEAD_BYTES = FRAME_HEADER_BYTES + GRPC_PREFIX_BYTES
export const STREAM_ID = 1

/** Takes bytes in the order of the calls; those of one call leave together. */
export type ByteSink = (buffers: readonly Buffer[]) => void

interface HeldMessage {
  readonly buffers: Buffer[]
  bytes: number
}

export class MessageSender {
  readonly #write: ByteSink
  #frameBytesMax = DEFAULT_FRAME_BYTES_MAX
  #initialWindow = DEFAULT_WINDOW_BYTES
  #streamWindow = DEFAULT_WINDOW_BYTES
  #connectionWindow = DEFAULT_WINDOW_BYTES
  /** Messages that the windows do not let out yet, without frame headers. */
  #held: HeldMessage[] = []
  #heldBytes = 0

  constructor(write: ByteSink) {
    this.#write = write
  }

  /** Bytes that wait for the peer to open its windows. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Only before the first message, or between messages: what is held is cut to the new size. */
  set frameBytesMax(bytes: number) {
    this.#frameBytesMax = bytes
  }

  /** What the peer lets a new stream send: the stream's window moves along. False when it leaves its range. */
  startAt(initialWindow: number): boolean {
    this.#streamWindow += initialWindow - this.#initialWindow
    this.#initialWindow = initialWindow
    if (initialWindow > WINDOW_BYTES_MAX || this.#streamWindow > WINDOW_BYTES_MAX) return false
    this.#sendHeld()
    return true
  }

  /** False when a window leaves its range. */
  open(streamId: number, bytes: number): boolean {
    if (streamId === 0) this.#connectionWindow += bytes
    else this.#streamWindow += bytes
    if (bytes === 0 || this.#connectionWindow > WINDOW_BYTES_MAX || this.#streamWindow > WINDOW_BYTES_MAX) return false
    this.#sendHeld()
    return true
  }

  /**
   * `head` begins with MESSAGE_HEAD_BYTES that are filled here; the message is the rest of it and `body`, whose memory must not
   * change any more.
   */
  send(head: Buffer, body: readonly Buffer[], bodyBytes: number): void {
    const bytes = head.length - FRAME_HEADER_BYTES + bodyBytes
    head[FRAME_HEADER_BYTES] = 0
    head.writeUInt32BE(bytes - GRPC_PREFIX_BYTES, FRAME_HEADER_BYTES + 1)
    if (this.#held.length === 0 && bytes <= this.#room()) {
      this.#writeFrame(head, body, bytes)
      return
    }
    this.#held.push({ buffers: [head.subarray(FRAME_HEADER_BYTES), ...body], bytes })
    this.#heldBytes += bytes
    this.#sendHeld()
  }

  #room(): number {
    return Math.min(this.#frameBytesMax, this.#streamWindow, this.#connectionWindow)
  }

  #writeFrame(head: Buffer, body: readonly Buffer[], bytes: number): void {
    this.#streamWindow -= bytes
    this.#connectionWindow -= bytes
    writeFrameHeader(head, 0, { length: bytes, type: FrameType.data, flags: 0, streamId: STREAM_ID })
    this.#write([head, ...body])
  }

  #sendHeld(): void {
    for (let message = this.#held[0]; message !== undefined; message = this.#held[0]) {
      const bytes = Math.min(message.bytes, this.#room())
      if (bytes <= 0) return
      this.#writeFrame(Buffer.allocUnsafe(FRAME_HEADER_BYTES), cutFrom(message.buffers, bytes), bytes)
      message.bytes -= bytes
      this.#heldBytes -= bytes
      if (message.bytes === 0) this.#held.shift()
    }
  }
}

/** Takes the first `bytes` bytes away from `buffers`. */
function cutFrom(buffers: Buffer[], bytes: number): Buffer[] {
  const cut: Buffer[] = []
  for (let left = bytes; left > 0; ) {
    const first = buffers[0]!
    cut.push(first.subarray(0, left))
    if (first.length <= left) buffers.shift()
    else buffers[0] = first.subarray(left)
    left -= Math.min(left, first.length)
  }
  return cut
}
