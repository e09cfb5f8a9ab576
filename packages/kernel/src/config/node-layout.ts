import { failure, success } from '../result.ts'
import type { Result } from '../result.ts'
import type { BrokerConfig } from './broker-keys.ts'
import type { ConfigError } from './config-error.ts'
import { parseListener, parseProtocolMap, parseVoter } from './listeners.ts'
import type { ListenerAddress, QuorumVoter, SecurityProtocol } from './listeners.ts'

/** One listener of this node: where it binds, what others are told, what it is for. */
export interface ListenerLayout {
  readonly name: string
  readonly bindHost: string
  readonly bindPort: number
  /** Port 0 here means: the port that was bound. */
  readonly advertisedHost: string
  readonly advertisedPort: number
  readonly securityProtocol: SecurityProtocol
  readonly role: 'broker' | 'controller'
}

/** What the listener, role and quorum keys say together, checked against each other. */
export interface NodeLayout {
  readonly isBroker: boolean
  readonly isController: boolean
  readonly listeners: readonly ListenerLayout[]
  /** Name of the listener that carries replication. */
  readonly interBrokerListener: string
  /** First of controller.listener.names: how this node reaches controllers. */
  readonly controllerListener: string
  readonly voters: readonly QuorumVoter[]
  readonly dataDirectories: readonly string[]
  readonly metadataDirectory: string
  readonly http: { readonly host: string; readonly port: number }
}

const ANY_HOSTS = new Set(['', '0.0.0.0', '::'])

/** Derives the layout; every contradiction is reported with its key. */
export function layoutOf(config: BrokerConfig, localHostName: string): Result<NodeLayout, readonly ConfigError[]> {
  const errors: ConfigError[] = []
  const report = (key: string, value: string | null, problem: string): void => {
    errors.push({ key, value, problem })
  }
  const bound = parseAddresses('listeners', config.listeners, report)
  const advertised = parseAddresses('advertised.listeners', config.advertisedListeners, report)
  const voters = parseVoters(config, report)
  const protocols = parseProtocolMap(config.listenerSecurityProtocolMap)
  if (!protocols.ok) report('listener.security.protocol.map', config.listenerSecurityProtocolMap, protocols.error)
  if (errors.length > 0 || !protocols.ok) return failure(errors)

  const names = controllerNames(config)
  const isController = config.processRoles.includes('controller')
  const interBrokerListener = (config.interBrokerListenerName ?? config.securityInterBrokerProtocol).toUpperCase()
  const listeners = bound.map((address) =>
    listenerLayout(address, advertised.find((one) => one.name === address.name), names, protocols.value, localHostName),
  )
  checkAdvertised(advertised, bound, names, report)
  checkRoles(config, listeners, interBrokerListener, voters, report)
  checkSecurity(listeners, report)
  if (errors.length > 0) return failure(errors)
  const dataDirectories = (config.logDirs.length > 0 ? config.logDirs : config.logDir).map(trimSlash)
  return success({
    isBroker: config.processRoles.includes('broker'),
    isController,
    listeners,
    interBrokerListener,
    controllerListener: names[0]!,
    voters,
    dataDirectories,
    metadataDirectory: trimSlash(config.metadataLogDir ?? dataDirectories[0]!),
    http: httpAddress(config, bound),
  })
}

type Report = (key: string, value: string | null, problem: string) => void

function trimSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path
}

function controllerNames(config: BrokerConfig): readonly string[] {
  return config.controllerListenerNames.map((name) => name.toUpperCase())
}

function parseAddresses(key: string, texts: readonly string[], report: Report): ListenerAddress[] {
  const addresses: ListenerAddress[] = []
  for (const text of texts) {
    const parsed = parseListener(text)
    if (!parsed.ok) {
      report(key, texts.join(','), parsed.error)
      continue
    }
    const { name, port } = parsed.value
    if (addresses.some((one) => one.name === name)) report(key, texts.join(','), `listener ${name} is named twice`)
    if (key === 'listeners' && port !== 0 && addresses.some((one) => one.port === port && one.host === parsed.value.host)) {
      report(key, texts.join(','), `port ${port} is used twice`)
    }
    addresses.push(parsed.value)
  }
  return addresses
}

function parseVoters(config: BrokerConfig, report: Report): QuorumVoter[] {
  const text = config.controllerQuorumVoters.join(',')
  const voters: QuorumVoter[] = []
  for (const entry of config.controllerQuorumVoters) {
    const parsed = parseVoter(entry)
    if (!parsed.ok) report('controller.quorum.voters', text, parsed.error)
    else if (voters.some((voter) => voter.nodeId === parsed.value.nodeId)) {
      report('controller.quorum.voters', text, `node ${parsed.value.nodeId} is named twice`)
    } else voters.push(parsed.value)
  }
  if (config.controllerQuorumVoters.length === 0) {
    report('controller.quorum.voters', null, 'must be set: list the controllers as ID@HOST:PORT,…')
  }
  return voters
}

function listenerLayout(
  address: ListenerAddress,
  advertised: ListenerAddress | undefined,
  controllers: readonly string[],
  protocols: ReadonlyMap<string, SecurityProtocol>,
  localHostName: string,
): ListenerLayout {
  const role = controllers.includes(address.name) ? 'controller' : 'broker'
  const fallback = ANY_HOSTS.has(address.host) ? localHostName : address.host
  return {
    name: address.name,
    bindHost: address.host,
    bindPort: address.port,
    advertisedHost: advertised?.host ?? fallback,
    advertisedPort: advertised?.port ?? address.port,
    securityProtocol: protocols.get(address.name) ?? 'PLAINTEXT',
    role,
  }
}

function checkAdvertised(
  advertised: readonly ListenerAddress[],
  bound: readonly ListenerAddress[],
  controllers: readonly string[],
  report: Report,
): void {
  for (const { name, host, port } of advertised) {
    const text = `${name}://${host}:${port}`
    if (ANY_HOSTS.has(host)) {
      report(
        'advertised.listeners',
        text,
        `clients cannot connect to ${host === '' ? 'an empty host' : host}; write the name or address that they use to reach this ` +
          `machine, for example ${name}://${bound.find((one) => one.name === name)?.host === '127.0.0.1' ? '127.0.0.1' : 'broker1.example.com'}:${port}`,
      )
    }
    if (!bound.some((one) => one.name === name) && !controllers.includes(name)) {
      report('advertised.listeners', text, `listeners has no ${name} to be reached there`)
    }
  }
}

function checkRoles(
  config: BrokerConfig,
  listeners: readonly ListenerLayout[],
  interBrokerListener: string,
  voters: readonly QuorumVoter[],
  report: Report,
): void {
  const text = config.listeners.join(',')
  const isVoter = voters.some((voter) => voter.nodeId === config.nodeId)
  const hasController = listeners.some((one) => one.role === 'controller')
  if (config.processRoles.includes('controller')) {
    if (!isVoter) report('controller.quorum.voters', config.controllerQuorumVoters.join(','), `it must name this controller, node ${config.nodeId}`)
    if (!hasController) report('listeners', text, `a controller needs a listener of controller.listener.names (${config.controllerListenerNames.join(', ')})`)
  } else {
    if (isVoter) report('process.roles', config.processRoles.join(','), `node ${config.nodeId} is in controller.quorum.voters, so it must have the role controller`)
    if (hasController) report('listeners', text, 'a node without the role controller must not bind a controller listener')
  }
  if (!config.processRoles.includes('broker')) return
  if (!listeners.some((one) => one.role === 'broker')) report('listeners', text, 'a broker needs a listener for clients')
  else if (!listeners.some((one) => one.role === 'broker' && one.name === interBrokerListener)) {
    report('inter.broker.listener.name', interBrokerListener, `it must be one of the listeners of this broker (${text})`)
  }
}

/** Asking for encryption and getting none would be worse than not starting. */
function checkSecurity(listeners: readonly ListenerLayout[], report: Report): void {
  for (const { name, securityProtocol } of listeners) {
    if (securityProtocol !== 'PLAINTEXT') {
      report('listener.security.protocol.map', `${name}:${securityProtocol}`, 'this version serves PLAINTEXT only')
    }
  }
}

function httpAddress(config: BrokerConfig, bound: readonly ListenerAddress[]): { host: string; port: number } {
  const first = bound[0]!
  const port = config.kavkaHttpPort ?? (first.port === 0 ? 0 : Math.max(1, first.port - 1000))
  return { host: config.kavkaHttpHost ?? first.host, port }
}
