/**
 * DescribeConfigs 1–4.
 * Behavior: topics, brokers (this one, or '' for the default of all), the loggers of this broker, groups; unknown keys are left out.
 * Values of sensitive keys are never sent. Versions: v1 sources and synonyms (KIP-226); v3 types and documentation (KIP-569).
 */
import { ApiKey, ErrorCode, isTopicName } from '@kavka/protocol'
import type { DescribeConfigsRequest, DescribeConfigsResponse, Encodable } from '@kavka/protocol'
import type { ConfigEntry } from '../../configs/config-entry.ts'
import {
  describeBrokerConfig, describeGroupConfig, describeLoggers, describeTopicConfig,
} from '../../configs/describe-config-resources.ts'
import { CLUSTER_RESOURCE } from '../../security/authorizer.ts'
import type { AclResource } from '../../security/authorizer.ts'
import type { ApiHandler, RequestContext } from '../handler.ts'
import type { NodeServices } from '../services.ts'

type Resource = DescribeConfigsRequest['resources'][number]
type Result = Encodable<DescribeConfigsResponse['results'][number]>
type Entry = NonNullable<Result['configs']>[number]

const TOPIC = 2
const BROKER = 4
const BROKER_LOGGER = 8
const GROUP = 32

export const describeConfigsHandler: ApiHandler<DescribeConfigsRequest, DescribeConfigsResponse, NodeServices> = {
  apiKey: ApiKey.DescribeConfigs,
  versions: [1, 4],
  handle(request, context, services) {
    const results = request.resources.map((resource) => describe(resource, request, context, services))
    return { kind: 'response', body: { results } }
  },
}

function describe(
  resource: Resource,
  request: DescribeConfigsRequest,
  context: RequestContext,
  services: NodeServices,
): Result {
  const { resourceType, resourceName, configurationKeys } = resource
  const found = entriesOf(resource, context, services)
  if ('errorCode' in found) return { resourceType, resourceName, ...found }
  const keys = configurationKeys === null || configurationKeys.length === 0 ? null : new Set(configurationKeys)
  const configs = found.entries.filter(({ name }) => keys?.has(name) ?? true).map((entry) => shown(entry, request))
  return { resourceType, resourceName, configs }
}

type Found = { readonly entries: readonly ConfigEntry[] } | { readonly errorCode: number; readonly errorMessage: string | null }

function entriesOf({ resourceType, resourceName }: Resource, context: RequestContext, services: NodeServices): Found {
  const resource = aclResourceOf(resourceType, resourceName)
  if (!services.authorizer.authorize(context, 'DescribeConfigs', resource)) return denied(resource)
  if (resourceType === TOPIC) return topicEntries(resourceName, services)
  if (resourceType === BROKER) return brokerEntries(resourceName, services)
  if (resourceType === BROKER_LOGGER) return loggerEntries(resourceName, services)
  if (resourceType === GROUP) {
    if (resourceName === '') return invalid('the name of a group is missing')
    return { entries: describeGroupConfig(resourceName, services) }
  }
  return invalid(`Unsupported resource type: ${resourceType}`)
}

function topicEntries(name: string, services: NodeServices): Found {
  if (!isTopicName(name)) return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: `'${name}' is no topic name` }
  if (!services.image().topics.byName.has(name)) return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null }
  return { entries: describeTopicConfig(name, services) }
}

function brokerEntries(name: string, services: NodeServices): Found {
  if (name === '' || name === String(services.nodeId)) return { entries: describeBrokerConfig(name, services) }
  return wrongNode(name, services)
}

function loggerEntries(name: string, services: NodeServices): Found {
  if (name === '') return invalid('Broker id must not be empty')
  if (name === String(services.nodeId)) return { entries: describeLoggers(services.loggers) }
  return wrongNode(name, services)
}

function wrongNode(name: string, services: NodeServices): Found {
  if (!/^\d+$/.test(name)) return invalid(`Broker id must be an integer, but it is: ${name}`)
  return invalid(`Unexpected broker id, expected ${services.nodeId} or empty string, but received ${name}`)
}

function invalid(errorMessage: string): Found {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
}

function denied({ type }: AclResource): Found {
  if (type === 'Topic') return { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, errorMessage: null }
  if (type === 'Group') return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, errorMessage: null }
  return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null }
}

/** Who may see a resource's configuration: topics and groups by name, the rest with the cluster. */
function aclResourceOf(resourceType: number, name: string): AclResource {
  if (resourceType === TOPIC) return { type: 'Topic', name }
  return resourceType === GROUP ? { type: 'Group', name } : CLUSTER_RESOURCE
}

function shown(entry: ConfigEntry, request: DescribeConfigsRequest): Entry {
  const { synonyms, documentation, ...rest } = entry
  return {
    ...rest,
    synonyms: request.includeSynonyms ? synonyms : [],
    documentation: request.includeDocumentation ? documentation : null,
  }
}
