import type { Encodable, MessageCodec } from '@kavka/protocol'
import { WireConnection } from '../../client/wire-connection.ts'
import type { ClusterView } from './cluster-view.ts'
import { withinMs } from './patience.ts'

/** Nothing was sent: what was asked for certainly did not happen. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError'
}

const CONNECT_MS_MAX = 1000
const ANSWER_MS_MAX = 5000

/** One process's own connection, to whichever broker it talks to now. */
export class BrokerLink {
  readonly #view: ClusterView
  #nodeId = -1
  #connection: WireConnection | null = null

  constructor(view: ClusterView) {
    this.#view = view
  }

  /** Connects unless connected to that broker already; after it `request` writes at once. */
  async to(nodeId: number): Promise<this> {
    if (this.#nodeId === nodeId && this.#connection?.isOpen === true) return this
    this.close()
    const address = this.#view.address(nodeId)
    if (address === null) throw new NotConnectedError(`no address of broker ${nodeId}`)
    try {
      this.#connection = await WireConnection.open(address.host, address.port, CONNECT_MS_MAX)
      this.#nodeId = nodeId
      return this
    } catch (error) {
      throw new NotConnectedError(String(error), { cause: error })
    }
  }

  async request<Request, Response>(
    request: MessageCodec<Request>,
    response: MessageCodec<Response>,
    version: number,
    body: Encodable<Request>,
  ): Promise<Response> {
    const connection = this.#connection
    if (connection === null) throw new NotConnectedError('not connected')
    try {
      return await withinMs(ANSWER_MS_MAX, connection.request(request, response, version, body))
    } catch (error) {
      // Answers come in order: after one that is late the connection is of no use.
      connection.close()
      throw error
    }
  }

  close(): void {
    this.#connection?.close()
    this.#connection = null
    this.#nodeId = -1
  }
}

/** Name of what a request met, for a history: `NOT_CONNECTED` is definite. */
export function errorOf(error: unknown): string {
  if (error instanceof NotConnectedError) return 'NOT_CONNECTED'
  if (error instanceof Error && error.name === 'ConnectionLostError') return 'CONNECTION_LOST'
  throw error
}
