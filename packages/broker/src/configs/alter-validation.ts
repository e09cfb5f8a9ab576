/** What a node refuses of a change to configurations before the controller is asked: unknown or read-only keys, values that do not parse. */
import { brokerConfigKeys, rowsOf } from '@kavka/kernel'
import type { AnyConfigKey } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import { LoggerLevels, ROOT_LOGGER } from './logger-levels.ts'

/** Operations of IncrementalAlterConfigs (KIP-339). */
export const ConfigOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

export interface ConfigChange {
  readonly name: string
  readonly operation: number
  readonly value: string | null
}

export interface ConfigRefusal {
  readonly errorCode: number
  readonly errorMessage: string
}

const brokerRowByName: ReadonlyMap<string, AnyConfigKey> = new Map(rowsOf(brokerConfigKeys).map(([, row]) => [row.name, row]))

/** `target`: one broker, or the default of all, where keys that only make sense for one may not be set. */
export function refusalOfBrokerChanges(
  target: 'one-broker' | 'all-brokers',
  changes: readonly ConfigChange[],
): ConfigRefusal | null {
  const readOnly = changes.filter(({ name }) => brokerRowByName.get(name)?.scope === 'read-only').map(({ name }) => name)
  if (readOnly.length > 0) return invalidRequest(`Cannot update these configs dynamically: ${readOnly.join(', ')}`)
  const ownOnly = changes.filter(({ name }) => brokerRowByName.get(name)?.scope === 'per-broker').map(({ name }) => name)
  if (target === 'all-brokers' && ownOnly.length > 0) {
    return invalidRequest(`Cannot update these configs at default cluster level: ${ownOnly.join(', ')}`)
  }
  return firstBadValue(changes, brokerRowByName)
}

export function refusalOfLoggerChanges(changes: readonly ConfigChange[], loggers: LoggerLevels): ConfigRefusal | null {
  for (const { name, operation, value } of changes) {
    if (operation !== ConfigOperation.SET && operation !== ConfigOperation.DELETE) {
      return invalidRequest(`Operation ${operation} is not allowed for BROKER_LOGGER`)
    }
    if (!loggers.has(name)) return invalidConfig(`Logger ${name} does not exist`)
    if (operation === ConfigOperation.DELETE && name === ROOT_LOGGER) {
      return invalidRequest(`Removing the log level of the ${ROOT_LOGGER} logger is not allowed`)
    }
    if (operation === ConfigOperation.SET && !LoggerLevels.isLevel(value ?? '')) {
      return invalidConfig(`Cannot set the log level of ${name} to ${value}`)
    }
  }
  return null
}

/** Keys that are not declared pass: Kafka keeps what it does not know (other components read it). */
function firstBadValue(changes: readonly ConfigChange[], rows: ReadonlyMap<string, AnyConfigKey>): ConfigRefusal | null {
  for (const { name, operation, value } of changes) {
    const row = rows.get(name)
    if (row === undefined || operation === ConfigOperation.DELETE) continue
    if (value === null) return invalidRequest(`Null value not supported for ${name}`)
    const isList = operation === ConfigOperation.APPEND || operation === ConfigOperation.SUBTRACT
    if (isList && row.type !== 'LIST') return invalidConfig(`Config value append is not allowed for config key: ${name}`)
    const parsed = row.parse(value)
    if (!parsed.ok) return invalidConfig(`Invalid value ${value} for configuration ${name}: ${parsed.error}`)
  }
  return null
}

function invalidRequest(errorMessage: string): ConfigRefusal {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
}

function invalidConfig(errorMessage: string): ConfigRefusal {
  return { errorCode: ErrorCode.INVALID_CONFIG, errorMessage }
}
