/** HTTP for operators and machines: metrics, liveness, readiness. No framework, no state. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { assert } from '@kavka/kernel'
import type { Logger } from '@kavka/kernel'

/** Why a node is not ready; empty when it is. */
export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

export interface AdminHttpOptions {
  readonly host: string
  readonly port: number
  readonly version: string
  readonly nodeId: number
  readonly clusterId: string
}

export interface AdminHttpDeps {
  readonly logger: Logger
  readonly metrics: { text(): Promise<string>; readonly contentType: string }
  readiness(): Readiness
}

/**
 * An import of `node:http` reads all its exports, and some of those load undici when they are read: about 2 MB
 * of memory, for nothing.
 */
const { createServer } = process.getBuiltinModule('node:http')

const JSON_TYPE = 'application/json; charset=utf-8'
const HEADERS_BYTES_MAX = 16 * 1024
const REQUEST_TIMEOUT_MS = 30_000

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

export class AdminHttp {
  readonly #options: AdminHttpOptions
  readonly #deps: AdminHttpDeps
  readonly #server: Server

  constructor(options: AdminHttpOptions, deps: AdminHttpDeps) {
    this.#options = options
    this.#deps = deps
    const limits = { maxHeaderSize: HEADERS_BYTES_MAX, requestTimeout: REQUEST_TIMEOUT_MS }
    this.#server = createServer(limits, (request, response) => void this.#serve(request, response))
  }

  /** The port that is bound; after `listen`. */
  get port(): number {
    const address = this.#server.address()
    assert(address !== null && typeof address === 'object', 'the HTTP server is bound')
    return address.port
  }

  /** Rejects with Node's error when the address cannot be bound. */
  listen(): Promise<void> {
    const { host, port } = this.#options
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ port, ...(host === '' ? {} : { host }) }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => this.#deps.logger.warn({ err: error }, 'HTTP server error'))
        resolve()
      })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body } = await this.#answer(request).catch((error: unknown) => this.#broken(error))
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { error: 'only GET and HEAD are served' })
    const path = (request.url ?? '/').split('?', 1)[0]!
    if (path === '/metrics') return { status: 200, type: this.#deps.metrics.contentType, body: await this.#deps.metrics.text() }
    if (path === '/healthz') return json(200, { status: 'alive' })
    if (path === '/readyz') return this.#ready()
    if (path === '/') return json(200, this.#index())
    return json(404, { error: 'not found' })
  }

  #ready(): Answer {
    const readiness = this.#deps.readiness()
    return json(readiness.ready ? 200 : 503, { status: readiness.ready ? 'ready' : 'not ready', reasons: readiness.reasons })
  }

  #index(): object {
    const { version, nodeId, clusterId } = this.#options
    return { product: 'kavka', version, nodeId, clusterId, paths: ['/metrics', '/healthz', '/readyz'] }
  }

  #broken(error: unknown): Answer {
    this.#deps.logger.error({ err: error }, 'an HTTP request failed unexpectedly')
    return json(500, { error: 'internal error' })
  }
}

function json(status: number, value: object): Answer {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(value)}\n` }
}
