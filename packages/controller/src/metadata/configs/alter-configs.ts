/**
 * AlterConfigs (33) v0–2 replaces all overrides of a resource; IncrementalAlterConfigs (44) v0–1 sets,
 * deletes, appends to and subtracts from single ones. Resources: topics, brokers ('' = default of all),
 * groups, client metrics. Each succeeds or fails whole.
 */
import { ErrorCode } from '@kavka/protocol'
import type {
  AlterConfigsRequest,
  AlterConfigsResponse,
  Encodable,
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsRequestAlterableConfig,
  IncrementalAlterConfigsResponse,
  NodeId,
} from '@kavka/protocol'
import { failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import type { ApiError, Decision, DecisionContext, PartOutcome } from '../decision.ts'
import { apiError, decidedInParts, repeatedAmong, withoutRecords } from '../decision.ts'
import type { ConfigResourceType, MetadataImage } from '../image.ts'
import { resourceKey } from '../image.ts'
import { elrEnabled } from '../partitions/partition-changes.ts'
import type { ConfigRecord } from '../records.ts'
import { ResourceType, defaultListText, isListConfig, problemOfConfig } from './config-schema.ts'
import { MIN_INSYNC_REPLICAS } from './effective.ts'
import { elrAfterMinIsrChange } from './min-isr-change.ts'

type Overrides = ReadonlyMap<string, string>
type AlteredOverrides = Result<Overrides, ApiError>

interface Resource {
  readonly type: ConfigResourceType
  readonly name: string
}

interface WireResource {
  readonly resourceType: number
  readonly resourceName: string
}

export function decideAlterConfigs(
  context: DecisionContext,
  request: AlterConfigsRequest,
): Decision<Encodable<AlterConfigsResponse>> {
  const altered = request.resources.map(
    ({ configs }) =>
      () =>
        replaced(configs),
  )
  const decision = decideResources(context, request.resources, altered)
  return request.validateOnly ? withoutRecords(decision) : decision
}

export function decideIncrementalAlterConfigs(
  context: DecisionContext,
  request: IncrementalAlterConfigsRequest,
): Decision<Encodable<IncrementalAlterConfigsResponse>> {
  const altered = request.resources.map(({ configs }) => (resource: Resource, before: Overrides) => {
    return stepped(resource, before, configs)
  })
  const decision = decideResources(context, request.resources, altered)
  return request.validateOnly ? withoutRecords(decision) : decision
}

function decideResources(
  context: DecisionContext,
  resources: readonly WireResource[],
  altered: readonly ((resource: Resource, before: Overrides) => AlteredOverrides)[],
): Decision<Encodable<AlterConfigsResponse>> {
  const keys = resources.map(({ resourceType, resourceName }) => `${resourceType}:${resourceName}`)
  const repeated = repeatedAmong(keys)
  const outcomes = resources.map((wire, i): PartOutcome => {
    if (repeated.has(keys[i]!))
      return failed(apiError(ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.'))
    return alterResource(context, wire, altered[i]!)
  })
  const records = outcomes.flatMap((outcome) => outcome.records)
  const responses = resources.map(({ resourceType, resourceName }, i) => ({
    resourceType,
    resourceName,
    ...outcomes[i]!.error,
  }))
  // First the replicas that are eligible no more: with the new minimum in force they could be elected and lack records.
  return decidedInParts([...elrAfterMinIsrChange(context, records as readonly ConfigRecord[]), ...records], {
    responses,
  })
}

function alterResource(
  context: DecisionContext,
  wire: WireResource,
  alter: (resource: Resource, before: Overrides) => AlteredOverrides,
): PartOutcome {
  const resource = resourceOf(context, wire)
  if (!resource.ok) return failed(resource.error)
  const before =
    context.image.configs.get(resourceKey(resource.value.type, resource.value.name)) ??
    new Map<string, string>()
  const after = alter(resource.value, before)
  if (!after.ok) return failed(after.error)
  const error = checkOverrides(context, resource.value, before, after.value)
  return error === null
    ? { records: differences(resource.value, before, after.value), error: apiError(ErrorCode.NONE) }
    : failed(error)
}

/** Does the resource exist, may the controller change it, and is its name well formed? */
function resourceOf(
  { image }: DecisionContext,
  { resourceType, resourceName: name }: WireResource,
): Result<Resource, ApiError> {
  const invalid = (message: string): Result<never, ApiError> =>
    failure(apiError(ErrorCode.INVALID_REQUEST, message))
  switch (resourceType) {
    case ResourceType.TOPIC:
      if (image.topics.byName.has(name)) return success({ type: resourceType, name })
      return failure(apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`))
    case ResourceType.BROKER:
      return brokerOf(image, name)
    case ResourceType.CLIENT_METRICS:
      return name === ''
        ? invalid('Default client metrics resources are not allowed.')
        : success({ type: resourceType, name })
    case ResourceType.GROUP:
      return name === ''
        ? invalid('Default group resources are not allowed.')
        : success({ type: resourceType, name })
    case ResourceType.BROKER_LOGGER:
      return invalid('Log levels are altered at the broker itself.')
    default:
      return invalid(`Unexpected resource type ${resourceType}.`)
  }
}

/** The empty name means all brokers. */
function brokerOf({ brokers, controllers }: MetadataImage, name: string): Result<Resource, ApiError> {
  const type = ResourceType.BROKER
  if (name === '') return success({ type, name })
  if (!/^\d{1,10}$/.test(name)) return failure(apiError(ErrorCode.INVALID_REQUEST, `Invalid broker name ${name}: a broker id is expected.`))
  const id = Number(name) as NodeId
  if (brokers.has(id) || controllers.has(id)) return success({ type, name: String(id) })
  return failure(apiError(ErrorCode.BROKER_ID_NOT_REGISTERED, `No broker with id ${name} found.`))
}

function replaced(
  configs: readonly { readonly name: string; readonly value: string | null }[],
): AlteredOverrides {
  const after = new Map<string, string>()
  for (const { name, value } of configs) {
    if (value === null)
      return failure(apiError(ErrorCode.INVALID_CONFIG, `Null value not supported for config ${name}.`))
    if (after.has(name))
      return failure(apiError(ErrorCode.INVALID_REQUEST, `Error due to duplicate config keys: ${name}`))
    after.set(name, value)
  }
  return success(after)
}

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

function stepped(
  resource: Resource,
  before: Overrides,
  configs: readonly IncrementalAlterConfigsRequestAlterableConfig[],
): AlteredOverrides {
  const after = new Map(before)
  if (new Set(configs.map(({ name }) => name)).size !== configs.length) {
    return failure(apiError(ErrorCode.INVALID_REQUEST, 'Error due to duplicate config keys'))
  }
  for (const { name, configOperation, value } of configs) {
    const isKnown = configOperation >= SET && configOperation <= SUBTRACT
    if (!isKnown)
      return failure(apiError(ErrorCode.INVALID_REQUEST, `Unknown operation ${configOperation} on ${name}.`))
    if (configOperation === DELETE) after.delete(name)
    else if (value === null)
      return failure(apiError(ErrorCode.INVALID_REQUEST, `Null value not supported for ${name}.`))
    else if (configOperation === SET) after.set(name, value)
    else if (!isListConfig(resource.type, name)) {
      const operation = configOperation === APPEND ? 'APPEND' : 'SUBTRACT'
      return failure(
        apiError(ErrorCode.INVALID_CONFIG, `Can't ${operation} to key ${name} because its type is not LIST.`),
      )
    } else
      after.set(
        name,
        changedList(after.get(name) ?? defaultListText(resource.type, name), configOperation, value),
      )
  }
  return success(after)
}

function changedList(text: string, operation: number, value: string): string {
  const items = text.split(',').filter((item) => item !== '')
  const named = value.split(',').filter((item) => item !== '')
  if (operation === SUBTRACT) return items.filter((item) => !named.includes(item)).join(',')
  return [...items, ...named.filter((item) => !items.includes(item))].join(',')
}

function checkOverrides(
  context: DecisionContext,
  { type, name: resource }: Resource,
  before: Overrides,
  after: Overrides,
): ApiError | null {
  for (const [name, value] of after) {
    // What is already there was accepted once; a key that this version no longer takes must not block the
    // others.
    const problem = before.get(name) === value ? null : problemOfConfig(type, resource, name, value)
    if (problem !== null) return apiError(ErrorCode.INVALID_CONFIG, problem)
  }
  return type === ResourceType.BROKER && elrEnabled(context.image)
    ? checkMinIsrWithElr(resource, before, after)
    : null
}

/**
 * All controllers must judge by the same minimum (KIP-966): it is set for the cluster or a topic, never for a
 * broker.
 */
function checkMinIsrWithElr(resource: string, before: Overrides, after: Overrides): ApiError | null {
  if (resource === '' && before.has(MIN_INSYNC_REPLICAS) && !after.has(MIN_INSYNC_REPLICAS)) {
    return apiError(
      ErrorCode.INVALID_CONFIG,
      'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.',
    )
  }
  if (resource === '' || before.get(MIN_INSYNC_REPLICAS) === after.get(MIN_INSYNC_REPLICAS)) return null
  return apiError(
    ErrorCode.INVALID_CONFIG,
    'Broker-level min.insync.replicas cannot be altered while ELR is enabled.',
  )
}

function differences(
  { type: resourceType, name: resourceName }: Resource,
  before: Overrides,
  after: Overrides,
): ConfigRecord[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => ({
      kind: 'config',
      resourceType,
      resourceName,
      name,
      value: after.get(name) ?? null,
    }))
}

function failed(error: ApiError): PartOutcome {
  return { records: [], error }
}
