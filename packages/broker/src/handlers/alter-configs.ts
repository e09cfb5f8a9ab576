/**
 * AlterConfigs 0–2, the older form that replaces all overrides of a resource (deprecated by KIP-339): checked, then forwarded.
 * Loggers cannot be altered this way.
 */
import { ApiKey, errorMessage, ErrorCode } from '@kavka/protocol'
import type { AlterConfigsRequest, AlterConfigsResponse } from '@kavka/protocol'
import { ConfigOperation } from '../configs/alter-validation.ts'
import { answerHere, merged, named } from '../configs/altered-resources.ts'
import type { AlteredResource, AlteredResourceResult } from '../configs/altered-resources.ts'
import { FORWARD_TIMEOUT_MS } from './forwarded.ts'
import type { ApiHandler, RequestContext } from './handler.ts'
import type { NodeServices } from './services.ts'

type Request = AlterConfigsRequest

const BROKER_LOGGER = 8

export const alterConfigsHandler: ApiHandler<Request, AlterConfigsResponse, NodeServices> = {
  apiKey: ApiKey.AlterConfigs,
  versions: [0, 2],
  async handle(request, context, services) {
    const here = request.resources.map((resource) => answer(resource, context, services))
    const rest = request.resources.filter((_, index) => here[index] === null)
    const controllers = rest.length === 0 ? [] : await forward({ ...request, resources: rest }, context, services)
    return { kind: 'response', body: { responses: merged(here, controllers) } }
  },
}

function answer(
  resource: Request['resources'][number],
  context: RequestContext,
  services: NodeServices,
): AlteredResourceResult | null {
  const asked = resourceOf(resource)
  if (asked.resourceType === BROKER_LOGGER) {
    const message = 'AlterConfigs is deprecated and does not support the resource type BROKER_LOGGER.'
    return { ...named(asked), errorCode: ErrorCode.INVALID_REQUEST, errorMessage: message }
  }
  return answerHere(asked, 'validate-only', context, services)
}

function resourceOf({ resourceType, resourceName, configs }: Request['resources'][number]): AlteredResource {
  const changes = configs.map(({ name, value }) => ({ name, operation: ConfigOperation.SET, value }))
  return { resourceType, resourceName, changes }
}

async function forward(
  request: Request,
  context: RequestContext,
  services: NodeServices,
): Promise<readonly AlteredResourceResult[]> {
  const { apiKey, apiVersion } = context
  const reply = await services.controller.request({ apiKey, apiVersion, body: request, timeoutMs: FORWARD_TIMEOUT_MS }, context)
  if (reply.kind === 'answered') {
    const { responses } = reply.body as AlterConfigsResponse
    // The controller leaves out what stands at its default.
    return responses.map((result) => ({ ...result, errorCode: result.errorCode ?? 0, errorMessage: result.errorMessage ?? null }))
  }
  const { errorCode } = reply
  return request.resources.map((resource) => ({ ...named(resourceOf(resource)), errorCode, errorMessage: errorMessage(errorCode) }))
}
