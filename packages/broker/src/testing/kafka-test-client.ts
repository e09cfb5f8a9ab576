/** The smallest Kafka client that tests need: one connection, any API by its codecs, raw bytes where a test wants to misbehave. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { systemScheduler } from '@kavka/kernel'
import { apis, decodeResponse, encodeRequestFrame } from '@kavka/protocol'
import { FrameAssembler } from '../net/framing.ts'

const ANSWER_MS_MAX = 10_000

interface Waiter {
  resolve(frame: Buffer): void
  reject(error: Error): void
}

export class KafkaTestClient {
  readonly socket: Socket
  readonly #assembler = new FrameAssembler({ frameBytesMax: 1 << 30 })
  readonly #frames: Buffer[] = []
  readonly #waiters: Waiter[] = []
  readonly #closed: Promise<void>
  #isClosed = false
  #correlationId = 0

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', () => {})
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
    void this.#closed.then(() => this.#end())
  }

  static async connect(port: number): Promise<KafkaTestClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new KafkaTestClient(socket)
  }

  /** Sends a request and waits for its response. */
  async ask<Response>(apiKey: number, version: number, request: object): Promise<Response> {
    const correlationId = this.send(apiKey, version, request)
    const answer = decodeResponse(apis.get(apiKey)!.responseCodec, version, await this.frame())
    if (answer.correlationId !== correlationId) throw new Error(`answer ${answer.correlationId} to request ${correlationId}`)
    return answer.response as Response
  }

  /** Sends a request; its response is for `frame` to take. */
  send(apiKey: number, version: number, request: object): number {
    for (const piece of this.encode(apiKey, version, request)) this.socket.write(piece)
    return this.#correlationId
  }

  encode(apiKey: number, apiVersion: number, request: object): Buffer[] {
    const codec = apis.get(apiKey)!.requestCodec
    const correlationId = ++this.#correlationId
    return encodeRequestFrame({ codec, apiVersion, correlationId, clientId: 'test', request })
  }

  raw(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** The next response frame without its length; rejects when the connection ends first. */
  frame(): Promise<Buffer> {
    const frame = this.#frames.shift()
    if (frame !== undefined) return Promise.resolve(frame)
    if (this.#isClosed) return Promise.reject(new Error('the connection is closed'))
    return new Promise((resolve, reject) => {
      const timer = systemScheduler.after(ANSWER_MS_MAX, () => reject(new Error('no answer')))
      this.#waiters.push({
        resolve: (answer) => {
          timer.cancel()
          resolve(answer)
        },
        reject: (error) => {
          timer.cancel()
          reject(error)
        },
      })
    })
  }

  /** Resolves when the server has closed the connection; what it answered before is returned. */
  async closedByServer(msMax = 2_000): Promise<readonly Buffer[]> {
    await new Promise<void>((resolve, reject) => {
      const timer = systemScheduler.after(msMax, () => reject(new Error('the server kept the connection')))
      void this.#closed.then(() => {
        timer.cancel()
        resolve()
      })
    })
    return this.#frames
  }

  close(): Promise<void> {
    this.socket.destroy()
    return this.#closed
  }

  #receive(chunk: Buffer): void {
    this.#assembler.push(chunk)
    for (let frame = this.#assembler.next(); Buffer.isBuffer(frame); frame = this.#assembler.next()) {
      const waiter = this.#waiters.shift()
      if (waiter === undefined) this.#frames.push(frame)
      else waiter.resolve(frame)
    }
  }

  #end(): void {
    this.#isClosed = true
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error('the connection is closed'))
  }
}
