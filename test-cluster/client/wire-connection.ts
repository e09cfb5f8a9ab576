import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { decodeResponse, encodeRequestFrame } from '@kavka/protocol'
import type { Encodable, MessageCodec } from '@kavka/protocol'

/** The connection ended before an answer came: what was asked may or may not have happened. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError'
}

interface Waiting {
  readonly resolve: (frame: Buffer) => void
  readonly reject: (error: Error) => void
}

/** One connection to a broker that speaks any API at any version; answers come in the order of the requests. */
export class WireConnection {
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []
  #buffered: Buffer[] = []
  #bufferedBytes = 0
  #correlationId = 0
  #lost: Error | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('closed')))
  }

  static open(host: string, port: number, timeoutMs = 5000): Promise<WireConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port })
      const fail = (error: Error): void => {
        socket.destroy()
        reject(new ConnectionLostError(`${host}:${port}: ${error.message}`))
      }
      socket.setTimeout(timeoutMs, () => fail(new Error('no connection in time')))
      socket.once('error', fail)
      socket.once('connect', () => {
        socket.setTimeout(0)
        socket.off('error', fail)
        resolve(new WireConnection(socket))
      })
    })
  }

  get isOpen(): boolean {
    return this.#lost === null
  }

  async request<Request, Response>(
    request: MessageCodec<Request>,
    response: MessageCodec<Response>,
    apiVersion: number,
    body: Encodable<Request>,
  ): Promise<Response> {
    if (this.#lost !== null) throw new ConnectionLostError(this.#lost.message)
    this.#correlationId += 1
    const frame = encodeRequestFrame({
      codec: request, apiVersion, correlationId: this.#correlationId, clientId: 'kavka-test', request: body,
    })
    const answer = new Promise<Buffer>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
    this.#socket.write(Buffer.concat(frame))
    return decodeResponse(response, apiVersion, await answer).response
  }

  /** Writes bytes that need not make sense. */
  writeRaw(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    this.#buffered.push(chunk)
    this.#bufferedBytes += chunk.length
    if (this.#bufferedBytes < 4) return
    let bytes = this.#buffered.length === 1 ? chunk : Buffer.concat(this.#buffered)
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const end = 4 + bytes.readInt32BE(0)
      this.#waiting.shift()?.resolve(bytes.subarray(4, end))
      bytes = bytes.subarray(end)
    }
    this.#buffered = bytes.length === 0 ? [] : [bytes]
    this.#bufferedBytes = bytes.length
  }

  #fail(error: Error): void {
    if (this.#lost !== null) return
    this.#lost = error
    this.#socket.destroy()
    for (const waiting of this.#waiting.splice(0)) waiting.reject(new ConnectionLostError(error.message))
  }
}
