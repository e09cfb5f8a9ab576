/**
 * An HTTP/2 connection (RFC 9113) that carries one stream, and on it the messages of one gRPC call. Bytes in, bytes out, no IO:
 * what it gets is handed on where it lies, and what it sends leaves in the pieces it came in. Of all that HTTP/2 can do, a call
 * that lasts as long as its connection needs little, and grpc-js over node:http2 pays for the rest with each message.
 */
import { SINGLE_STREAM_ANNOUNCEMENT } from './announcement.ts'
import {
  CONNECTION_PREFACE, DEFAULT_FRAME_BYTES_MAX, DEFAULT_WINDOW_BYTES, ErrorCode, Flag, frame, FRAME_HEADER_BYTES, FRAME_LENGTH_MAX, FrameType,
  readSettings, Setting, settingsFrame, WINDOW_BYTES_MAX, windowUpdateFrame,
} from './frame-layout.ts'
import { decodeHeaders, encodeHeaders } from './header-block.ts'
import type { HeaderFields } from './header-block.ts'
import { MessageSender, STREAM_ID } from './message-sender.ts'
import type { ByteSink } from './message-sender.ts'
import { WireDecodeError } from '../proto-runtime.ts'

/** What the peer may put in one frame: a message up to here lies in one piece. */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024

const HEADER_BLOCK_BYTES_MAX = 64 * 1024
/** Windows are open as far as they go, as TCP and the credits of the call hold the sender back; opened anew after so many bytes. */
const WINDOW_RENEWAL_BYTES = 2 ** 30
const PADDING_LENGTH_BYTES = 1
const PRIORITY_BYTES = 5
const PING_BYTES = 8
const NO_BYTES = Buffer.alloc(0)

export interface SingleStreamEvents {
  /** Request headers, response headers or trailers. */
  headers(fields: HeaderFields): void
  /** Bytes of messages, as they came: a view of what was received. */
  data(payload: Buffer): void
  /** The peer is done, gives up, or does not speak HTTP/2. Nothing more arrives. */
  ended(reason: string): void
}

export class SingleStreamConnection {
  readonly #role: 'client' | 'server'
  readonly #write: ByteSink
  readonly #events: SingleStreamEvents
  readonly sender: MessageSender
  #open = true
  #hasPreface: boolean
  #headerBlock: { readonly parts: Buffer[]; bytes: number; readonly isLast: boolean } | null = null
  #bytesSinceRenewal = 0
  #answeredBytes = 0

  constructor(options: { readonly role: 'client' | 'server' }, deps: { readonly write: ByteSink; readonly events: SingleStreamEvents }) {
    this.#role = options.role
    this.#write = deps.write
    this.#events = deps.events
    this.sender = new MessageSender(deps.write)
    this.#hasPreface = options.role === 'client'
  }

  /** What the peer had sent to it by asking, so far: acknowledgments of its pings and settings. */
  get answeredBytes(): number {
    return this.#answeredBytes
  }

  /** The first bytes of this side. */
  start(): void {
    const settings = settingsFrame([
      ...(this.#role === 'client' ? [SINGLE_STREAM_ANNOUNCEMENT, [Setting.enablePush, 0] as const] : []),
      [Setting.headerTableSize, 0],
      [Setting.initialWindowSize, WINDOW_BYTES_MAX],
      [Setting.frameBytesMax, FRAME_BYTES_MAX],
    ])
    const window = windowUpdateFrame(0, WINDOW_BYTES_MAX - DEFAULT_WINDOW_BYTES)
    this.#write(this.#role === 'client' ? [CONNECTION_PREFACE, settings, window] : [settings, window])
  }

  /** Request or response headers; with `last` trailers, or a refusal. */
  sendHeaders(fields: HeaderFields, position: 'first' | 'last'): void {
    const flags = Flag.endHeaders | (position === 'last' ? Flag.endStream : 0)
    this.#send(FrameType.headers, flags, STREAM_ID, encodeHeaders(fields))
  }

  ping(): void {
    this.#send(FrameType.ping, 0, 0, Buffer.alloc(PING_BYTES))
  }

  /** Gives the call up and hears no more. */
  cancel(): void {
    this.#open = false
    const code = Buffer.alloc(4)
    code.writeUInt32BE(ErrorCode.cancel, 0)
    this.#send(FrameType.reset, 0, STREAM_ID, code)
  }

  /**
   * Handles all whole frames of `bytes` between the two positions and returns where the first one begins that is not whole: from
   * there on the bytes are to be presented again, with more behind them.
   */
  receive(bytes: Buffer, start: number, end: number): number {
    let at = this.#hasPreface ? start : this.#skipPreface(start, end)
    if (!this.#hasPreface) return start
    while (this.#open && end - at >= FRAME_HEADER_BYTES) {
      const length = frameLengthAt(bytes, at)
      if (length > FRAME_BYTES_MAX) {
        this.#fail(`a frame of ${length} bytes`)
        break
      }
      const next = at + FRAME_HEADER_BYTES + length
      if (next > end) break
      this.#frame(bytes[at + 3]!, bytes[at + 4]!, withoutReservedBit(bytes.readUInt32BE(at + 5)), bytes.subarray(at + FRAME_HEADER_BYTES, next))
      at = next
    }
    return this.#open ? at : end
  }

  /** Recognized by the listener already. */
  #skipPreface(start: number, end: number): number {
    if (end - start < CONNECTION_PREFACE.length) return start
    this.#hasPreface = true
    return start + CONNECTION_PREFACE.length
  }

  #frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (this.#headerBlock !== null && type !== FrameType.continuation) return this.#fail('a header block is cut short')
    switch (type) {
      case FrameType.data:
        return this.#data(flags, payload)
      case FrameType.headers:
        return this.#headers(flags, payload)
      case FrameType.continuation:
        return this.#headerPart(flags, payload)
      case FrameType.settings:
        return this.#settings(flags, payload)
      case FrameType.windowUpdate:
        return this.#windowUpdate(streamId, payload)
      case FrameType.ping:
        return this.#pinged(flags, payload)
      case FrameType.reset:
        return this.#end('the stream was reset')
      case FrameType.pushPromise:
        return this.#fail('a promise')
      default:
        // GOAWAY announces the end of the connection and forbids new streams only; the rest is to be ignored.
        return
    }
  }

  #pinged(flags: number, payload: Buffer): void {
    if (payload.length !== PING_BYTES) return this.#fail('a ping of another size')
    if ((flags & Flag.ack) === 0) this.#answer(FrameType.ping, payload)
  }

  #answer(type: number, payload: Buffer): void {
    this.#answeredBytes += FRAME_HEADER_BYTES + payload.length
    this.#send(type, Flag.ack, 0, payload)
  }

  #data(flags: number, payload: Buffer): void {
    const content = withoutPadding(flags, payload, 0)
    if (content === null) return this.#fail('padding')
    this.#renewWindows(payload.length)
    if (content.length > 0) this.#events.data(content)
    if ((flags & Flag.endStream) !== 0) this.#end('ended by the peer')
  }

  #renewWindows(bytes: number): void {
    this.#bytesSinceRenewal += bytes
    if (this.#bytesSinceRenewal < WINDOW_RENEWAL_BYTES) return
    this.#write([windowUpdateFrame(0, this.#bytesSinceRenewal), windowUpdateFrame(STREAM_ID, this.#bytesSinceRenewal)])
    this.#bytesSinceRenewal = 0
  }

  #headers(flags: number, payload: Buffer): void {
    const content = withoutPadding(flags, payload, (flags & Flag.priority) === 0 ? 0 : PRIORITY_BYTES)
    if (content === null) return this.#fail('padding')
    this.#headerBlock = { parts: [], bytes: 0, isLast: (flags & Flag.endStream) !== 0 }
    this.#headerPart(flags, content)
  }

  #headerPart(flags: number, part: Buffer): void {
    const block = this.#headerBlock
    if (block === null) return this.#fail('the rest of a header block that has not begun')
    // Empty parts cost memory, too.
    block.bytes += FRAME_HEADER_BYTES + part.length
    if (block.bytes > HEADER_BLOCK_BYTES_MAX) return this.#fail('a header block without end')
    // What was received is only lent, and the rest may come later.
    block.parts.push(Buffer.from(part))
    if ((flags & Flag.endHeaders) === 0) return
    this.#headerBlock = null
    const fields = this.#decode(Buffer.concat(block.parts))
    if (fields === null) return
    this.#events.headers(fields)
    if (block.isLast) this.#end('ended by the peer')
  }

  #decode(block: Buffer): HeaderFields | null {
    try {
      return decodeHeaders(block)
    } catch (error) {
      if (!(error instanceof WireDecodeError)) throw error
      this.#fail(error.message)
      return null
    }
  }

  #settings(flags: number, payload: Buffer): void {
    if ((flags & Flag.ack) !== 0) return
    const settings = readSettings(payload)
    if (settings === null) return this.#fail('settings')
    for (const [id, value] of settings) if (!this.#apply(id, value)) return this.#fail('a setting out of range')
    this.#answer(FrameType.settings, NO_BYTES)
  }

  #apply(id: number, value: number): boolean {
    if (id === Setting.frameBytesMax) {
      if (value < DEFAULT_FRAME_BYTES_MAX || value > FRAME_LENGTH_MAX) return false
      this.sender.frameBytesMax = value
    }
    return id !== Setting.initialWindowSize || this.sender.startAt(value)
  }

  #windowUpdate(streamId: number, payload: Buffer): void {
    if (payload.length !== 4 || !this.sender.open(streamId, withoutReservedBit(payload.readUInt32BE(0)))) this.#fail('a window out of range')
  }

  #send(type: number, flags: number, streamId: number, payload: Buffer): void {
    this.#write([frame({ type, flags, streamId }, payload)])
  }

  #fail(problem: string): void {
    this.#end(`malformed HTTP/2: ${problem}`)
  }

  #end(reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#events.ended(reason)
  }
}

/** Bytes behind the header of the frame at `at`, of which FRAME_HEADER_BYTES must be there. */
export function frameLengthAt(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at, 3)
}

/** To be ignored (RFC 9113 §4.1 and §6.9). */
function withoutReservedBit(value: number): number {
  return value & 0x7fff_ffff
}

/** Null when the frame is shorter than it says. */
function withoutPadding(flags: number, payload: Buffer, prefixBytes: number): Buffer | null {
  const isPadded = (flags & Flag.padded) !== 0
  const start = prefixBytes + (isPadded ? PADDING_LENGTH_BYTES : 0)
  if (payload.length < start) return null
  const end = payload.length - (isPadded ? payload[0]! : 0)
  return end < start ? null : payload.subarray(start, end)
}
