/**
 * The serving side of a node: takes connections that the node's listeners recognized as HTTP/2, whatever port they came through.
 * It has no port of its own. What a connection may call depends on its listener: each group of services is a gRPC server that
 * knows no other services, so that a call to the wrong one is UNIMPLEMENTED.
 */
import type { Socket } from 'node:net'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import type { ServerOptions } from '@grpc/grpc-js'
import { assert } from '@kavka/kernel'
import { SERVER_PING_INTERVAL_MS, SERVER_PING_TIMEOUT_MS } from './grpc-client.ts'
import { readAnnouncement } from './http2/read-announcement.ts'
import type { ConnectionKind } from './http2/read-announcement.ts'
import type { ServiceGroup, ServiceProvider, SingleStreamProvider } from './service-provider.ts'

/** One message of another node: Kafka's bound of a request (`socket.request.max.bytes`). What followers receive is not bounded by it. */
export const RECEIVED_MESSAGE_BYTES_MAX = 100 * 1024 * 1024

const serverOptions: ServerOptions = {
  'grpc.enable_channelz': 0,
  'grpc.keepalive_time_ms': SERVER_PING_INTERVAL_MS,
  'grpc.keepalive_timeout_ms': SERVER_PING_TIMEOUT_MS,
  'grpc.max_send_message_length': -1,
  'grpc.max_receive_message_length': RECEIVED_MESSAGE_BYTES_MAX,
}

/** Services that connections of one listener may call; a listener can be both, as in a cluster with a single listener. */
export type AllowedServices = ServiceGroup | 'replication-and-controller'

interface Injector {
  injectConnection(connection: Socket): void
}

export class GrpcEndpoint {
  readonly #providers: readonly ServiceProvider[]
  readonly #injectors = new Map<AllowedServices, Injector>()
  readonly #sockets = new Set<Socket>()
  #closed = false

  constructor(options: { readonly providers: readonly ServiceProvider[] }) {
    this.#providers = options.providers
  }

  /**
   * Serves gRPC on a connection whose first bytes are `PRI `. They may have been read already when they were put back by `unshift`.
   * A TLS connection is passed decrypted (as its TLSSocket). The socket belongs to the endpoint from here on.
   */
  accept(socket: Socket, allowed: AllowedServices): void {
    if (this.#closed || socket.destroyed) {
      socket.destroy()
      return
    }
    socket.setNoDelay(true)
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    readAnnouncement(socket, (start, kind) => this.#serve(socket, allowed, start, kind))
  }

  /** Connections being served. */
  get connectionCount(): number {
    return this.#sockets.size
  }

  /** Cuts all connections; later ones are refused. */
  close(): void {
    this.#closed = true
    for (const socket of this.#sockets) socket.destroy()
  }

  #serve(socket: Socket, allowed: AllowedServices, start: Buffer, kind: ConnectionKind): void {
    const provider = kind === 'single-stream' ? this.#providersOf(allowed).find(servesSingleStreams) : undefined
    if (provider !== undefined) return provider.serve(socket, start)
    // grpc-js also answers a stream that this listener does not serve: UNIMPLEMENTED.
    socket.unshift(start)
    this.#injectorFor(allowed).injectConnection(socket)
  }

  #providersOf(allowed: AllowedServices): ServiceProvider[] {
    const groups: readonly ServiceGroup[] = allowed === 'replication-and-controller' ? ['replication', 'controller'] : [allowed]
    return this.#providers.filter(({ group }) => groups.includes(group))
  }

  #injectorFor(allowed: AllowedServices): Injector {
    const existing = this.#injectors.get(allowed)
    if (existing !== undefined) return existing
    const server = new Server(serverOptions)
    for (const provider of this.#providersOf(allowed)) if (!servesSingleStreams(provider)) provider.addTo(server)
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
    assert(!this.#injectors.has(allowed), 'two servers for one group of services', { allowed })
    this.#injectors.set(allowed, injector)
    return injector
  }
}

function servesSingleStreams(provider: ServiceProvider): provider is SingleStreamProvider {
  return 'serve' in provider
}
