/** One entry of `listeners`: binds, admits, watches idle connections, and closes gracefully. */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { assert, every } from '@kavka/kernel'
import type { Scheduler, SecurityProtocol, TimerHandle } from '@kavka/kernel'
import type { Principal } from '../handlers/handler.ts'
import { Connection } from './connection.ts'
import type { ConnectionOptions } from './connection.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import type { PipelinedRequest } from './pipeline.ts'
import type { RefusalLog } from './refusal-log.ts'

export interface ListenerOptions {
  readonly name: string
  readonly role: 'broker' | 'controller'
  readonly securityProtocol: SecurityProtocol
  readonly bindHost: string
  readonly bindPort: number
  readonly backlog: number
  /** `connections.max.idle.ms`; negative: never. */
  readonly connectionsIdleMsMax: number
  /** Connections between nodes come in here too: they are admitted beyond `max.connections`. */
  readonly isProtected: boolean
  readonly connection: ConnectionOptions
}

/** Where a request came from, fixed when the connection opened; only the software name comes later (ApiVersions v3). */
export interface Peer {
  readonly connectionId: string
  readonly listener: string
  readonly role: 'broker' | 'controller'
  readonly securityProtocol: SecurityProtocol
  readonly host: string
  readonly principal: Principal
  software: { readonly name: string; readonly version: string }
}

export interface ListenerDeps {
  readonly scheduler: Scheduler
  readonly limits: ConnectionLimits
  readonly refusals: RefusalLog
  readonly principal: Principal
  requestOf(frame: Buffer, peer: Peer): PipelinedRequest
  /** Null: this listener refuses gRPC. */
  readonly acceptGrpc: ((socket: Socket) => void) | null
}

const IDLE_CHECKS_PER_LIMIT = 10
const IDLE_CHECK_MS_MAX = 10_000
const IDLE_CHECK_MS_MIN = 10

export class Listener {
  readonly #options: ListenerOptions
  readonly #deps: ListenerDeps
  readonly #server: Server
  readonly #connections = new Map<Connection, Peer>()
  readonly #grpcSockets = new Set<Socket>()
  #idleTimer: TimerHandle | null = null
  #onEmpty: (() => void) | null = null
  #connectionCount = 0
  /** Meters, read on scrape. */
  readonly totals = { accepted: 0, closed: 0, refused: 0, idleClosed: 0, bytesReceived: 0, bytesSent: 0 }

  constructor(options: ListenerOptions, deps: ListenerDeps) {
    this.#options = options
    this.#deps = deps
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket))
  }

  get name(): string {
    return this.#options.name
  }

  get role(): 'broker' | 'controller' {
    return this.#options.role
  }

  /** The port that is bound; after `listen`. */
  get port(): number {
    const address = this.#server.address()
    assert(address !== null && typeof address === 'object', 'the listener is bound')
    return address.port
  }

  /** Kafka connections with the software their clients named. */
  peers(): Iterable<Peer> {
    return this.#connections.values()
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  get requestsInFlight(): number {
    let count = 0
    for (const connection of this.#connections.keys()) count += connection.requestsInFlight
    return count
  }

  /** Reply bytes that peers have not taken. */
  get replyBytesWaiting(): number {
    let bytes = 0
    for (const connection of this.#connections.keys()) bytes += connection.replyBytesWaiting
    return bytes
  }

  /** Rejects with Node's error (EADDRINUSE …) when the address cannot be bound. */
  async listen(): Promise<void> {
    const { bindHost, bindPort, backlog, connectionsIdleMsMax } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ port: bindPort, backlog, ...(bindHost === '' ? {} : { host: bindHost }) }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    this.#server.on('error', (error) => this.#deps.refusals.write({ listener: this.name, error: error.message }, 'accepting a connection failed'))
    if (connectionsIdleMsMax >= 0) this.#watchIdle(connectionsIdleMsMax)
  }

  /** Accepts no more, lets what is in flight be answered for up to `graceMs`, then cuts the rest. */
  async close(graceMs: number): Promise<void> {
    this.#idleTimer?.cancel()
    const serverClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const connection of this.#connections.keys()) connection.drain()
    await this.#emptied(graceMs)
    for (const connection of this.#connections.keys()) connection.destroy()
    for (const socket of this.#grpcSockets) socket.destroy()
    await serverClosed
  }

  #emptied(graceMs: number): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#deps.scheduler.after(graceMs, resolve)
      this.#onEmpty = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  #accept(socket: Socket): void {
    const address = normalizedAddress(socket.remoteAddress ?? 'unknown')
    const refusal = this.#deps.limits.admit(address, this.#options)
    if (refusal !== null) {
      this.totals.refused++
      this.#deps.refusals.write({ listener: this.name, peer: address }, `connection refused: ${refusal}`)
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    this.totals.accepted++
    this.#open(socket, address)
  }

  #open(socket: Socket, address: string): void {
    const peer = this.#peerOf(socket, address)
    const connection: Connection = new Connection(this.#options.connection, {
      socket,
      events: {
        requestOf: (frame) => this.#deps.requestOf(frame, peer),
        http2: (taken) => this.#toGrpc(taken, connection),
        received: (bytes) => {
          this.totals.bytesReceived += bytes
        },
        sent: (bytes) => {
          this.totals.bytesSent += bytes
        },
        refused: (reason) => {
          this.totals.refused++
          this.#deps.refusals.write({ listener: this.name, peer: address }, `connection closed: ${reason}`)
        },
        closed: () => this.#closed(connection, socket, address),
      },
    })
    this.#connections.set(connection, peer)
  }

  /** The form that Kafka gives connection ids: local, remote, counter. */
  #peerOf(socket: Socket, address: string): Peer {
    const { name, role, securityProtocol } = this.#options
    const local = `${normalizedAddress(socket.localAddress ?? '')}:${socket.localPort ?? 0}`
    return {
      connectionId: `${local}-${address}:${socket.remotePort ?? 0}-${this.#connectionCount++}`,
      listener: name,
      role,
      securityProtocol,
      host: address,
      principal: this.#deps.principal,
      software: { name: 'unknown', version: 'unknown' },
    }
  }

  #toGrpc(socket: Socket, connection: Connection): 'taken' | 'refused' {
    if (this.#deps.acceptGrpc === null) return 'refused'
    this.#connections.delete(connection)
    this.#grpcSockets.add(socket)
    this.#deps.acceptGrpc(socket)
    return 'taken'
  }

  #closed(connection: Connection, socket: Socket, address: string): void {
    this.totals.closed++
    this.#connections.delete(connection)
    this.#grpcSockets.delete(socket)
    this.#deps.limits.release(address)
    if (this.#connections.size === 0) this.#onEmpty?.()
  }

  /** One timer for all connections: an idle one is found within a tenth of the limit. */
  #watchIdle(idleMsMax: number): void {
    const intervalMs = Math.min(IDLE_CHECK_MS_MAX, Math.max(IDLE_CHECK_MS_MIN, idleMsMax / IDLE_CHECKS_PER_LIMIT))
    this.#idleTimer = every(this.#deps.scheduler, intervalMs, () => {
      const now = this.#deps.scheduler.monotonicMs()
      for (const connection of this.#connections.keys()) {
        if (connection.idleMs(now) < idleMsMax) continue
        this.totals.idleClosed++
        connection.destroy()
      }
    })
  }
}

/** IPv4 peers of a dual-stack socket look like `::ffff:10.0.0.1`. */
function normalizedAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
