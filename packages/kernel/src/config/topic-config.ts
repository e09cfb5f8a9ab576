import { assert } from '../assert.ts'
import type { BrokerConfig } from './broker-keys.ts'
import { brokerConfigKeys } from './broker-keys.ts'
import type { AnyConfigKey, ConfigValues } from './config-table.ts'
import { rowsOf } from './config-table.ts'
import { topicConfigKeys } from './topic-keys.ts'

/** What a topic obeys: its own overrides, else the brokers' defaults. */
export type TopicConfig = ConfigValues<typeof topicConfigKeys>

/** Topic key → the broker keys that give its default, the first one that is set wins. Factor: unit of the broker key in milliseconds. */
const brokerSynonyms: ReadonlyMap<string, ReadonlyArray<readonly [key: string, factor: number]>> = new Map([
  ['cleanup.policy', [['log.cleanup.policy', 1]]],
  ['compression.type', [['compression.type', 1]]],
  ['compression.gzip.level', [['compression.gzip.level', 1]]],
  ['compression.lz4.level', [['compression.lz4.level', 1]]],
  ['compression.zstd.level', [['compression.zstd.level', 1]]],
  ['delete.retention.ms', [['log.cleaner.delete.retention.ms', 1]]],
  ['file.delete.delay.ms', [['log.segment.delete.delay.ms', 1]]],
  ['flush.messages', [['log.flush.interval.messages', 1]]],
  ['flush.ms', [['log.flush.interval.ms', 1], ['log.flush.scheduler.interval.ms', 1]]],
  ['index.interval.bytes', [['log.index.interval.bytes', 1]]],
  ['max.compaction.lag.ms', [['log.cleaner.max.compaction.lag.ms', 1]]],
  ['max.message.bytes', [['message.max.bytes', 1]]],
  ['message.timestamp.after.max.ms', [['log.message.timestamp.after.max.ms', 1]]],
  ['message.timestamp.before.max.ms', [['log.message.timestamp.before.max.ms', 1]]],
  ['message.timestamp.type', [['log.message.timestamp.type', 1]]],
  ['min.compaction.lag.ms', [['log.cleaner.min.compaction.lag.ms', 1]]],
  ['min.insync.replicas', [['min.insync.replicas', 1]]],
  ['preallocate', [['log.preallocate', 1]]],
  ['retention.bytes', [['log.retention.bytes', 1]]],
  ['retention.ms', [['log.retention.ms', 1], ['log.retention.minutes', 60_000], ['log.retention.hours', 3_600_000]]],
  ['segment.bytes', [['log.segment.bytes', 1]]],
  ['segment.index.bytes', [['log.index.size.max.bytes', 1]]],
  ['segment.jitter.ms', [['log.roll.jitter.ms', 1], ['log.roll.jitter.hours', 3_600_000]]],
  ['segment.ms', [['log.roll.ms', 1], ['log.roll.hours', 3_600_000]]],
  ['unclean.leader.election.enable', [['unclean.leader.election.enable', 1]]],
] as const)

const topicRows = rowsOf(topicConfigKeys)
const topicRowByName: ReadonlyMap<string, AnyConfigKey> = new Map(topicRows.map(([, row]) => [row.name, row]))
const brokerRowByName: ReadonlyMap<string, readonly [string, AnyConfigKey]> = new Map(
  rowsOf(brokerConfigKeys).map(([property, row]) => [row.name, [property, row]]),
)

/** Declaration of a topic key; null for a name that is none. */
export function topicConfigKey(name: string): AnyConfigKey | null {
  return topicRowByName.get(name) ?? null
}

/** Broker keys that give a topic key its default, most specific first. */
export function brokerSynonymsOf(topicKey: string): readonly string[] {
  return (brokerSynonyms.get(topicKey) ?? []).map(([key]) => key)
}

/** Null when the value may be set on a topic, else the sentence that says why not. */
export function validateTopicConfig(name: string, value: string): string | null {
  const row = topicRowByName.get(name)
  if (row === undefined) return `Unknown topic config name: ${name}`
  const parsed = row.parse(value)
  if (!parsed.ok) return `Invalid value ${value} for configuration ${name}: ${parsed.error}`
  if (name === 'remote.storage.enable' && parsed.value === true) {
    return `Invalid value ${value} for configuration ${name}: there is no remote tier`
  }
  return null
}

/**
 * Topic override → dynamic broker default → the broker's file → default. Overrides that do not parse (written by a newer version)
 * fall through to the broker's value.
 */
export function resolveTopicConfig(
  broker: BrokerConfig,
  dynamicBrokerDefaults: ReadonlyMap<string, string>,
  topicOverrides: ReadonlyMap<string, string>,
): TopicConfig {
  const values: Record<string, unknown> = {}
  for (const [property, row] of topicRows) {
    values[property] = overrideOf(row, topicOverrides) ?? brokerValueOf(row, broker, dynamicBrokerDefaults) ?? row.default
    assert(values[property] !== undefined, 'a topic key has no default', { key: row.name })
  }
  return values as TopicConfig
}

function overrideOf(row: AnyConfigKey, overrides: ReadonlyMap<string, string>): unknown {
  const text = overrides.get(row.name)
  if (text === undefined) return undefined
  const parsed = row.parse(text)
  return parsed.ok ? parsed.value : undefined
}

function brokerValueOf(row: AnyConfigKey, broker: BrokerConfig, dynamic: ReadonlyMap<string, string>): unknown {
  for (const [key, factor] of brokerSynonyms.get(row.name) ?? []) {
    const [property, brokerRow] = brokerRowByName.get(key)!
    const value = overrideOf(brokerRow, dynamic) ?? broker[property as keyof BrokerConfig]
    if (value === null || value === undefined) continue
    return factor === 1 ? value : (value as number) < 0 ? -1 : (value as number) * factor
  }
  return undefined
}
