/** What a node says of itself when it registers. */
import type { BrokerConfig, ListenerLayout, Random } from '@kavka/kernel'
import { supportedFeatures } from '@kavka/controller'
import { isReservedUuid, uuidFromBytes } from '@kavka/protocol'
import type { BrokerRegistrationRequest, ControllerRegistrationRequest, Encodable, Uuid } from '@kavka/protocol'

const securityProtocolCodes = { PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3 } as const

type RegisteredListener = NonNullable<Encodable<BrokerRegistrationRequest>['listeners']>[number]
type RegisteredFeature = NonNullable<Encodable<BrokerRegistrationRequest>['features']>[number]

/** Fresh at each start of the process. */
export function newIncarnationId(random: Random): Uuid {
  for (;;) {
    const id = uuidFromBytes(Buffer.from(random.bytes(16)))
    if (!isReservedUuid(id)) return id
  }
}

export interface BrokerRegistrationFacts {
  readonly config: BrokerConfig
  readonly clusterId: string
  readonly incarnationId: Uuid
  readonly listeners: readonly ListenerLayout[]
  readonly logDirs: readonly Uuid[]
  /** -1 after an unclean stop: this broker may lack what it had acknowledged (KIP-966). */
  readonly previousBrokerEpoch: number
}

/** `listeners` have the ports that are bound. */
export function brokerRegistration(facts: BrokerRegistrationFacts): Encodable<BrokerRegistrationRequest> {
  const { config, clusterId, incarnationId, listeners, logDirs, previousBrokerEpoch } = facts
  return {
    brokerId: config.nodeId,
    clusterId,
    incarnationId,
    listeners: registeredListeners(listeners, 'broker'),
    features: registeredFeatures(),
    rack: config.brokerRack,
    logDirs: logDirs.toSorted(),
    previousBrokerEpoch,
  }
}

export function controllerRegistration(
  controllerId: number,
  incarnationId: Uuid,
  listeners: readonly ListenerLayout[],
): Encodable<ControllerRegistrationRequest> {
  return { controllerId, incarnationId, zkMigrationReady: false, listeners: registeredListeners(listeners, 'controller'), features: registeredFeatures() }
}

function registeredListeners(listeners: readonly ListenerLayout[], role: 'broker' | 'controller'): RegisteredListener[] {
  return listeners
    .filter((listener) => listener.role === role)
    .map(({ name, advertisedHost, advertisedPort, securityProtocol }) => ({
      name, host: advertisedHost, port: advertisedPort, securityProtocol: securityProtocolCodes[securityProtocol],
    }))
}

function registeredFeatures(): RegisteredFeature[] {
  return supportedFeatures.map(({ name, min, max }) => ({ name, minSupportedVersion: min, maxSupportedVersion: max }))
}
