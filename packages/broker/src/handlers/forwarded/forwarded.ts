/** The shape of every API that only the active controller answers: pass it on, or say why that failed. Authorization is the controller's: the principal travels along. */
import { errorMessage } from '@kavka/protocol'
import type { Encodable } from '@kavka/protocol'
import type { ApiHandler } from '../handler.ts'
import type { NodeServices } from '../services.ts'

export interface ForwardedApi<Request, Response> {
  readonly apiKey: number
  readonly versions: readonly [min: number, max: number]
  timeoutMs(request: Request): number
  /** The same error for everything the request names. */
  refuse(request: Request, errorCode: number, message: string): Encodable<Response>
}

/** Used by APIs without a timeout of their own. */
export const FORWARD_TIMEOUT_MS = 30_000

export function forwardedHandler<Request, Response>(
  api: ForwardedApi<Request, Response>,
): ApiHandler<Request, Response, NodeServices> {
  return {
    apiKey: api.apiKey,
    versions: api.versions,
    async handle(request, context, services) {
      const { apiKey, apiVersion } = context
      const asked = { apiKey, apiVersion, body: request, timeoutMs: api.timeoutMs(request) }
      const answer = await services.controller.request(asked, context)
      if (answer.kind === 'answered') return { kind: 'response', body: answer.body as Encodable<Response> }
      return { kind: 'response', body: api.refuse(request, answer.errorCode, errorMessage(answer.errorCode)) }
    },
  }
}
