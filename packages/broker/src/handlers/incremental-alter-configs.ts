/** IncrementalAlterConfigs 0–1 (KIP-339): loggers are set on this node, the rest is checked and forwarded. */
import { ApiKey, errorMessage, ErrorCode } from '@kavka/protocol'
import type { IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse } from '@kavka/protocol'
import { answerHere, merged, named } from '../configs/altered-resources.ts'
import type { AlteredResource, AlteredResourceResult } from '../configs/altered-resources.ts'
import { FORWARD_TIMEOUT_MS } from './forwarded.ts'
import type { ApiHandler, RequestContext } from './handler.ts'
import type { NodeServices } from './services.ts'

type Request = IncrementalAlterConfigsRequest

export const incrementalAlterConfigsHandler: ApiHandler<Request, IncrementalAlterConfigsResponse, NodeServices> = {
  apiKey: ApiKey.IncrementalAlterConfigs,
  versions: [0, 1],
  async handle(request, context, services) {
    const mode = request.validateOnly ? 'validate-only' : 'apply'
    const here = request.resources.map((resource) => answerHere(resourceOf(resource), mode, context, services))
    const rest = request.resources.filter((_, index) => here[index] === null)
    const controllers = rest.length === 0 ? [] : await forward({ ...request, resources: rest }, context, services)
    return { kind: 'response', body: { responses: merged(here, controllers) } }
  },
}

function resourceOf({ resourceType, resourceName, configs }: Request['resources'][number]): AlteredResource {
  const changes = configs.map(({ name, configOperation, value }) => ({ name, operation: configOperation, value }))
  return { resourceType, resourceName, changes }
}

async function forward(
  request: Request,
  context: RequestContext,
  services: NodeServices,
): Promise<readonly AlteredResourceResult[]> {
  const { apiKey, apiVersion } = context
  const answer = await services.controller.request({ apiKey, apiVersion, body: request, timeoutMs: FORWARD_TIMEOUT_MS }, context)
  if (answer.kind === 'answered') return (answer.body as IncrementalAlterConfigsResponse).responses.map(complete)
  const { errorCode } = answer
  return request.resources.map((resource) => ({ ...named(resourceOf(resource)), errorCode, errorMessage: errorMessage(errorCode) }))
}

/** The controller leaves out what stands at its default. */
function complete(result: Partial<AlteredResourceResult> & Pick<AlteredResourceResult, 'resourceType' | 'resourceName'>): AlteredResourceResult {
  return { errorCode: ErrorCode.NONE, errorMessage: null, ...result }
}
