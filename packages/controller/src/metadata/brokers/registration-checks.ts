/** What brokers and controllers register with, checked and brought into our form. */
import { ErrorCode } from '@kavka/protocol'
import type { Uuid } from '@kavka/protocol'
import type { ApiError } from '../decision.ts'
import { apiError } from '../decision.ts'
import { isReservedDirectory } from '../directories.ts'
import type { BrokerRegistration, Endpoint } from '../image.ts'
import type { SupportedFeature } from '../records.ts'

const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const

interface WireListener {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly securityProtocol: number
}

interface WireFeature {
  readonly name: string
  readonly minSupportedVersion: number
  readonly maxSupportedVersion: number
}

/** Null: a security protocol that does not exist. */
export function endpointsOf(listeners: readonly WireListener[]): readonly Endpoint[] | null {
  const endpoints: Endpoint[] = []
  for (const { name, host, port, securityProtocol } of listeners) {
    const protocol = securityProtocols[securityProtocol]
    if (protocol === undefined) return null
    endpoints.push({ listener: name, host, port, securityProtocol: protocol })
  }
  return endpoints
}

export function featuresOf(features: readonly WireFeature[]): SupportedFeature[] {
  return features.map(({ name, minSupportedVersion: min, maxSupportedVersion: max }) => ({ name, min, max }))
}

/**
 * Every finalized level must be within what the node can do; a feature that it does not name it has at level
 * 0 only.
 */
export function checkFeatures(
  finalized: ReadonlyMap<string, number>,
  supported: readonly SupportedFeature[],
): ApiError | null {
  if (supported.some(({ min, max }) => min < 0 || max < min))
    return apiError(ErrorCode.INVALID_REGISTRATION, 'A feature has an impossible range.')
  for (const [name, level] of finalized) {
    const { min, max } = supported.find((feature) => feature.name === name) ?? { min: 0, max: 0 }
    if (level >= min && level <= max) continue
    return apiError(
      ErrorCode.UNSUPPORTED_VERSION,
      `Unable to register because the node does not support finalized version ${level} of ${name}: it wants ${min} to ${max}.`,
    )
  }
  return null
}

/** Directory ids are unique in the whole cluster: a copied log directory must not be taken for two. */
export function checkLogDirs(
  brokerId: number,
  logDirs: readonly Uuid[],
  others: Iterable<BrokerRegistration>,
): ApiError | null {
  const invalid = (message: string): ApiError => apiError(ErrorCode.INVALID_REGISTRATION, message)
  if (logDirs.some((id) => isReservedDirectory(id))) return invalid('A reserved directory id is in the request.')
  if (new Set(logDirs).size !== logDirs.length) return invalid('A directory id is in the request twice.')
  for (const other of others) {
    const shared = other.id === brokerId ? undefined : logDirs.find((id) => other.logDirs.includes(id))
    if (shared !== undefined)
      return invalid(`Broker ${other.id} is already registered with directory ${shared}.`)
  }
  return null
}
