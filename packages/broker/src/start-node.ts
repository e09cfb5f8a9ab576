/**
 * Puts a node together and brings it up: logs, quorum, listeners, then, for a broker, registration and the first heartbeat, until the
 * controller has unfenced it. Nothing waits that need not: each step starts as soon as what it needs is there.
 */
import { AssertionError, failure, success } from '@kavka/kernel'
import type { ListenerLayout, Result } from '@kavka/kernel'
import { emptyImage } from '@kavka/controller'
import { nodeId as brandedNodeId } from '@kavka/protocol'
import type { BrokerEpoch, Uuid } from '@kavka/protocol'
import { AdminHttp } from './admin-http.ts'
import type { Readiness } from './admin-http.ts'
import { DynamicConfig } from './configs/dynamic-config.ts'
import { LoggerLevels } from './configs/logger-levels.ts'
import { BrokerLifecycle } from './lifecycle/broker-lifecycle.ts'
import { ControllerRegistrar } from './lifecycle/controller-registration.ts'
import { brokerRegistration, controllerRegistration, newIncarnationId } from './lifecycle/registrations.ts'
import { RequestMeters } from './metrics/request-meters.ts'
import { TopicMeters } from './metrics/topic-meters.ts'
import { brokerPublisher, createBrokerSide, openLogs } from './node/broker-side.ts'
import type { BrokerSide } from './node/broker-side.ts'
import { connectionLimits, createListeners } from './node/listeners.ts'
import type { NodeListeners } from './node/listeners.ts'
import { createMetadataSide } from './node/metadata-side.ts'
import type { MetadataSide } from './node/metadata-side.ts'
import { registerBrokerMetrics, registerNodeMetrics } from './node/node-metrics.ts'
import type { Scrape } from './node/node-metrics.ts'
import type { NodeDependencies, NodeSettings, RunningNode } from './node/node-settings.ts'
import { RegistrationGate } from './node/registration-gate.ts'
import { createTables } from './node/services.ts'

const CONTROLLED_SHUTDOWN_MS_MAX = 30_000
/** What is in flight when a node stops is answered within this time. */
const CONNECTION_GRACE_MS = 1_000

/** Resolves when the node serves; the error is a sentence for the operator, and then nothing is left running. */
export async function startNode(settings: NodeSettings, deps: NodeDependencies): Promise<Result<RunningNode, string>> {
  const node = new NodeAssembly(settings, deps)
  try {
    const started = await node.start()
    if (!started.ok) await node.stop()
    return started
  } catch (error) {
    await node.stop()
    if (error instanceof AssertionError) throw error
    return failure(sentenceOf(error as Error))
  }
}

/** An address in use, a metadata store of another node, a locked directory: with what lies beneath. */
function sentenceOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}

/** The parts of one node, in the order in which they came up; they go down in the opposite one. */
class NodeAssembly {
  readonly #settings: NodeSettings
  readonly #deps: NodeDependencies & { readonly loggers: LoggerLevels }
  readonly #dynamicConfig: DynamicConfig
  readonly #incarnationId: Uuid
  readonly #failed: Promise<Error>
  #fail: (cause: Error) => void = () => {}
  #metadata: MetadataSide | null = null
  #logs: BrokerSide['logs'] | null = null
  #broker: BrokerSide | null = null
  #lifecycle: BrokerLifecycle | null = null
  #gate: RegistrationGate | null = null
  #registrar: ControllerRegistrar | null = null
  #net: NodeListeners | null = null
  #http: AdminHttp | null = null
  #stopping: Promise<void> | null = null

  constructor(settings: NodeSettings, deps: NodeDependencies) {
    const { config } = settings
    this.#settings = settings
    this.#deps = { ...deps, loggers: new LoggerLevels(deps.logger) }
    this.#dynamicConfig = new DynamicConfig({ config, nodeId: brandedNodeId(config.nodeId), image: emptyImage })
    this.#incarnationId = newIncarnationId(deps.random)
    this.#failed = new Promise((resolve) => (this.#fail = resolve))
  }

  async start(): Promise<Result<RunningNode, string>> {
    const { layout } = this.#settings
    const logs = layout.isBroker ? await openLogs(this.#settings, this.#dynamicConfig, this.#deps) : null
    if (logs !== null && !logs.ok) return logs
    this.#logs = logs?.value ?? null
    const metadata = await createMetadataSide(this.#settings, { ...this.#deps, failed: this.#fail })
    this.#metadata = metadata
    if (logs !== null) this.#createBroker(metadata, logs.value)
    const scrape = this.#createListeners(metadata)
    await this.#bind(metadata, scrape)
    this.#join(metadata)
    await metadata.start()
    this.#registrar?.start()
    const unfenced = (await this.#lifecycle?.start()) ?? success(undefined)
    if (!unfenced.ok) return unfenced
    this.#broker?.replicas.setStraysAside()
    return success(this.#running())
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  #createBroker(metadata: MetadataSide, logs: BrokerSide['logs']): void {
    const brokerEpoch = (): BrokerEpoch => this.#lifecycle?.brokerEpoch ?? (-1 as BrokerEpoch)
    const opened = { logs, dynamicConfig: this.#dynamicConfig }
    const isCountedIn = (): boolean => this.#lifecycle?.isCountedIn ?? false
    this.#broker = createBrokerSide(this.#settings, metadata, opened, { ...this.#deps, brokerEpoch, isCountedIn })
    logs.onDirectoryFailed(({ path }, cause) => {
      this.#deps.logger.fatal({ directory: path, err: cause }, 'a log directory failed')
      if (logs.directories.every(({ state }) => state === 'offline')) this.#fail(cause)
      else this.#lifecycle?.directoryFailed()
    })
  }

  #createListeners(metadata: MetadataSide): Scrape | null {
    const { metrics } = this.#deps
    const topicMeters = this.#broker === null ? null : new TopicMeters(metrics)
    const dynamicConfig = this.#dynamicConfig
    const tables = createTables(this.#settings, metadata, this.#broker, topicMeters, { ...this.#deps, dynamicConfig })
    const transport = this.#broker === null ? [] : [this.#broker.transport]
    this.#net = createListeners(this.#settings, {
      ...this.#deps,
      meters: new RequestMeters(metrics),
      grpcProviders: [...metadata.grpcProviders, ...transport],
      tableOf: (role) => tables[role]!,
    })
    registerNodeMetrics(this.#settings, this.#deps, metadata, this.#net.listeners)
    if (this.#broker === null || topicMeters === null) return null
    this.#lifecycle = this.#createLifecycle(metadata, this.#broker)
    this.#follow(metadata, this.#broker, topicMeters)
    return registerBrokerMetrics(this.#settings, this.#deps, metadata, this.#broker, this.#lifecycle)
  }

  #createLifecycle(metadata: MetadataSide, { logs }: BrokerSide): BrokerLifecycle {
    const { config } = this.#settings
    const { scheduler, loggers } = this.#deps
    return new BrokerLifecycle(
      {
        nodeId: brandedNodeId(config.nodeId),
        heartbeatIntervalMs: config.brokerHeartbeatIntervalMs,
        sessionTimeoutMs: config.brokerSessionTimeoutMs,
        replicaLagMsMax: config.replicaLagTimeMaxMs,
        requestTimeoutMs: config.brokerSessionTimeoutMs / 2,
        registrationTimeoutMs: config.initialBrokerRegistrationTimeoutMs,
        controlledShutdownMsMax: CONTROLLED_SHUTDOWN_MS_MAX,
        registration: () => brokerRegistration({
          config,
          clusterId: this.#settings.clusterId,
          incarnationId: this.#incarnationId,
          listeners: this.#boundListeners(),
          logDirs: logs.directories.filter(({ state }) => state === 'online').map(({ directoryId }) => directoryId),
          previousBrokerEpoch: logs.previousBrokerEpoch,
        }),
      },
      {
        channel: metadata.channel,
        scheduler,
        logger: loggers.get('kafka.server.BrokerLifecycleManager'),
        metadataOffset: () => this.#gate?.catchUp() ?? -1,
        offlineLogDirs: () => logs.directories.filter(({ state }) => state === 'offline').map(({ directoryId }) => directoryId),
      },
    )
  }

  /** From its registration on this broker acts on what the metadata says. */
  #follow(metadata: MetadataSide, broker: BrokerSide, topicMeters: TopicMeters): void {
    const publisher = brokerPublisher(broker, {
      brokerConfigChanged: (config) => this.#net?.limits.reconfigure(connectionLimits(config)),
      topicsDeleted: (names) => names.forEach((name) => topicMeters.remove(name)),
      // Deferred, so that the offset reported is that of the image just applied.
      applied: (image, { brokersChanged }) => {
        const isLeaving = [...brokersChanged].some((id) => image.brokers.get(id)?.inControlledShutdown === true)
        this.#deps.scheduler.soon(() => this.#lifecycle?.metadataAdvanced(isLeaving ? 'broker-leaving' : 'routine'))
      },
    })
    const { loader } = metadata
    this.#gate = new RegistrationGate({ loader, publisher, brokerEpoch: () => this.#lifecycle?.brokerEpoch ?? -1 })
    loader.addPublisher(this.#gate)
  }

  async #bind(metadata: MetadataSide, scrape: Scrape | null): Promise<void> {
    const { config, clusterId, layout } = this.#settings
    const { version, metrics, loggers } = this.#deps
    this.#http = new AdminHttp(
      { ...layout.http, version, nodeId: config.nodeId, clusterId },
      { logger: loggers.get('kavka.AdminHttp'), metrics: scrape ?? metrics, readiness: () => this.#readiness(metadata) },
    )
    await Promise.all([this.#http.listen(), ...this.#net!.listeners.map((listener) => listener.listen())])
  }

  #join(metadata: MetadataSide): void {
    if (metadata.controller === null) return
    const registration = controllerRegistration(this.#settings.config.nodeId, this.#incarnationId, this.#boundListeners())
    const { scheduler } = this.#deps
    const image = (): typeof metadata.loader.image => metadata.loader.image
    this.#registrar = new ControllerRegistrar({ registration }, { channel: metadata.channel, scheduler, image })
  }

  /** Port 0 in the configuration means the port that was bound. */
  #boundListeners(): ListenerLayout[] {
    return this.#settings.layout.listeners.map((layout, index) => {
      if (layout.advertisedPort !== 0) return layout
      return { ...layout, advertisedPort: this.#net!.listeners[index]!.port }
    })
  }

  #readiness(metadata: MetadataSide): Readiness {
    const reasons: string[] = []
    if (metadata.quorumState().leaderId === null) reasons.push('no active controller is known')
    const lifecycle = this.#lifecycle
    if (lifecycle !== null) {
      if (lifecycle.brokerEpoch < 0) reasons.push('not registered with the controller')
      else if (lifecycle.isFenced) reasons.push('fenced: not caught up with the metadata yet')
      if (lifecycle.state !== 'running') reasons.push(`broker state is ${lifecycle.state}`)
    }
    return { ready: reasons.length === 0, reasons }
  }

  #running(): RunningNode {
    const ports = new Map(this.#net!.listeners.map((listener) => [listener.name, listener.port]))
    return {
      servingLine: this.#servingLine(),
      ports,
      httpPort: this.#http!.port,
      failed: this.#failed,
      stop: () => this.stop(),
    }
  }

  #servingLine(): string {
    const { config, layout } = this.#settings
    const listeners = this.#boundListeners().map(({ name, advertisedHost, advertisedPort }) => `${name}://${advertisedHost}:${advertisedPort}`)
    const http = `http://${layout.http.host === '' ? 'localhost' : layout.http.host}:${this.#http!.port}`
    return `kavka ${this.#deps.version} node ${config.nodeId} serving ${listeners.join(' ')} ${http}`
  }

  /** Leaderships move first, while everything still works; then clients are let go, then the quorum, and the logs are closed last. */
  async #stop(): Promise<void> {
    const brokerEpoch = this.#lifecycle?.brokerEpoch ?? -1
    if (this.#settings.config.controlledShutdownEnable) await this.#lifecycle?.controlledShutdown()
    this.#lifecycle?.stop()
    this.#registrar?.stop()
    await Promise.all((this.#net?.listeners ?? []).map((listener) => listener.close(CONNECTION_GRACE_MS)))
    this.#broker?.groups.stop()
    await this.#broker?.replicas.stop()
    await this.#metadata?.stop()
    this.#net?.grpc.close()
    await this.#http?.close()
    await this.#logs?.close(brokerEpoch)
  }
}
