/**
 * How this product dials: one gRPC channel per connection it keeps, never shared, never retried behind our back.
 * grpc-js' own retry, proxy, service-config and idle machinery is switched off; whoever dials decides when to dial again.
 */
import type { Socket } from 'node:net'
import { Client, credentials } from '@grpc/grpc-js'
import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js'

export interface NodeAddress {
  readonly host: string
  readonly port: number
}

/** Makes the credentials of a connection to another node: plain text unless the listener there speaks TLS. */
export type CredentialsOf = (address: NodeAddress) => ChannelCredentials

export const plaintext: CredentialsOf = () => credentials.createInsecure()

/** What a follower may be sent ahead of what it has read: measured, more gains nothing and the default of 64 KiB costs three quarters of the throughput. */
export const FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024

/**
 * A peer that answers no HTTP/2 ping for so long is cut off: a pulled cable or a stopped process. Long, because slowness is not
 * death and nothing but the connection depends on it; a killed process is noticed by its closed socket within milliseconds.
 */
export const PING_INTERVAL_MS = 30_000
export const PING_TIMEOUT_MS = 20_000

/** A connection that is not up after this long is given up and dialed anew. */
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

export function dial(address: NodeAddress, credentialsOf: CredentialsOf): NodeConnection {
  const sockets = new Set<Socket>()
  const client = new Client(targetOf(address), watchSockets(credentialsOf(address), sockets), channelOptions)
  return {
    client,
    close: () => {
      client.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/**
 * Closing a grpc-js channel in the middle of its HTTP/2 handshake leaves the socket open until the peer speaks, which a stopped
 * process never does: each new attempt would leave another one. So the sockets are noted where the channel asks to secure them.
 */
function watchSockets(base: ChannelCredentials, sockets: Set<Socket>): ChannelCredentials {
  const watching = Object.create(base) as ChannelCredentials
  watching._createSecureConnector = (...parameters) => {
    const connector = base._createSecureConnector(...parameters)
    return {
      connect: (socket) => {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
        return connector.connect(socket)
      },
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    }
  }
  return watching
}

/** IP literals are resolved without asking anyone; the brackets keep the colons of IPv6 apart from the port. */
export function targetOf({ host, port }: NodeAddress): string {
  return host.includes(':') ? `dns:[${host}]:${port}` : `dns:${host}:${port}`
}
