/** One gRPC call on a socket of its own: joins the connection's state to the socket, the memory it reads to and the clock. */
import type { Socket } from 'node:net'
import type { Scheduler } from '@kavka/kernel'
import { WireDecodeError } from '../proto-runtime.ts'
import type { HeaderFields } from './header-block.ts'
import { MessageAssembler } from './message-assembler.ts'
import { ReceiveMemory } from './receive-memory.ts'
import type { SlabPool } from './receive-memory.ts'
import { SingleStreamConnection } from './single-stream.ts'

/** A peer that was told the end has so long to close. */
const CLOSE_TIMEOUT_MS = 5_000
/** Answers to a peer that asks and does not read: beyond it the memory for them would grow as long as it asks. */
const ANSWERS_UNREAD_BYTES_MAX = 1024 * 1024

export interface CallSocketOptions {
  readonly role: 'client' | 'server'
  readonly messageBytesMax: number
  /** Unsent bytes at which the call is full. */
  readonly unsentBytesMax: number
}

export interface CallSocketDeps {
  readonly scheduler: Scheduler
  readonly slabs: SlabPool
  readonly events: CallEvents
}

export interface CallEvents {
  headers(fields: HeaderFields): void
  /** Lent until the turn of the event loop ends: the memory is used again. */
  message(bytes: Buffer): void
  /** Half of the bound is free again after the call was full. */
  drained(): void
  /** Once, however it ended, unless it was ended from this side. */
  closed(reason: string): void
}

export class CallSocket {
  readonly #options: CallSocketOptions
  readonly #deps: CallSocketDeps
  readonly #stream: SingleStreamConnection
  readonly #assembler: MessageAssembler
  readonly #memory: ReceiveMemory
  #socket: Socket | null = null
  #isOpen = true
  #isCorked = false
  #wasFull = false
  /** Of what the peer asked for, when all that was sent had left last. */
  #answersReadBytes = 0
  /** Sent before there is a socket. */
  #early: Buffer[] = []

  constructor(options: CallSocketOptions, deps: CallSocketDeps) {
    this.#options = options
    this.#deps = deps
    this.#assembler = new MessageAssembler(options, (message) => {
      if (this.#isOpen) deps.events.message(message)
    })
    this.#stream = new SingleStreamConnection(options, {
      write: (buffers) => this.#write(buffers),
      events: {
        headers: (fields) => deps.events.headers(fields),
        data: (payload) => this.#received(payload),
        ended: (reason) => this.fail(reason),
      },
    })
    this.#memory = new ReceiveMemory((bytes, start, end) => this.#stream.receive(bytes, start, end), { pool: deps.slabs, scheduler: deps.scheduler })
    this.#stream.start()
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** True when no more should be sent until `drained`. */
  get isFull(): boolean {
    return this.#unsentBytes >= this.#options.unsentBytesMax
  }

  get #unsentBytes(): number {
    return (this.#socket?.writableLength ?? 0) + this.#stream.sender.heldBytes
  }

  /** Where the next bytes go, for a socket that reads into it and says so with `filled`. */
  room(): Buffer {
    return this.#memory.room()
  }

  filled(bytes: number): void {
    if (!this.#isOpen) return
    this.#memory.filled(bytes)
    this.#progressed()
  }

  /** For a socket that reads into memory of its own. */
  chunk(bytes: Buffer): void {
    if (!this.#isOpen) return
    this.#memory.copy(bytes)
    this.#progressed()
  }

  /** Connected. Whoever attaches the socket reads from it; it is destroyed with the call. */
  attach(socket: Socket): void {
    this.#socket = socket
    const early = this.#early
    this.#early = []
    if (early.length > 0) this.#write(early)
    socket.on('drain', () => this.#progressed())
  }

  /** Asks for a sign of life; whoever watches the socket hears it. */
  ping(): void {
    if (this.#isOpen) this.#stream.ping()
  }

  sendHeaders(fields: HeaderFields): void {
    this.#stream.sendHeaders(fields, 'first')
  }

  /** As MessageSender.send. */
  send(head: Buffer, body: readonly Buffer[], bodyBytes: number): void {
    this.#stream.sender.send(head, body, bodyBytes)
    if (this.isFull) this.#wasFull = true
  }

  /** Ends the call with trailers and closes when they are on their way. */
  finish(trailers: HeaderFields): void {
    if (!this.#isOpen) return
    this.#stream.sendHeaders(trailers, 'last')
    this.#isOpen = false
    const socket = this.#socket
    if (socket === null) return
    // Not destroyed at once: unread bytes of the peer would make the kernel throw away what it has not sent.
    const timer = this.#deps.scheduler.after(CLOSE_TIMEOUT_MS, () => socket.destroy())
    socket.once('close', () => timer.cancel())
    socket.end()
  }

  /** Ends the call without a word. */
  destroy(): void {
    this.#isOpen = false
    this.#early = []
    this.#socket?.destroy()
  }

  /** Nothing more comes or nothing more can be sent: tells the owner. */
  fail(reason: string): void {
    if (!this.#isOpen) return
    this.destroy()
    this.#deps.events.closed(reason)
  }

  #received(payload: Buffer): void {
    try {
      this.#assembler.push(payload)
    } catch (error) {
      if (!(error instanceof WireDecodeError)) throw error
      this.fail(error.message)
    }
  }

  #progressed(): void {
    if (!this.#isOpen) return
    if (this.#socket?.writableLength === 0) this.#answersReadBytes = this.#stream.answeredBytes
    if (this.#stream.answeredBytes - this.#answersReadBytes > ANSWERS_UNREAD_BYTES_MAX) return this.fail('the peer does not read the answers to its pings')
    if (!this.#wasFull || this.#unsentBytes > this.#options.unsentBytesMax / 2) return
    this.#wasFull = false
    this.#deps.events.drained()
  }

  /** What one turn sends leaves in one vectored write. */
  #write(buffers: readonly Buffer[]): void {
    const socket = this.#socket
    if (socket === null) {
      this.#early.push(...buffers)
      return
    }
    if (!this.#isCorked) {
      this.#isCorked = true
      socket.cork()
      process.nextTick(() => {
        this.#isCorked = false
        socket.uncork()
      })
    }
    for (const buffer of buffers) socket.write(buffer)
  }
}
