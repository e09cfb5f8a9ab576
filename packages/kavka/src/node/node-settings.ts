import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import {
  describeConfigError, layoutOf, loadBrokerConfig, parseProperties, propertiesOfEnvironment,
} from '@kavka/kernel'
import type { BrokerConfig, ConfigError, NodeLayout } from '@kavka/kernel'
import { UsageError } from '../usage-error.ts'

/** Everything a node needs to know before it starts, checked. */
export interface NodeSettings {
  readonly config: BrokerConfig
  /** The keys that were set, with their text. */
  readonly explicit: ReadonlyMap<string, string>
  readonly layout: NodeLayout
  readonly clusterId: string
  readonly warnings: readonly string[]
}

/** Where properties come from, weakest first: file, environment, `--override`. */
export interface SettingsSources {
  readonly file: string | null
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `key=value` */
  readonly overrides: readonly string[]
}

/** Reads and checks the settings of a node; throws UsageError with every problem, a line each. */
export function readNodeSettings(sources: SettingsSources): NodeSettings {
  const properties = new Map([
    ...(sources.file === null ? [] : readPropertiesFile(sources.file)),
    ...propertiesOfEnvironment(sources.environment),
    ...sources.overrides.map(parseOverride),
  ])
  return settingsOf(properties)
}

/** The same from properties at hand. */
export function settingsOf(properties: ReadonlyMap<string, string>): NodeSettings {
  const loaded = loadBrokerConfig(properties)
  if (!loaded.ok) throw refusal(loaded.error)
  const { config, explicit, warnings } = loaded.value
  const layout = layoutOf(config, hostname())
  if (!layout.ok) throw refusal(layout.error)
  const clusterId = config.kavkaClusterId ?? clusterIdOf(config.controllerQuorumVoters)
  return { config, explicit, layout: layout.value, clusterId, warnings }
}

/** Nodes that name the same voters form one cluster without a format step: the id follows from the list. */
export function clusterIdOf(voters: readonly string[]): string {
  return createHash('sha256').update(voters.toSorted().join(',')).digest('base64url').slice(0, 22)
}

function readPropertiesFile(path: string): ReadonlyMap<string, string> {
  try {
    return parseProperties(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`kavka: cannot read ${path}: ${(error as Error).message}`)
  }
}

function parseOverride(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`kavka: --override ${text} must look like key=value`)
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

function refusal(errors: readonly ConfigError[]): UsageError {
  return new UsageError(errors.map((error) => `kavka: ${describeConfigError(error)}`).join('\n'))
}
