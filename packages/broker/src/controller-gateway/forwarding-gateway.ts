/** Forwards through the transport, again and again until the request's time is up: an election takes about a second. */
import { sleep } from '@kavka/kernel'
import type { Scheduler } from '@kavka/kernel'
import type { ControllerChannel, ControllerRequest } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { RequestContext } from '../handlers/handler.ts'
import type { ControllerGateway, GatewayAnswer, GatewayRequest } from './controller-gateway.ts'

const RETRY_PAUSE_MS = 50
const TIMEOUT_MS_MIN = 1000

export interface ForwardingGatewayDeps {
  readonly channel: ControllerChannel
  readonly scheduler: Scheduler
  activeControllerId(): NodeId | null
}

export class ForwardingGateway implements ControllerGateway {
  readonly #deps: ForwardingGatewayDeps

  constructor(deps: ForwardingGatewayDeps) {
    this.#deps = deps
  }

  activeControllerId(): NodeId | null {
    return this.#deps.activeControllerId()
  }

  /**
   * `not-controller` means that nothing was done: asking again is safe. `unreachable` may mean that it was done, and Kafka's
   * clients retry REQUEST_TIMED_OUT only where that is harmless, so it is not repeated here.
   */
  async request(request: GatewayRequest, context: RequestContext): Promise<GatewayAnswer> {
    const deadlineMs = this.#deps.scheduler.monotonicMs() + Math.max(request.timeoutMs, TIMEOUT_MS_MIN)
    const asked = controllerRequest(request, context)
    for (;;) {
      const leftMs = deadlineMs - this.#deps.scheduler.monotonicMs()
      if (leftMs <= 0) return { kind: 'failed', errorCode: ErrorCode.REQUEST_TIMED_OUT }
      const reply = await this.#deps.channel.request(asked, leftMs)
      if (reply.kind === 'answered') return reply
      if (reply.kind === 'unreachable') return { kind: 'failed', errorCode: ErrorCode.REQUEST_TIMED_OUT }
      await sleep(this.#deps.scheduler, Math.min(RETRY_PAUSE_MS, leftMs))
    }
  }
}

export function controllerRequest(request: GatewayRequest, context: RequestContext): ControllerRequest {
  return {
    apiKey: request.apiKey,
    apiVersion: request.apiVersion,
    body: request.body,
    principal: `${context.principal.type}:${context.principal.name}`,
    clientId: context.clientId,
    clientHost: context.clientHost,
    listener: context.listener,
  }
}
