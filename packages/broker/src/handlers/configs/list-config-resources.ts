/** ListConfigResources 0–1 (KIP-1142): names of what may be configured. v0 lists client metrics subscriptions alone; there are none. */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { Encodable, ListConfigResourcesRequest, ListConfigResourcesResponse } from '@kavka/protocol'
import { CLUSTER_RESOURCE } from '../../security/authorizer.ts'
import type { ApiHandler } from '../handler.ts'
import type { BrokerServices } from '../services.ts'

type Resource = Encodable<ListConfigResourcesResponse['configResources'][number]>

const TOPIC = 2
const BROKER = 4
const BROKER_LOGGER = 8
const CLIENT_METRICS = 16
const GROUP = 32
const ALL_TYPES: readonly number[] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP]

export const listConfigResourcesHandler: ApiHandler<ListConfigResourcesRequest, ListConfigResourcesResponse, BrokerServices> = {
  apiKey: ApiKey.ListConfigResources,
  versions: [0, 1],
  handle(request, context, services) {
    if (!services.authorizer.authorize(context, 'DescribeConfigs', CLUSTER_RESOURCE)) {
      return { kind: 'response', body: { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED } }
    }
    const asked = context.apiVersion === 0 ? [CLIENT_METRICS] : request.resourceTypes
    const types = new Set(asked.length === 0 ? ALL_TYPES : asked)
    if ([...types].some((type) => !ALL_TYPES.includes(type))) {
      return { kind: 'response', body: { errorCode: ErrorCode.UNSUPPORTED_VERSION } }
    }
    return { kind: 'response', body: { configResources: [...types].flatMap((type) => resourcesOf(type, services)) } }
  },
}

function resourcesOf(resourceType: number, services: BrokerServices): Resource[] {
  return namesOf(resourceType, services).map((resourceName) => ({ resourceName, resourceType }))
}

function namesOf(type: number, services: BrokerServices): string[] {
  const { topics, brokers, configs } = services.image()
  if (type === TOPIC) return [...topics.byName.keys()]
  if (type === BROKER || type === BROKER_LOGGER) return Array.from(brokers.keys(), String)
  const prefix = `${type}:`
  return [...configs.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
}
