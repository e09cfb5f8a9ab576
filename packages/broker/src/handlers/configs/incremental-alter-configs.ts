/** IncrementalAlterConfigs 0–1 (KIP-339): loggers are set on this node, the rest is checked and forwarded. */
import { ApiKey } from '@kavka/protocol'
import type { IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse } from '@kavka/protocol'
import { answeredByController, answerHere, merged } from '../../configs/altered-resources.ts'
import type { AlteredResource } from '../../configs/altered-resources.ts'
import type { ApiHandler } from '../handler.ts'
import type { NodeServices } from '../services.ts'

type Request = IncrementalAlterConfigsRequest

export const incrementalAlterConfigsHandler: ApiHandler<Request, IncrementalAlterConfigsResponse, NodeServices> = {
  apiKey: ApiKey.IncrementalAlterConfigs,
  versions: [0, 1],
  async handle(request, context, services) {
    const mode = request.validateOnly ? 'validate-only' : 'apply'
    const here = request.resources.map((resource) => answerHere(resourceOf(resource), mode, context, services))
    const rest = request.resources.filter((_, index) => here[index] === null)
    const controllers = rest.length === 0 ? [] : await answeredByController({ ...request, resources: rest }, context, services)
    return { kind: 'response', body: { responses: merged(here, controllers) } }
  },
}

function resourceOf({ resourceType, resourceName, configs }: Request['resources'][number]): AlteredResource {
  const changes = configs.map(({ name, configOperation, value }) => ({ name, operation: configOperation, value }))
  return { resourceType, resourceName, changes }
}
