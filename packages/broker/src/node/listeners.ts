/** Binds the listeners of a node and ties them to the tables of handlers and to gRPC. */
import type { ListenerLayout } from '@kavka/kernel'
import { GrpcEndpoint } from '@kavka/transport'
import type { AllowedServices, ServiceProvider } from '@kavka/transport'
import type { LoggerLevels } from '../configs/logger-levels.ts'
import type { ApiTable } from '../handlers/api-table.ts'
import { ANONYMOUS } from '../handlers/handler.ts'
import type { RequestMeters } from '../metrics/request-meters.ts'
import { ConnectionLimits, parsePerIpOverrides } from '../net/connection-limits.ts'
import type { ConnectionLimitsOptions } from '../net/connection-limits.ts'
import { RequestDispatcher } from '../net/dispatcher.ts'
import { Listener } from '../net/listener.ts'
import { RefusalLog } from '../net/refusal-log.ts'
import type { NodeDependencies, NodeSettings } from './node-settings.ts'

/** Requests of one connection that are accepted and not answered; Kafka works on one at a time. */
const REQUESTS_IN_FLIGHT_MAX = 64
/** Reply bytes that one peer may leave waiting before its requests wait too; a single reply may be larger. */
const REPLY_BYTES_WAITING_MAX = 1024 * 1024

export interface NodeListeners {
  readonly listeners: readonly Listener[]
  readonly limits: ConnectionLimits
  readonly grpc: GrpcEndpoint
}

export interface NodeListenersDependencies extends NodeDependencies {
  readonly loggers: LoggerLevels
  readonly meters: RequestMeters
  readonly grpcProviders: readonly ServiceProvider[]
  tableOf(role: 'broker' | 'controller'): ApiTable
}

export function createListeners(settings: NodeSettings, deps: NodeListenersDependencies): NodeListeners {
  const { scheduler, loggers, meters } = deps
  const limits = new ConnectionLimits(connectionLimits(settings.config))
  const grpc = new GrpcEndpoint({ providers: deps.grpcProviders })
  const refusals = new RefusalLog({ logger: loggers.get('kafka.network.SocketServer'), clock: scheduler })
  const dispatcher = new RequestDispatcher({ tableOf: (role) => deps.tableOf(role), meters, scheduler, logger: loggers.get('kafka.request.logger') })
  const listeners = settings.layout.listeners.map((layout) => {
    const allowed = grpcServicesOf(layout, settings)
    return new Listener(listenerOptions(layout, settings, allowed), {
      scheduler,
      limits,
      refusals,
      principal: ANONYMOUS,
      requestOf: (frame, peer) => dispatcher.requestOf(frame, peer),
      acceptGrpc: allowed === null ? null : (socket) => grpc.accept(socket, allowed),
    })
  })
  return { listeners, limits, grpc }
}

/** What `max.connections` and its relatives say now; they may change at run time. */
export function connectionLimits(config: NodeSettings['config']): ConnectionLimitsOptions {
  return {
    connectionsMax: config.maxConnections,
    connectionsPerIpMax: config.maxConnectionsPerIp,
    perIpOverrides: parsePerIpOverrides(config.maxConnectionsPerIpOverrides),
  }
}

function grpcServicesOf({ role, name }: ListenerLayout, { layout }: NodeSettings): AllowedServices | null {
  if (role === 'controller') return 'controller'
  return name === layout.interBrokerListener ? 'replication' : null
}

function listenerOptions(
  { name, role, securityProtocol, bindHost, bindPort }: ListenerLayout,
  { config }: NodeSettings,
  allowed: AllowedServices | null,
): ConstructorParameters<typeof Listener>[0] {
  return {
    name, role, securityProtocol, bindHost, bindPort,
    backlog: config.socketListenBacklogSize,
    connectionsIdleMsMax: config.connectionsMaxIdleMs,
    isProtected: allowed !== null,
    connection: {
      frameBytesMax: config.socketRequestMaxBytes,
      requestsInFlightMax: REQUESTS_IN_FLIGHT_MAX,
      replyBytesWaitingMax: REPLY_BYTES_WAITING_MAX,
    },
  }
}
