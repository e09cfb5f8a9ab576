/**
 * One TCP connection: recognizes the protocol by its first bytes, then reads Kafka frames, keeps their replies in order and
 * stops reading while too much is in flight or the peer does not take its replies.
 */
import type { Socket } from 'node:net'
import { isHttp2Preface, SNIFF_BYTES } from './foreign-protocols.ts'
import { FrameAssembler } from './framing.ts'
import { Pipeline } from './pipeline.ts'
import type { PipelinedRequest } from './pipeline.ts'

export interface ConnectionOptions {
  readonly frameBytesMax: number
  /** Requests accepted and not answered; beyond it the socket is not read. */
  readonly requestsInFlightMax: number
  /** Reply bytes that wait for the peer; beyond it no further request is started. */
  readonly replyBytesWaitingMax: number
}

/** What the listener is told of its connections. */
export interface ConnectionEvents {
  /** Makes the work of one frame; the frame is the request's own memory. */
  requestOf(frame: Buffer): PipelinedRequest
  /** The peer speaks HTTP/2: the socket, with what was read put back, is no longer this connection's. */
  http2(socket: Socket): 'taken' | 'refused'
  /** Bytes came in or went out, for the meters of the listener. */
  received(bytes: number): void
  sent(bytes: number): void
  /** Closed from this side because of what the peer did. */
  refused(reason: string): void
  closed(): void
}

type Phase =
  | { readonly kind: 'sniffing'; readonly start: Buffer | null }
  | { readonly kind: 'kafka' }
  /** Answers what is in flight and reads no more. */
  | { readonly kind: 'draining' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'handed-over' }

export class Connection {
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #events: ConnectionEvents
  readonly #assembler: FrameAssembler
  readonly #pipeline: Pipeline
  #phase: Phase = { kind: 'sniffing', start: null }
  #pumping = false
  #corked = false
  #progressMark = -1
  #progressMs = 0

  constructor(options: ConnectionOptions, deps: { readonly socket: Socket; readonly events: ConnectionEvents }) {
    this.#options = options
    this.#socket = deps.socket
    this.#events = deps.events
    this.#assembler = new FrameAssembler({ frameBytesMax: options.frameBytesMax })
    this.#pipeline = new Pipeline(
      { requestsMax: options.requestsInFlightMax },
      {
        reply: (buffers, sent) => this.#send(buffers, sent),
        close: (reason) => this.#refuse(reason),
        progressed: () => this.#pump(),
      },
    )
    this.#listen()
  }

  /** Requests accepted and not answered. */
  get requestsInFlight(): number {
    return this.#pipeline.length
  }

  get replyBytesWaiting(): number {
    return this.#socket.writableLength
  }

  /** Milliseconds since bytes last moved in either direction; 0 while a request is in work that the peer waits for. */
  idleMs(nowMs: number): number {
    const mark = this.#socket.bytesRead + this.#socket.bytesWritten - this.#socket.writableLength
    const waitsForUs = this.#pipeline.length > 0 && this.#socket.writableLength === 0
    if (mark !== this.#progressMark || waitsForUs) {
      this.#progressMark = mark
      this.#progressMs = nowMs
    }
    return nowMs - this.#progressMs
  }

  /** Reads no more, answers what is in flight, then closes. */
  drain(): void {
    if (this.#phase.kind !== 'kafka' && this.#phase.kind !== 'sniffing') return
    this.#phase = { kind: 'draining' }
    this.#socket.pause()
    this.#endWhenDrained()
  }

  /** At once, whatever is in flight. */
  destroy(): void {
    this.#socket.destroy()
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('data', this.#onData)
    socket.on('drain', this.#onDrain)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#events.received(chunk.length)
    if (this.#phase.kind === 'sniffing') return this.#sniff(chunk)
    if (this.#phase.kind !== 'kafka') return
    this.#assembler.push(chunk)
    this.#pump()
  }

  readonly #onDrain = (): void => {
    if (this.#phase.kind === 'closed') return
    this.#pipeline.release()
    this.#pump()
  }

  /** A reset or a broken pipe; `close` follows and tidies up. */
  readonly #onError = (): void => {}

  readonly #onClose = (): void => {
    if (this.#phase.kind === 'handed-over') return
    this.#phase = { kind: 'closed' }
    this.#pipeline.abandon()
    this.#events.closed()
  }

  #sniff(chunk: Buffer): void {
    if (this.#phase.kind !== 'sniffing') return
    const seen = this.#phase.start
    const start = seen === null ? chunk : Buffer.concat([seen, chunk])
    if (start.length < SNIFF_BYTES) {
      this.#phase = { kind: 'sniffing', start }
      return
    }
    if (isHttp2Preface(start)) return this.#handOver(start)
    this.#phase = { kind: 'kafka' }
    this.#assembler.push(start)
    this.#pump()
  }

  #handOver(start: Buffer): void {
    const socket = this.#socket
    this.#phase = { kind: 'handed-over' }
    socket.pause()
    socket.off('data', this.#onData)
    socket.off('drain', this.#onDrain)
    socket.unshift(start)
    if (this.#events.http2(socket) === 'taken') {
      socket.off('error', this.#onError)
      socket.once('close', () => this.#events.closed())
      return
    }
    this.#phase = { kind: 'kafka' }
    this.#refuse('gRPC is not served on this listener')
  }

  /** Turns bytes into requests while there is room; guarded, because a request that is answered at once makes room again. */
  #pump(): void {
    if (this.#phase.kind === 'draining') return this.#endWhenDrained()
    if (this.#pumping || this.#phase.kind !== 'kafka') return
    this.#pumping = true
    let starved = false
    while (!starved && this.#phase.kind === 'kafka' && this.#pipeline.hasRoom) starved = !this.#takeFrame()
    this.#pumping = false
    if (this.#phase.kind === 'kafka') this.#steerReading(starved)
  }

  #steerReading(starved: boolean): void {
    if (!starved) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  #takeFrame(): boolean {
    const frame = this.#assembler.next()
    if (frame === null) return false
    if (!Buffer.isBuffer(frame)) {
      this.#refuse(frame.reason)
      return false
    }
    this.#pipeline.accept(this.#events.requestOf(frame))
    return true
  }

  /** Replies of one turn leave in one vectored write. */
  #send(buffers: readonly Buffer[], sent: (() => void) | undefined): void {
    const socket = this.#socket
    if (!this.#corked) {
      this.#corked = true
      socket.cork()
      process.nextTick(() => {
        this.#corked = false
        socket.uncork()
      })
    }
    let bytes = 0
    for (const buffer of buffers) bytes += buffer.length
    const last = buffers.length - 1
    for (let index = 0; index < last; index++) socket.write(buffers[index]!)
    socket.write(buffers[last]!, sent === undefined ? undefined : whenSent(sent))
    this.#events.sent(bytes)
    if (socket.writableLength > this.#options.replyBytesWaitingMax) this.#pipeline.hold()
  }

  #endWhenDrained(): void {
    if (this.#pipeline.length > 0) return
    this.#phase = { kind: 'closed' }
    this.#socket.destroySoon()
  }

  #refuse(reason: string): void {
    this.#phase = { kind: 'closed' }
    this.#pipeline.abandon()
    this.#socket.pause()
    this.#events.refused(reason)
    this.#socket.destroySoon()
  }
}

/** After an error a write that the kernel has not taken may still look at the bytes: then nobody is told. */
function whenSent(sent: () => void): (error?: Error | null) => void {
  return (error) => {
    if (error === undefined || error === null) sent()
  }
}
