/** The entries of a topic, a broker, the loggers of a broker and a group; derived from the declared configuration. */
import { brokerConfigKeys, brokerSynonymsOf, resolveTopicConfig, rowsOf, topicConfigKeys } from '@kavka/kernel'
import type { AnyConfigKey, BrokerConfig } from '@kavka/kernel'
import { groupConfigKeys, resourceKey } from '@kavka/controller'
import type { ConfigResourceType, MetadataImage } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'
import { configEntry, ConfigSource, configTypeCode } from './config-entry.ts'
import type { ConfigEntry, SourcedValue } from './config-entry.ts'
import type { LoggerLevels } from './logger-levels.ts'

/** What a node knows of its own configuration. */
export interface ConfigView {
  readonly nodeId: NodeId
  readonly config: BrokerConfig
  readonly explicitConfig: ReadonlyMap<string, string>
  image(): MetadataImage
}

const brokerRows: readonly AnyConfigKey[] = rowsOf(brokerConfigKeys).map(([, row]) => row)
const brokerRowByName: ReadonlyMap<string, AnyConfigKey> = new Map(brokerRows.map((row) => [row.name, row]))

/** Topic override, then the broker keys that give the default, then that of the topic key. */
export function describeTopicConfig(topic: string, view: ConfigView): ConfigEntry[] {
  const overrides = overridesOf(view.image(), 2, topic)
  const inForce = resolveTopicConfig(view.config, dynamicDefaults(view.image()), overrides) as Readonly<Record<string, unknown>>
  return rowsOf(topicConfigKeys).map(([property, row]) => {
    const own = overrides.get(row.name)
    const inherited = placesOfTopicDefault(row, view)
    const places = own === undefined ? inherited : [{ name: row.name, value: own, source: ConfigSource.DYNAMIC_TOPIC }, ...inherited]
    const entry = configEntry(row, places, 'dynamic')
    // Broker keys may be in other units (hours): what the topic obeys is printed in the unit of its own key.
    return { ...entry, value: own ?? row.format(inForce[property]) }
  })
}

/** Broker keys that give a topic key its default; of several (ms, minutes, hours) only the first one's own default counts, as in Kafka. */
function placesOfTopicDefault(row: AnyConfigKey, view: ConfigView): SourcedValue[] {
  const brokerKeys = brokerSynonymsOf(row.name)
  if (brokerKeys.length === 0) return [{ name: row.name, value: row.format(row.default), source: ConfigSource.DEFAULT }]
  return brokerKeys.flatMap((name, index) =>
    placesOfBrokerKey(name, view).filter(({ source }) => index === 0 || source !== ConfigSource.DEFAULT),
  )
}

/** `name` '' is the default of all brokers: only what was set there. */
export function describeBrokerConfig(name: string, view: ConfigView): ConfigEntry[] {
  if (name === '') return describeBrokerDefaults(view)
  return brokerRows.map((row) => {
    return configEntry(row, placesOfBrokerKey(row.name, view), row.scope === 'read-only' ? 'read-only' : 'dynamic')
  })
}

function describeBrokerDefaults(view: ConfigView): ConfigEntry[] {
  const entries: ConfigEntry[] = []
  for (const [name, value] of dynamicDefaults(view.image())) {
    const row = brokerRowByName.get(name)
    if (row === undefined) continue
    entries.push(configEntry(row, [{ name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER }], 'dynamic'))
  }
  return entries
}

/** Every place where a broker key is set, strongest first; its default last when it has one. */
function placesOfBrokerKey(name: string, view: ConfigView): SourcedValue[] {
  const { nodeId, explicitConfig } = view
  const image = view.image()
  const row = brokerRowByName.get(name)
  const places: SourcedValue[] = []
  const add = (value: string | null | undefined, source: SourcedValue['source']): void => {
    if (value !== undefined) places.push({ name, value, source })
  }
  add(overridesOf(image, 4, String(nodeId)).get(name), ConfigSource.DYNAMIC_BROKER)
  add(dynamicDefaults(image).get(name), ConfigSource.DYNAMIC_DEFAULT_BROKER)
  add(explicitConfig.get(name), ConfigSource.STATIC_BROKER)
  if (row?.default !== undefined && row.default !== null) add(row.format(row.default), ConfigSource.DEFAULT)
  return places
}

export function describeLoggers(loggers: LoggerLevels): ConfigEntry[] {
  return Array.from(loggers.levels(), ([name, value]) => ({
    name, value, readOnly: false, isSensitive: false, configSource: ConfigSource.DYNAMIC_BROKER_LOGGER, synonyms: [],
    configType: 2, documentation: '',
  }))
}

export function describeGroupConfig(group: string, view: ConfigView): ConfigEntry[] {
  const overrides = overridesOf(view.image(), 32, group)
  return groupConfigKeys.map(({ name, type, default: initial }) => {
    const own = overrides.get(name)
    const synonyms: SourcedValue[] = [{ name, value: initial, source: ConfigSource.DEFAULT }]
    if (own !== undefined) synonyms.unshift({ name, value: own, source: ConfigSource.GROUP })
    return {
      name, value: own ?? initial, readOnly: false, isSensitive: false, configSource: synonyms[0]!.source, synonyms,
      configType: configTypeCode(type), documentation: '',
    }
  })
}

const NO_OVERRIDES: ReadonlyMap<string, string> = new Map()

function overridesOf(image: MetadataImage, type: ConfigResourceType, name: string): ReadonlyMap<string, string> {
  return image.configs.get(resourceKey(type, name)) ?? NO_OVERRIDES
}

function dynamicDefaults(image: MetadataImage): ReadonlyMap<string, string> {
  return overridesOf(image, 4, '')
}
