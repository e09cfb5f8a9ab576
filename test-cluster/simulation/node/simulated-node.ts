/** One node of the cluster: the real shells and cores of a combined or broker-only process, put together on simulated ports. */
import { silentLogger } from '@kavka/kernel'
import type { BrokerConfig, Logger, NodeLayout, Random } from '@kavka/kernel'
import { brokerRegistration, BrokerLifecycle, controllerRegistration, ControllerRegistrar, DynamicConfig, LogBackedGroupCoordinator, newIncarnationId, ProducerIdManager, RegistrationGate } from '@kavka/broker'
import { emptyImage, MetadataLoader, QuorumController, QuorumDriver } from '@kavka/controller'
import type { ControllerService, MetadataPublisher, RaftMessage } from '@kavka/controller'
import type { BrokerEpoch, NodeId } from '@kavka/protocol'
import { ReplicaManagerShell } from '@kavka/replication'
import type { LeaderFrame } from '@kavka/replication'
import { LogManager, logManagerDefaults } from '@kavka/storage'
import type { LogConfig } from '@kavka/storage'
import type { MemoryFileSystem, MemoryKeyValueStore } from '@kavka/testkit'
import { protobufRecordCodec } from '@kavka/transport'
import type { Network } from '../world/network.ts'
import type { SimulatedProcess } from '../world/process.ts'
import { ProcessFileSystem } from '../world/process-file-system.ts'
import type { DiskEvents } from '../world/process-file-system.ts'
import type { World } from '../world/world.ts'
import { SimulatedControllerChannel } from './controller-channel.ts'
import { ObservedLogs } from './observed-logs.ts'
import type { ReplicaObserver, Rot } from './observed-logs.ts'
import { observedService, observedStateMachine, observedStore } from './observed-quorum.ts'
import type { QuorumObserver } from './observed-quorum.ts'
import { SimulatedReplicationTransport } from './replication-transport.ts'
import { watchedLogger } from './watched-logger.ts'

export const CLUSTER_ID = '4L6g3nShT-eMCtK--X86sw'

export interface NodeSettings {
  readonly nodeId: NodeId
  readonly config: BrokerConfig
  readonly layout: NodeLayout
  readonly voterIds: readonly NodeId[]
  readonly incarnation: number
  readonly snapshotAfterBytes: number
  readonly logRetainedBytes: number
  /** Smaller than an operator may choose, so that segments roll within seconds. */
  readonly segmentBytes: number
  readonly indexIntervalBytes: number
}

export interface NodeDependencies {
  readonly world: World
  readonly network: Network
  readonly process: SimulatedProcess
  readonly disk: MemoryFileSystem
  readonly store: MemoryKeyValueStore
  readonly diskEvents: DiskEvents
  readonly rot: Rot
  readonly random: Random
  readonly peer: (id: NodeId) => SimulatedNode | null
  readonly observer: ReplicaObserver & QuorumObserver
  readonly congestionMs: () => number | null
  /** The process ends itself. */
  readonly onFatal: (cause: unknown) => void
  readonly logger?: Logger
}

const INTER_BROKER = 'PLAINTEXT'

export class SimulatedNode {
  readonly id: NodeId
  readonly settings: NodeSettings
  readonly process: SimulatedProcess
  readonly store: MemoryKeyValueStore
  readonly #deps: NodeDependencies
  readonly #logger: Logger
  readonly loader: MetadataLoader
  readonly driver: QuorumDriver
  readonly controller: QuorumController | null
  /** The controller, with somebody looking on. */
  readonly service: ControllerService | null
  readonly channel: SimulatedControllerChannel
  readonly transport: SimulatedReplicationTransport
  readonly dynamicConfig: DynamicConfig
  logs: ObservedLogs | null = null
  manager: LogManager | null = null
  replicas: ReplicaManagerShell | null = null
  groups: LogBackedGroupCoordinator | null = null
  producerIds: ProducerIdManager | null = null
  lifecycle: BrokerLifecycle | null = null
  #registrar: ControllerRegistrar | null = null
  #gate: RegistrationGate | null = null
  /** The quorum takes part: its listener is up. */
  isListening = false
  isServing = false
  readonly startedMs: number

  constructor(settings: NodeSettings, deps: NodeDependencies) {
    const { nodeId, config } = settings
    const { process, store, world } = deps
    this.id = nodeId
    this.settings = settings
    this.process = process
    this.store = store
    this.#deps = deps
    this.#logger = watchedLogger(deps.logger ?? silentLogger, (mistake, message) => {
      if (process.isAlive) world.fail(mistake, `node ${nodeId}, ${message}`)
    })
    this.dynamicConfig = new DynamicConfig({ config, nodeId, image: emptyImage })
    this.loader = new MetadataLoader({ codec: protobufRecordCodec, scheduler: process, log: this.#logger })
    this.driver = this.#createDriver()
    this.controller = settings.layout.isController ? this.#createController() : null
    this.service = this.controller === null ? null : observedService(this, this.controller, deps.observer)
    this.channel = this.#createChannel()
    this.transport = this.#createTransport()
    this.startedMs = world.nowMs
    world.note(`node ${nodeId} starts (${settings.incarnation})`)
  }

  get brokerEpoch(): number {
    return this.lifecycle?.brokerEpoch ?? -1
  }

  /** Resolves when it serves; the error says why it never will. */
  async start(): Promise<string | null> {
    const { process, disk } = this.#deps
    const fs = new ProcessFileSystem(disk, process, this.#deps.diskEvents)
    const opened = await LogManager.open(this.#logManagerOptions(), {
      fs, scheduler: process, random: this.#deps.random, logger: this.#logger,
      processes: { id: this.settings.incarnation, host: `node-${this.id}`, incarnation: (id) => (id === this.settings.incarnation ? 'this' : null) },
    })
    if (!process.isAlive) return 'died'
    if (!opened.ok) return opened.error.message
    this.#createBroker(opened.value)
    try {
      await this.driver.start()
    } catch (error) {
      return (error as Error).message
    }
    this.isListening = true
    this.#registrar?.start()
    const unfenced = await this.lifecycle!.start()
    if (!unfenced.ok) return unfenced.error
    this.replicas!.setStraysAside()
    this.isServing = true
    return null
  }

  /** Controlled shutdown, as a node does it on SIGTERM. */
  async stop(): Promise<void> {
    const { brokerEpoch } = this
    await this.lifecycle?.controlledShutdown()
    this.lifecycle?.stop()
    this.#registrar?.stop()
    this.isServing = false
    this.groups?.stop()
    await this.replicas?.stop()
    await this.driver.stop()
    this.isListening = false
    this.channel.close()
    await this.store.close()
    await this.manager?.close(brokerEpoch)
  }

  #createDriver(): QuorumDriver {
    const { process, random, onFatal } = this.#deps
    const { nodeId, voterIds, config, snapshotAfterBytes, logRetainedBytes } = this.settings
    return new QuorumDriver(
      {
        nodeId, clusterId: CLUSTER_ID, voterIds,
        electionTimeoutMs: config.controllerQuorumElectionTimeoutMs,
        electionBackoffMsMax: config.controllerQuorumElectionBackoffMaxMs,
        fetchTimeoutMs: config.controllerQuorumFetchTimeoutMs,
        snapshotAfterBytes, logRetainedBytes,
      },
      {
        store: observedStore(this, this.#deps.observer), scheduler: process, random, logger: this.#logger,
        peers: { send: (to, message) => this.#send(to, message) },
        stateMachine: observedStateMachine(this, this.#deps.observer),
        onFatal: (cause) => onFatal(cause),
      },
    )
  }

  #createController(): QuorumController {
    const { process, random } = this.#deps
    const { nodeId, config } = this.settings
    const probe = { probe: ({ host }: { readonly host: string }) => this.#probe(Number(host.slice('node-'.length)) as NodeId) }
    return new QuorumController(
      { clusterId: CLUSTER_ID, nodeId, config },
      { quorum: this.driver, loader: this.loader, codec: protobufRecordCodec, probe, scheduler: process, random, log: this.#logger },
    )
  }

  #createChannel(): SimulatedControllerChannel {
    const { network, process, peer } = this.#deps
    return new SimulatedControllerChannel(
      { nodeId: this.id },
      { network, scheduler: process, localService: () => this.service, serviceOf: (id) => listening(peer(id))?.service ?? null },
    )
  }

  #createTransport(): SimulatedReplicationTransport {
    const { network, process, peer, congestionMs } = this.#deps
    return new SimulatedReplicationTransport(
      { nodeId: this.id },
      {
        network, congestionMs,
        acceptOf: (id) => listening(peer(id))?.transport.accept ?? null,
        receiving: (frame) => this.#receiving(frame),
        later: (delayMs, callback) => process.after(delayMs, callback),
      },
    )
  }

  #receiving({ partitions }: LeaderFrame): void {
    for (const { topicId, partition, baseOffset, records } of partitions) {
      const topic = records.length === 0 ? undefined : this.loader.publishedImage.topics.byId.get(topicId)?.name
      const log = topic === undefined ? null : this.manager?.get({ topic, partition }) ?? null
      if (log !== null && baseOffset < log.logEndOffset) this.#deps.world.probes.hit('follower sent what it has')
    }
  }

  #createBroker(manager: LogManager): void {
    const { process, random, disk, observer, rot } = this.#deps
    const { config, nodeId, layout } = this.settings
    const logger = this.#logger
    this.manager = manager
    manager.onDirectoryFailed((_directory, cause) => this.#deps.onFatal(cause))
    this.logs = new ObservedLogs({ nodeId }, { manager, disk, observer, rot })
    this.replicas = this.#createReplicas(this.logs)
    this.groups = new LogBackedGroupCoordinator(config, {
      replicas: this.replicas, scheduler: process, random, logger, image: () => this.loader.publishedImage,
      isCountedIn: () => this.lifecycle?.isCountedIn ?? false,
    })
    this.producerIds = new ProducerIdManager({ nodeId }, { channel: this.channel, scheduler: process, logger, brokerEpoch: () => this.#registeredEpoch() })
    this.#createMembership(manager)
    this.#follow()
    if (!layout.isController) return
    const registration = controllerRegistration(nodeId, newIncarnationId(random), layout.listeners)
    this.#registrar = new ControllerRegistrar({ registration }, { channel: this.channel, scheduler: process, image: () => this.loader.image })
  }

  #registeredEpoch(): BrokerEpoch {
    return this.brokerEpoch as BrokerEpoch
  }

  #createReplicas(logs: ObservedLogs): ReplicaManagerShell {
    const { process, random } = this.#deps
    const { config, nodeId } = this.settings
    return new ReplicaManagerShell(
      {
        nodeId, clusterId: CLUSTER_ID, interBrokerListener: INTER_BROKER, rack: null,
        replicaLagTimeMsMax: config.replicaLagTimeMaxMs, fetchBytesMax: config.fetchMaxBytes,
        replicaFrameBytesMax: Math.min(config.replicaFetchMaxBytes, 448 * 1024), replicaFramesInFlightMax: 3,
        replicaBackoff: { delayMsMin: 20, delayMsMax: 1000 }, replicaSelector: 'leader',
        controllerRequestTimeoutMs: config.requestTimeoutMs, parkedMax: 10_000,
      },
      {
        logs, transport: this.transport, controller: this.channel, scheduler: process, random, logger: this.#logger,
        brokerEpoch: () => this.#registeredEpoch(),
        logConfigOf: (topic) => this.#logConfig(topic),
      },
    )
  }

  #createMembership(manager: LogManager): void {
    const { process, random } = this.#deps
    const { config, nodeId, layout } = this.settings
    const incarnationId = newIncarnationId(random)
    this.lifecycle = new BrokerLifecycle(
      {
        nodeId,
        heartbeatIntervalMs: config.brokerHeartbeatIntervalMs,
        sessionTimeoutMs: config.brokerSessionTimeoutMs,
        replicaLagMsMax: config.replicaLagTimeMaxMs,
        requestTimeoutMs: config.brokerSessionTimeoutMs / 2,
        registrationTimeoutMs: 10 ** 9,
        controlledShutdownMsMax: 30_000,
        registration: () => brokerRegistration({
          config, clusterId: CLUSTER_ID, incarnationId, listeners: layout.listeners,
          logDirs: manager.directories.filter(({ state }) => state === 'online').map(({ directoryId }) => directoryId), previousBrokerEpoch: manager.previousBrokerEpoch,
        }),
      },
      {
        channel: this.channel, scheduler: process, logger: this.#logger,
        metadataOffset: () => this.#gate?.catchUp() ?? -1,
        offlineLogDirs: () => manager.directories.filter(({ state }) => state === 'offline').map(({ directoryId }) => directoryId),
      },
    )
  }

  /** In the order in which a node does it: settings, replicas, coordinators; nothing before its own registration. */
  #follow(): void {
    const publisher: MetadataPublisher = {
      publish: (image, changes, previous) => {
        this.#deps.observer.publishing(this, changes)
        this.dynamicConfig.update(image, changes, { brokerChanged: () => {} })
        this.replicas!.publish(image, changes, previous)
        this.groups!.publish(image, changes)
        const isLeaving = [...changes.brokersChanged].some((id) => image.brokers.get(id)?.inControlledShutdown === true)
        this.process.soon(() => this.lifecycle!.metadataAdvanced(isLeaving ? 'broker-leaving' : 'routine'))
      },
    }
    this.#gate = new RegistrationGate({ loader: this.loader, publisher, brokerEpoch: () => this.brokerEpoch })
    this.loader.addPublisher(this.#gate)
  }

  #logManagerOptions(): Parameters<typeof LogManager.open>[0] {
    const { config, layout, nodeId } = this.settings
    return {
      ...logManagerDefaults,
      logDirs: layout.dataDirectories, clusterId: CLUSTER_ID, nodeId,
      configOf: (topic) => this.#logConfig(topic),
      retentionCheckIntervalMs: config.logRetentionCheckIntervalMs,
      highWatermarkCheckpointIntervalMs: config.replicaHighWatermarkCheckpointIntervalMs,
      recoveryPointCheckpointIntervalMs: config.logFlushOffsetCheckpointIntervalMs,
      logStartOffsetCheckpointIntervalMs: config.logFlushStartOffsetCheckpointIntervalMs,
      tailCacheBytesMax: config.kavkaTailCacheBytes,
    }
  }

  #logConfig(topic: string): LogConfig {
    const { segmentBytes, indexIntervalBytes } = this.settings
    return { ...this.dynamicConfig.topicConfig(topic), segmentBytes, indexIntervalBytes }
  }

  #send(to: NodeId, message: RaftMessage): void {
    if (!this.process.isAlive) return
    this.#deps.observer.sending(this, message)
    const { network, peer, world } = this.#deps
    world.hash.text(message.kind)
    network.datagram(this.id, to, () => listening(peer(to))?.driver.receive(message))
  }

  /** Knocks at a port: refused only when a running machine says that nobody listens. */
  async #probe(id: NodeId): Promise<'refused' | 'answered' | 'unknown'> {
    const { network, peer } = this.#deps
    const isSilent = network.isBlocked(this.id, id) || network.isBlocked(id, this.id) || network.isMachineDown(id)
    await this.process.sleep(isSilent ? 1_000 : network.delayMs() * 2)
    if (isSilent) return 'unknown'
    const target = network.processAt(id)
    return target === null || (peer(id)?.isListening ?? false) === false ? 'refused' : 'answered'
  }
}

function listening(node: SimulatedNode | null): SimulatedNode | null {
  return node?.isListening === true ? node : null
}
