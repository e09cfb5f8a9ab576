/** On a controller listener the request is for this controller: when it is not the active one, the client looks for that (KIP-919). */
import type { ControllerService } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { RequestContext } from '../handlers/handler.ts'
import type { ControllerGateway, GatewayAnswer, GatewayRequest } from './controller-gateway.ts'
import { controllerRequest } from './forwarding-gateway.ts'

export interface LocalGatewayDeps {
  readonly service: ControllerService
  activeControllerId(): NodeId | null
}

export class LocalGateway implements ControllerGateway {
  readonly #deps: LocalGatewayDeps

  constructor(deps: LocalGatewayDeps) {
    this.#deps = deps
  }

  activeControllerId(): NodeId | null {
    return this.#deps.activeControllerId()
  }

  async request(request: GatewayRequest, context: RequestContext): Promise<GatewayAnswer> {
    const reply = await this.#deps.service.handle(controllerRequest(request, context))
    if (reply.kind === 'answered') return reply
    return { kind: 'failed', errorCode: ErrorCode.NOT_CONTROLLER }
  }
}
