/**
 * Which dynamic configs a resource may have, and of what form. Declarations come from the kernel's tables and
 * from `group-config-keys.ts`.
 */
import { brokerConfigKeys, rowsOf, topicConfigKey, validateTopicConfig } from '@kavka/kernel'
import type { AnyConfigKey } from '@kavka/kernel'
import type { ConfigResourceType } from '../image.ts'
import { groupConfigKey, validateGroupConfig } from './group-config-keys.ts'

export const ResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const

const brokerRows: ReadonlyMap<string, AnyConfigKey> = new Map(
  rowsOf(brokerConfigKeys).map(([, row]) => [row.name, row]),
)
const clientMetricsLists: ReadonlySet<string> = new Set(['metrics', 'match'])

/** APPEND and SUBTRACT are for lists only. */
export function isListConfig(type: ConfigResourceType, name: string): boolean {
  switch (type) {
    case ResourceType.TOPIC:
      return topicConfigKey(name)?.type === 'LIST'
    case ResourceType.BROKER:
      return brokerRows.get(name)?.type === 'LIST'
    case ResourceType.GROUP:
      return groupConfigKey(name)?.type === 'LIST'
    case ResourceType.CLIENT_METRICS:
      return clientMetricsLists.has(name)
    case ResourceType.BROKER_LOGGER:
      return false
  }
}

/** Elements when there is no override to append to or subtract from. */
export function defaultListText(type: ConfigResourceType, name: string): string {
  const row =
    type === ResourceType.TOPIC
      ? topicConfigKey(name)
      : type === ResourceType.BROKER
        ? brokerRows.get(name)
        : null
  return row?.default === undefined || row === null || row === undefined
    ? ''
    : (row.format(row.default) ?? '')
}

/** The sentence that says why the value may not be set; null when it may. */
export function problemOfConfig(
  type: ConfigResourceType,
  resource: string,
  name: string,
  value: string,
): string | null {
  switch (type) {
    case ResourceType.TOPIC:
      return validateTopicConfig(name, value)
    case ResourceType.BROKER:
      return problemOfBrokerConfig(resource, name, value)
    case ResourceType.GROUP:
      return validateGroupConfig(name, value)
    case ResourceType.CLIENT_METRICS:
      return problemOfClientMetrics(name, value)
    case ResourceType.BROKER_LOGGER:
      return 'Log levels are kept by each broker for itself.'
  }
}

/** A key that brokers do not know is kept, as Kafka keeps it: plug-ins have keys of their own. */
function problemOfBrokerConfig(resource: string, name: string, value: string): string | null {
  const row = brokerRows.get(name)
  if (row === undefined) return null
  if (row.scope === 'read-only') return `Cannot update these configs dynamically: ${name}`
  if (row.scope === 'per-broker' && resource === '') {
    return `Cannot update these configs at default cluster level, they must be set per broker: ${name}`
  }
  const parsed = row.parse(value)
  return parsed.ok ? null : `Invalid value ${value} for configuration ${name}: ${parsed.error}`
}

const INTERVAL_MS_MIN = 100
const INTERVAL_MS_MAX = 3_600_000

/** KIP-714 subscriptions: what to push, how often, who. */
function problemOfClientMetrics(name: string, value: string): string | null {
  switch (name) {
    case 'metrics':
      return null
    case 'interval.ms': {
      const interval = Number(value)
      const inRange = Number.isInteger(interval) && interval >= INTERVAL_MS_MIN && interval <= INTERVAL_MS_MAX
      return inRange
        ? null
        : `Invalid value ${value} for interval.ms, interval must be between ${INTERVAL_MS_MIN} and ${INTERVAL_MS_MAX}`
    }
    case 'match':
      return problemOfMatch(value)
    default:
      return `Unknown client metrics configuration: ${name}`
  }
}

const matchKeys: ReadonlySet<string> = new Set([
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
])

function problemOfMatch(value: string): string | null {
  for (const pattern of value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')) {
    const separator = pattern.indexOf('=')
    const key = pattern.slice(0, separator).trim()
    if (separator < 0 || !matchKeys.has(key)) return `Illegal client matching pattern: ${pattern}`
    if (!isRegularExpression(pattern.slice(separator + 1).trim()))
      return `Illegal client matching pattern: ${pattern}`
  }
  return null
}

function isRegularExpression(text: string): boolean {
  try {
    return new RegExp(text).source !== ''
  } catch {
    return false
  }
}
