/**
 * The common road of AlterConfigs and IncrementalAlterConfigs: loggers are changed here, what is wrong is refused here, the rest goes
 * to the controller, and the answers come back in the order of the request.
 */
import { errorMessage, ErrorCode } from '@kavka/protocol'
import { FORWARD_TIMEOUT_MS } from '../handlers/forwarded/forwarded.ts'
import type { RequestContext } from '../handlers/handler.ts'
import type { NodeServices } from '../handlers/services.ts'
import { CLUSTER_RESOURCE } from '../security/authorizer.ts'
import { ConfigOperation, refusalOfBrokerChanges, refusalOfLoggerChanges } from './alter-validation.ts'
import type { ConfigChange, ConfigRefusal } from './alter-validation.ts'

export interface AlteredResource {
  readonly resourceType: number
  readonly resourceName: string
  readonly changes: readonly ConfigChange[]
}

export interface AlteredResourceResult {
  readonly resourceType: number
  readonly resourceName: string
  readonly errorCode: number
  readonly errorMessage: string | null
}

const BROKER = 4
const BROKER_LOGGER = 8

/** Null: for the controller to decide. */
export function answerHere(
  resource: AlteredResource,
  mode: 'apply' | 'validate-only',
  context: RequestContext,
  services: NodeServices,
): AlteredResourceResult | null {
  if (resource.resourceType === BROKER_LOGGER) return loggersAltered(resource, mode, context, services)
  const refusal = refusalOf(resource, services)
  return refusal === null ? null : { ...named(resource), ...refusal }
}

/** What the controller says of the resources that it was left to decide, or for each why it could not be asked. */
export async function answeredByController(
  request: { readonly resources: readonly Omit<AlteredResource, 'changes'>[] },
  context: RequestContext,
  services: NodeServices,
): Promise<readonly AlteredResourceResult[]> {
  const { apiKey, apiVersion } = context
  const reply = await services.controller.request({ apiKey, apiVersion, body: request, timeoutMs: FORWARD_TIMEOUT_MS }, context)
  if (reply.kind === 'answered') {
    // It leaves out what stands at its default.
    const { responses } = reply.body as { readonly responses: readonly (Partial<AlteredResourceResult> & Omit<AlteredResource, 'changes'>)[] }
    return responses.map((result) => ({ errorCode: ErrorCode.NONE, errorMessage: null, ...result }))
  }
  const { errorCode } = reply
  return request.resources.map((resource) => ({ ...named(resource), errorCode, errorMessage: errorMessage(errorCode) }))
}

/** Puts the controller's answers, which are in the order of what it was asked, between those given here. */
export function merged(
  here: readonly (AlteredResourceResult | null)[],
  controllers: readonly AlteredResourceResult[],
): AlteredResourceResult[] {
  let at = 0
  return here.map((answer) => answer ?? controllers[at++]!)
}

export function named({ resourceType, resourceName }: Omit<AlteredResource, 'changes'>): Pick<AlteredResource, 'resourceType' | 'resourceName'> {
  return { resourceType, resourceName }
}

function refusalOf({ resourceType, resourceName, changes }: AlteredResource, services: NodeServices): ConfigRefusal | null {
  if (new Set(changes.map(({ name }) => name)).size !== changes.length) {
    return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Error due to duplicate config keys' }
  }
  if (resourceType !== BROKER) return null
  if (resourceName !== '' && !/^\d+$/.test(resourceName)) return wrongName(resourceName, services)
  return refusalOfBrokerChanges(resourceName === '' ? 'all-brokers' : 'one-broker', changes)
}

function loggersAltered(
  resource: AlteredResource,
  mode: 'apply' | 'validate-only',
  context: RequestContext,
  services: NodeServices,
): AlteredResourceResult {
  const refusal = refusalOfLoggers(resource, context, services)
  if (refusal !== null) return { ...named(resource), ...refusal }
  if (mode === 'apply') for (const change of resource.changes) applyToLogger(change, services)
  return { ...named(resource), errorCode: ErrorCode.NONE, errorMessage: null }
}

function refusalOfLoggers(resource: AlteredResource, context: RequestContext, services: NodeServices): ConfigRefusal | null {
  if (!services.authorizer.authorize(context, 'AlterConfigs', CLUSTER_RESOURCE)) {
    return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: 'Cluster authorization failed' }
  }
  if (resource.resourceName !== String(services.nodeId)) return wrongName(resource.resourceName, services)
  return refusalOfLoggerChanges(resource.changes, services.loggers)
}

function applyToLogger({ name, operation, value }: ConfigChange, { loggers }: NodeServices): void {
  if (operation === ConfigOperation.DELETE) loggers.reset(name)
  else loggers.set(name, value!)
}

function wrongName(name: string, { nodeId }: NodeServices): ConfigRefusal {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: `Unexpected broker id, expected ${nodeId}, but received ${name}` }
}
