import type { Encodable } from '@kavka/protocol'

/** Who sent a request: decided by the listener's security when the connection opened, carried by every request. */
export interface Principal {
  readonly type: 'User'
  readonly name: string
}

export const ANONYMOUS: Principal = { type: 'User', name: 'ANONYMOUS' }

/** Everything a handler may know of where a request came from. */
export interface RequestContext {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** '' when the client sent null, as Kafka reads it. */
  readonly clientId: string
  readonly listener: string
  /** `broker` or `controller`: which of the two tables of APIs the listener serves. */
  readonly listenerRole: 'broker' | 'controller'
  readonly securityProtocol: string
  readonly principal: Principal
  readonly connectionId: string
  readonly clientHost: string
}

/** `no-response`: acks=0. `close`: answered by closing the connection, where the protocol knows no other error. */
export type HandlerResult<Response> =
  | {
      readonly kind: 'response'
      readonly body: Encodable<Response>
      /** Called when the answer is with the kernel, and not at all when it never gets there. */
      readonly sent?: () => void
      /** The codes other than NONE in the body, where the handler knows them; else they are looked for. */
      readonly errorCodes?: readonly number[]
    }
  | { readonly kind: 'no-response' }
  | { readonly kind: 'close'; readonly reason: string }

/** One API: one file, one row of the table that ApiVersions is computed from. */
export interface ApiHandler<Request, Response, Services> {
  readonly apiKey: number
  /** Versions served, inclusive: never more than the codec has. */
  readonly versions: readonly [min: number, max: number]
  handle(
    request: Request,
    context: RequestContext,
    services: Services,
  ): HandlerResult<Response> | Promise<HandlerResult<Response>>
}
