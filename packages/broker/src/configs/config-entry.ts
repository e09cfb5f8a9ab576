/** One line of DescribeConfigs and how it follows from a declaration and the places where a value may be set. */
import type { AnyConfigKey, ConfigType } from '@kavka/kernel'

/** Codes of KIP-226 and later. */
export const ConfigSource = {
  DYNAMIC_TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  DYNAMIC_BROKER_LOGGER: 6,
  CLIENT_METRICS: 7,
  GROUP: 8,
} as const

export type ConfigSourceCode = (typeof ConfigSource)[keyof typeof ConfigSource]

const codeByType: Readonly<Record<ConfigType, number>> = {
  BOOLEAN: 1, STRING: 2, INT: 3, SHORT: 4, LONG: 5, DOUBLE: 6, LIST: 7, CLASS: 8, PASSWORD: 9,
}

export function configTypeCode(type: ConfigType): number {
  return codeByType[type]
}

/** A value and where it comes from. */
export interface SourcedValue {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSourceCode
}

export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly isSensitive: boolean
  readonly configSource: ConfigSourceCode
  /** From the strongest place to the weakest; the first one is in force. */
  readonly synonyms: readonly SourcedValue[]
  readonly configType: number
  readonly documentation: string
}

/** `places`: where the key is set, strongest first, its default among them where it has one. */
export function configEntry(
  key: AnyConfigKey,
  places: readonly SourcedValue[],
  access: 'read-only' | 'dynamic',
): ConfigEntry {
  const isSensitive = key.type === 'PASSWORD'
  const all = places.map((place) => (isSensitive ? { ...place, value: null } : place))
  const inForce = all[0]
  return {
    name: key.name,
    value: inForce?.value ?? null,
    readOnly: access === 'read-only',
    isSensitive,
    configSource: inForce?.source ?? ConfigSource.DEFAULT,
    synonyms: all,
    configType: codeByType[key.type],
    documentation: key.doc,
  }
}
