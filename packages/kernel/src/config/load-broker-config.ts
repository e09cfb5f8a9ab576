import { failure, success } from '../result.ts'
import type { Result } from '../result.ts'
import { brokerConfigKeys } from './broker-keys.ts'
import type { BrokerConfig } from './broker-keys.ts'
import type { ConfigError } from './config-error.ts'
import { rowsOf } from './config-table.ts'
import { keysWithoutEffect } from './keys-without-effect.ts'

export interface LoadedBrokerConfig {
  readonly config: BrokerConfig
  /** Keys that were set, with their text: what DescribeConfigs reports as static. */
  readonly explicit: ReadonlyMap<string, string>
  /** One line for each key that has no effect. */
  readonly warnings: readonly string[]
}

/** Reads the properties of a node; every wrong value is reported, not only the first. */
export function loadBrokerConfig(
  properties: ReadonlyMap<string, string>,
): Result<LoadedBrokerConfig, readonly ConfigError[]> {
  const errors: ConfigError[] = []
  const values = new Map<string, unknown>()
  const explicit = new Map<string, string>()
  for (const [property, row] of rowsOf(brokerConfigKeys)) {
    const text = properties.get(row.name)
    if (text === undefined) {
      if (row.default === undefined) errors.push({ key: row.name, value: null, problem: `must be set. ${row.doc}` })
      values.set(property, row.default)
      continue
    }
    const parsed = row.parse(text)
    if (parsed.ok) values.set(property, parsed.value)
    else errors.push({ key: row.name, value: text, problem: withAllowed(parsed.error, row.allowed) })
    explicit.set(row.name, text)
  }
  if (errors.length > 0) return failure(errors)
  const config = Object.fromEntries(values) as BrokerConfig
  const contradictions = contradictionsOf(config)
  if (contradictions.length > 0) return failure(contradictions)
  return success({ config, explicit, warnings: warningsFor(properties) })
}

function withAllowed(problem: string, allowed: string): string {
  return allowed === '' ? problem : `${problem} (allowed: ${allowed})`
}

function contradictionsOf(config: BrokerConfig): ConfigError[] {
  const errors: ConfigError[] = []
  if (config.brokerId !== null && config.brokerId >= 0 && config.brokerId !== config.nodeId) {
    errors.push({ key: 'broker.id', value: String(config.brokerId), problem: `it must equal node.id=${config.nodeId}` })
  }
  if (config.groupMinSessionTimeoutMs > config.groupMaxSessionTimeoutMs) {
    errors.push({
      key: 'group.min.session.timeout.ms',
      value: String(config.groupMinSessionTimeoutMs),
      problem: `it must not exceed group.max.session.timeout.ms=${config.groupMaxSessionTimeoutMs}`,
    })
  }
  if (config.brokerHeartbeatIntervalMs * 2 > config.brokerSessionTimeoutMs) {
    errors.push({
      key: 'broker.heartbeat.interval.ms',
      value: String(config.brokerHeartbeatIntervalMs),
      problem: `it must be at most half of broker.session.timeout.ms=${config.brokerSessionTimeoutMs}`,
    })
  }
  return errors
}

function warningsFor(properties: ReadonlyMap<string, string>): string[] {
  const known = new Set(rowsOf(brokerConfigKeys).map(([, row]) => row.name))
  const warnings: string[] = []
  for (const key of properties.keys()) {
    if (known.has(key)) continue
    if (keysWithoutEffect.has(key)) warnings.push(`${key} is accepted for compatibility and has no effect in Kavka`)
    else warnings.push(`${key} is not a configuration key that Kafka or Kavka knows; it is ignored`)
  }
  return warnings
}
