/** The way of an admin request to the active controller: forwarded by brokers, answered in place on controller listeners. */
import type { NodeId } from '@kavka/protocol'
import type { RequestContext } from '../handlers/handler.ts'

export type GatewayAnswer =
  | { readonly kind: 'answered'; readonly body: unknown }
  /** A code of the protocol's table: NOT_CONTROLLER or REQUEST_TIMED_OUT. */
  | { readonly kind: 'failed'; readonly errorCode: number }

export interface GatewayRequest {
  readonly apiKey: number
  readonly apiVersion: number
  readonly body: unknown
  readonly timeoutMs: number
}

export interface ControllerGateway {
  request(request: GatewayRequest, context: RequestContext): Promise<GatewayAnswer>
  /** As far as this node knows; null while there is none. */
  activeControllerId(): NodeId | null
}

/** The context of requests that this node makes for itself. */
export function contextOfNode(listener: string): RequestContext {
  return {
    apiKey: -1,
    apiVersion: -1,
    correlationId: 0,
    clientId: 'kavka-broker',
    listener,
    listenerRole: 'broker',
    securityProtocol: 'PLAINTEXT',
    principal: { type: 'User', name: 'kavka' },
    connectionId: 'local',
    clientHost: 'localhost',
  }
}
