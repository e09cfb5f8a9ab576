/**
 * AlterConfigs 0–2, the older form that replaces all overrides of a resource (deprecated by KIP-339): checked, then forwarded.
 * Loggers cannot be altered this way.
 */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { AlterConfigsRequest, AlterConfigsResponse } from '@kavka/protocol'
import { ConfigOperation } from '../../configs/alter-validation.ts'
import { answeredByController, answerHere, merged, named } from '../../configs/altered-resources.ts'
import type { AlteredResource, AlteredResourceResult } from '../../configs/altered-resources.ts'
import type { ApiHandler, RequestContext } from '../handler.ts'
import type { NodeServices } from '../services.ts'

type Request = AlterConfigsRequest

const BROKER_LOGGER = 8

export const alterConfigsHandler: ApiHandler<Request, AlterConfigsResponse, NodeServices> = {
  apiKey: ApiKey.AlterConfigs,
  versions: [0, 2],
  async handle(request, context, services) {
    const here = request.resources.map((resource) => answer(resource, context, services))
    const rest = request.resources.filter((_, index) => here[index] === null)
    const controllers = rest.length === 0 ? [] : await answeredByController({ ...request, resources: rest }, context, services)
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
