/** The configuration that a topic will have, as CreateTopics v5+ reports it. */
import { brokerSynonymsOf, resolveTopicConfig, rowsOf, topicConfigKeys } from '@kavka/kernel'
import type { AnyConfigKey } from '@kavka/kernel'
import type { DecisionContext } from '../decision.ts'
import { clusterOverrides } from './effective.ts'

/** Codes of the protocol. */
const ConfigSource = { DYNAMIC_TOPIC: 1, DYNAMIC_DEFAULT_BROKER: 3, STATIC_BROKER: 4, DEFAULT: 5 } as const

export interface TopicConfigValue {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isSensitive: boolean
}

export function topicConfigValues(
  { image, settings }: DecisionContext,
  overrides: ReadonlyMap<string, string>,
): TopicConfigValue[] {
  const cluster = clusterOverrides(image)
  const values = resolveTopicConfig(settings.config, cluster, overrides) as unknown as Readonly<
    Record<string, unknown>
  >
  return rowsOf(topicConfigKeys).map(([property, key]) => ({
    name: key.name,
    value: key.format(values[property]),
    readOnly: false,
    configSource: sourceOf(key, values[property], overrides, cluster),
    isSensitive: false,
  }))
}

function sourceOf(
  key: AnyConfigKey,
  value: unknown,
  overrides: ReadonlyMap<string, string>,
  cluster: ReadonlyMap<string, string>,
): number {
  if (overrides.has(key.name)) return ConfigSource.DYNAMIC_TOPIC
  if (brokerSynonymsOf(key.name).some((synonym) => cluster.has(synonym)))
    return ConfigSource.DYNAMIC_DEFAULT_BROKER
  return key.format(value) === key.format(key.default) ? ConfigSource.DEFAULT : ConfigSource.STATIC_BROKER
}
