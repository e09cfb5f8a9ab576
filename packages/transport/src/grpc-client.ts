/**
 * How this product dials: one gRPC channel per connection it keeps, never shared, never retried behind our back.
 * grpc-js' own retry, proxy, service-config and idle machinery is switched off; whoever dials decides when to dial again.
 */
import type { Socket } from 'node:net'
import { Client, credentials } from '@grpc/grpc-js'
import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js'
import type { Scheduler } from '@kavka/kernel'
import { ConnectionWatch } from './connection-watch.ts'
import { knock } from './knock.ts'
import type { Knock } from './knock.ts'
import type { NodeAddress } from './node-address.ts'

/** Makes the credentials of a connection to another node: plain text unless the listener there speaks TLS. */
export type CredentialsOf = (address: NodeAddress) => ChannelCredentials

export const plaintext: CredentialsOf = () => credentials.createInsecure()

/** What a follower may be sent ahead of what it has read: measured, more gains nothing and the default of 64 KiB costs three quarters of the throughput. */
export const FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024

/**
 * Whoever dialed asks for a sign of life this often, so that the connection's watch (connection-watch.ts) has something to hear. Any byte
 * counts: on a slow link the answer stands behind the records that are under way, and must not be missed because of them.
 */
export const PING_INTERVAL_MS = 1_000
/** grpc-js' own verdict comes late on purpose: the watch was there before. */
export const PING_TIMEOUT_MS = 60_000

/** The side that was dialed only clears away what nobody will use again: whoever lost the connection dials anew. */
export const SERVER_PING_INTERVAL_MS = 30_000
export const SERVER_PING_TIMEOUT_MS = 20_000

/** A call that the other node's process has not accepted after this long is given up and dialed anew. */
export const CONNECT_TIMEOUT_MS = 5_000

const RECONNECT_BACKOFF_MS_MIN = 20
const RECONNECT_BACKOFF_MS_MAX = 1_000

const channelOptions: ChannelOptions = {
  'grpc.enable_channelz': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': RECONNECT_BACKOFF_MS_MIN,
  'grpc.max_reconnect_backoff_ms': RECONNECT_BACKOFF_MS_MAX,
  'grpc.keepalive_time_ms': PING_INTERVAL_MS,
  'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
  // A connection that waits for its next call is watched too.
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_send_message_length': -1,
  'grpc.max_receive_message_length': -1,
  'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
}

/** A channel of its own to one node; connects with the first call on `client`. */
export interface NodeConnection {
  readonly client: Client
  /** Ends all calls and leaves nothing running, also when the connection was still being made. */
  close(): void
}

export interface DialDeps {
  readonly scheduler: Scheduler
  readonly credentialsOf: CredentialsOf
}

/**
 * `lost` comes at most once and not before `dial` returned: nobody is heard at the other end any more. Whatever else fails is told by the
 * calls.
 */
export function dial(address: NodeAddress, deps: DialDeps, lost: (reason: string) => void): NodeConnection {
  const dialing = new Dialing(address, deps, lost)
  const client = new Client(targetOf(address), dialing.credentials(deps.credentialsOf(address)), channelOptions)
  return {
    client,
    close: () => {
      client.close()
      dialing.close()
    },
  }
}

/**
 * What grpc-js does not tell of a connection, seen from where it asks for the means to secure one. Closing a channel in the middle of its
 * HTTP/2 handshake leaves the socket open until the peer speaks, which a stopped process never does, and each new attempt would leave
 * another one: so the sockets are noted.
 */
class Dialing {
  readonly #address: NodeAddress
  readonly #scheduler: Scheduler
  readonly #watch: ConnectionWatch
  readonly #sockets = new Set<Socket>()
  readonly #knocks = new Set<Knock>()
  #closed = false

  constructor(address: NodeAddress, { scheduler }: DialDeps, lost: (reason: string) => void) {
    this.#address = address
    this.#scheduler = scheduler
    this.#watch = new ConnectionWatch({}, { scheduler, lost })
  }

  credentials(base: ChannelCredentials): ChannelCredentials {
    const noting = Object.create(base) as ChannelCredentials
    noting._createSecureConnector = (...parameters) => {
      const connector = base._createSecureConnector(...parameters)
      return {
        connect: (socket) => {
          this.#connected(socket)
          return connector.connect(socket)
        },
        waitForReady: async () => {
          await this.#knock()
          await connector.waitForReady()
        },
        getCallCredentials: () => connector.getCallCredentials(),
        destroy: () => connector.destroy(),
      }
    }
    return noting
  }

  close(): void {
    this.#closed = true
    this.#watch.stop()
    for (const attempt of this.#knocks) attempt.cancel()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #knock(): Promise<void> {
    const attempt = knock(this.#address, { scheduler: this.#scheduler })
    this.#knocks.add(attempt)
    if (this.#closed) attempt.cancel()
    try {
      await attempt.answered
      this.#watch.handshaking()
    } finally {
      this.#knocks.delete(attempt)
    }
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#closed) socket.destroy()
    else this.#watch.connected(socket)
  }
}

/** IP literals are resolved without asking anyone; the brackets keep the colons of IPv6 apart from the port. */
export function targetOf({ host, port }: NodeAddress): string {
  return host.includes(':') ? `dns:[${host}]:${port}` : `dns:${host}:${port}`
}
