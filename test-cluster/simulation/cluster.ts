/** The machines of one run: disks and stores that outlive processes, and the processes that come and go on them. */
import type { Logger, Random } from '@kavka/kernel'
import type { MetadataImage, TopicImage } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'
import type { MemoryFileSystem } from '@kavka/testkit'
import { AdminHistory } from './invariants/metadata/admin-history.ts'
import { ControllerRequestChecks } from './invariants/metadata/controller-request-checks.ts'
import { DeletedTopicChecks } from './invariants/storage/deleted-topic-checks.ts'
import { GroupChecks } from './invariants/groups/group-checks.ts'
import { LeaderAnswerChecks } from './invariants/replication/leader-answer-checks.ts'
import { IndexChecks } from './invariants/storage/index-checks.ts'
import { judgeEpochs, judgeShortened } from './invariants/storage/files-of-topics.ts'
import { MetaFileChecks } from './invariants/storage/meta-file-checks.ts'
import { MetadataChecks } from './invariants/metadata/metadata-checks.ts'
import { QuorumChecks } from './invariants/quorum/quorum-checks.ts'
import { QuorumLogChecks } from './invariants/quorum/quorum-log-checks.ts'
import { ReassignmentChecks } from './invariants/metadata/reassignment-checks.ts'
import { ReplicationChecks } from './invariants/replication/replication-checks.ts'
import type { ClusterView } from './invariants/cluster-view.ts'
import { createMachine } from './node/machine.ts'
import type { Machine } from './node/machine.ts'
import { configurationOf, fileDeleteDelayMsOf, indexIntervalBytesOf, minIsrOf } from './node/node-configuration.ts'
import { SimulatedNode } from './node/simulated-node.ts'
import type { NodeDependencies, NodeSettings } from './node/simulated-node.ts'
import type { SwarmOptions } from './swarm.ts'
import { Network } from './world/network.ts'
import { SimulatedProcess } from './world/process.ts'
import type { World } from './world/world.ts'

const CLEAN_SHUTDOWN_PATH = '/data/.kafka_cleanshutdown'

export interface ClusterOptions {
  readonly swarm: SwarmOptions
  readonly logger?: Logger
}

export class Cluster implements ClusterView {
  readonly world: World
  readonly network: Network
  readonly swarm: SwarmOptions
  readonly nodeIds: readonly NodeId[]
  readonly voterIds: readonly NodeId[]
  readonly replication: ReplicationChecks
  readonly quorum: QuorumChecks
  readonly quorumLogs: QuorumLogChecks
  readonly metadata: MetadataChecks
  readonly requests: ControllerRequestChecks
  readonly history: AdminHistory
  readonly reassignments: ReassignmentChecks
  readonly metaFiles: MetaFileChecks
  readonly deleted: DeletedTopicChecks
  readonly indexes: IndexChecks
  readonly answers: LeaderAnswerChecks
  readonly groups: GroupChecks
  readonly #machines = new Map<NodeId, Machine>()
  /** The same in every life of a node. */
  readonly #configured = new Map<NodeId, Omit<NodeSettings, 'incarnation'>>()
  readonly #random: Random
  readonly #options: ClusterOptions
  clientAddresses: readonly number[] = []
  /** Who has a request for a node in the very turn in which that hears of deletions; told before it acts on them. */
  readonly lastTurnListeners: ((node: SimulatedNode, deleted: readonly TopicImage[]) => void)[] = []
  /** After the run no damage is done any more. */
  isHealing = false

  constructor(options: ClusterOptions, world: World) {
    const { swarm } = options
    this.#options = options
    this.world = world
    this.swarm = swarm
    this.network = new Network(swarm.network, world)
    this.#random = world.random('cluster')
    this.nodeIds = Array.from({ length: swarm.nodeCount }, (_, index) => (index + 1) as NodeId)
    this.voterIds = this.nodeIds.slice(0, swarm.voterCount)
    this.replication = new ReplicationChecks(world, this)
    this.groups = new GroupChecks({ offsetsRetentionMs: swarm.offsetsRetentionMs }, world)
    this.reassignments = new ReassignmentChecks(world)
    const { replication, reassignments } = this
    this.metadata = new MetadataChecks({ world, replication, reassignments, minIsrOf: (image, topic) => minIsrOf(image, topic, swarm) })
    this.requests = new ControllerRequestChecks(world, () => this.image)
    this.indexes = new IndexChecks({ indexIntervalBytes: indexIntervalBytesOf(swarm) }, world)
    this.answers = new LeaderAnswerChecks(world)
    this.metaFiles = new MetaFileChecks(world)
    this.deleted = new DeletedTopicChecks({ fileDeleteDelayMs: fileDeleteDelayMsOf(swarm) }, world)
    this.history = new AdminHistory(world, () => this.image)
    this.quorumLogs = new QuorumLogChecks({ voterIds: this.voterIds }, { world })
    this.quorum = new QuorumChecks({ voterIds: this.voterIds }, {
      world, logs: this.quorumLogs, storeOf: (id) => this.machine(id).store, onNewlyCommitted: (entry) => this.metadata.committed(entry),
    })
    for (const id of this.nodeIds) this.#machines.set(id, createMachine(id, swarm.disk, world))
  }

  get image(): MetadataImage {
    return this.metadata.image
  }

  machine(id: NodeId): Machine {
    return this.#machines.get(id)!
  }

  node(id: NodeId): SimulatedNode | null {
    return this.#machines.get(id)?.node ?? null
  }

  *nodes(): Iterable<SimulatedNode> {
    for (const { node } of this.#machines.values()) if (node !== null) yield node
  }

  get downIds(): NodeId[] {
    return this.nodeIds.filter((id) => this.node(id) === null)
  }

  get activeController(): SimulatedNode | null {
    for (const node of this.nodes()) if (node.controller?.isActive === true) return node
    return null
  }

  start(id: NodeId): void {
    const machine = this.machine(id)
    if (machine.node !== null || machine.isBroken) return
    machine.incarnations++
    this.quorum.epochNeverDecreases(id)
    this.quorumLogs.started(id, machine.store.content)
    const process = new SimulatedProcess(`node-${id}`, this.world)
    process.clock.wallSkewMs = machine.wallSkewMs
    process.clock.rate = machine.clockRate
    machine.diskClock.process = process
    machine.storeClock.process = process
    this.network.bind(id, process)
    const node = new SimulatedNode(this.#settings(machine), this.#dependencies(machine, process))
    machine.node = node
    machine.isStopping = false
    void node.start().then((problem) => {
      if (!process.isAlive) return
      if (machine.storeDamage !== null) this.#judgeDamagedStore(machine, problem)
      if (problem === null) return
      this.world.note(`node ${id} cannot start: ${problem}`)
      this.#refused(machine, problem)
    }, (error: unknown) => {
      if (process.isAlive) this.world.fail(error, `start of node ${id}`)
    })
  }

  /** The process ends here and now. `power`: and with it all that was not synced, on a machine that answers nobody. */
  kill(id: NodeId, kind: 'kill' | 'power'): void {
    const machine = this.machine(id)
    const { node } = machine
    if (node === null) return
    this.world.note(`node ${id} ${kind === 'power' ? 'loses power' : 'is killed'}`)
    this.world.probes.hit(kind === 'power' ? 'power lost' : 'process killed')
    this.replication.disks.died(node)
    node.process.isAlive = false
    machine.node = null
    machine.crashIn = null
    machine.diesAtMark = null
    this.network.unbind(id, kind === 'power' ? 'down' : 'up')
    if (kind === 'power') this.#cutPower(machine)
    this.metaFiles.ended(id, (path) => (machine.disk.exists(path) ? machine.disk.peek(path) : null))
    this.metadata.restarts.died(id, machine.disk.exists(CLEAN_SHUTDOWN_PATH))
    this.#abandonStore(machine)
    if ([...this.nodes()].length === 0 && this.nodeIds.length > 1) this.world.probes.hit('whole cluster down at once')
  }

  /** Only where the run means it does a power cut take what was synced. */
  #cutPower(machine: Machine): void {
    machine.stopLosing?.()
    machine.stopLosing = null
    machine.disk.crash(machine.random)
  }

  /** Power goes, and with it what the disk said it had synced lately. */
  loseSynced(id: NodeId): void {
    const machine = this.machine(id)
    machine.stopLosing = null
    this.metaFiles.damaged(id)
    this.kill(id, 'power')
    this.replication.disks.damaged(id)
  }

  /** The metadata store of a node that is down; `restoreStore` undoes it. */
  damageStore(id: NodeId, damage: NonNullable<Machine['storeDamage']>): void {
    const machine = this.machine(id)
    machine.store.flipBit(damage.key, damage.position, damage.bit)
    machine.storeDamage = damage
  }

  /** As a new store from a copy: the disk is read without an error again. */
  restoreStore(id: NodeId): void {
    const machine = this.machine(id)
    if (machine.storeDamage === null) return
    machine.store.repair(machine.storeDamage.key)
    machine.storeDamage = null
    machine.isBroken = false
  }

  async stopCleanly(id: NodeId): Promise<void> {
    const machine = this.machine(id)
    const { node } = machine
    if (node === null || machine.isStopping || !node.isServing) return
    machine.isStopping = true
    this.world.note(`node ${id} stops`)
    const { brokerEpoch } = node
    await node.stop()
    if (!node.process.isAlive) return
    this.metadata.restarts.stoppedCleanly(id, brokerEpoch)
    this.world.probes.hit('clean restart')
    this.replication.disks.died(node)
    node.process.isAlive = false
    machine.node = null
    this.network.unbind(id, 'up')
    machine.store = machine.store.reopen()
  }

  /** Own seconds of the machine in a true second, from now on. */
  setClockRate(id: NodeId, rate: number): void {
    const machine = this.machine(id)
    machine.clockRate = rate
    if (rate !== 1) this.groups.clockJumped()
    if (machine.node !== null) machine.node.process.clock.rate = rate
  }

  pause(id: NodeId): void {
    this.node(id)?.process.pause()
  }

  resume(id: NodeId): void {
    this.node(id)?.process.resume()
  }

  /** A new, empty disk for the logs; the metadata store is elsewhere and stays. */
  wipe(id: NodeId): void {
    const machine = this.machine(id)
    this.world.note(`node ${id} loses its data directory`)
    this.replication.disks.damaged(id)
    this.metaFiles.wiped(id)
    this.replication.content.restarted(id)
    machine.rottenFiles.clear()
    for (const directory of ['/data']) if (machine.disk.exists(directory)) machine.disk.removeDirectory(directory)
    machine.disk.syncDirectory('/')
    machine.isBroken = false
  }

  #refused(machine: Machine, problem: string): void {
    const { node } = machine
    if (node === null) return
    this.replication.disks.died(node)
    node.process.isAlive = false
    machine.node = null
    this.network.unbind(machine.id, 'up')
    this.#abandonStore(machine)
    this.world.probes.hit('node refused damaged data')
    // Only what the run itself has damaged may be refused.
    const isInputOutput = /EIO|ENOSPC/.test(problem)
    this.world.judge('S2 RecoveryKeepsSynced', this.replication.disks.isDamaged(machine.id) || machine.storeDamage !== null || isInputOutput, { node: machine.id, problem })
    if (isInputOutput) this.restartLater(machine.id, 1_000)
    else machine.isBroken = this.replication.disks.isDamaged(machine.id) || machine.storeDamage !== null
    if (machine.isBroken && this.isHealing) this.world.scheduler.soon(() => this.#replaceDisk(machine.id))
  }

  /** R19: a node whose store is damaged takes no part with it. */
  #judgeDamagedStore({ id, storeDamage }: Machine, problem: string | null): void {
    this.world.judge('R19 DamagedStoreIsRefused', problem !== null, { node: id, key: storeDamage!.key })
    this.world.probes.hit('damaged metadata store refused')
  }

  /** What is damaged is replaced when everything is healed, also if that shows only then. */
  #replaceDisk(id: NodeId): void {
    if (!this.machine(id).isBroken) return
    this.wipe(id)
    this.start(id)
  }

  #abandonStore(machine: Machine): void {
    machine.store.crash(machine.random)
    machine.store = machine.store.reopen()
    this.quorum.epochNeverDecreases(machine.id)
  }

  #settings({ id, incarnations }: Machine): NodeSettings {
    let configured = this.#configured.get(id)
    if (configured === undefined) this.#configured.set(id, (configured = configurationOf(id, this.voterIds, this.swarm)))
    return { ...configured, incarnation: incarnations }
  }

  #dependencies(machine: Machine, process: SimulatedProcess): NodeDependencies {
    const { id, disk, store } = machine
    const random = this.world.random(`node-${id}-${machine.incarnations}`)
    const { congestionProbability } = this.swarm
    return {
      world: this.world, network: this.network, process, disk, store, random,
      peer: (peerId) => this.node(peerId),
      observer: this.#observer(),
      congestionMs: () => (congestionProbability > 0 && random.unit() < congestionProbability ? random.unit() * 20 : null),
      diskEvents: {
        reading: this.#readingOf(id, machine.incarnations, process),
        beforeChange: () => this.#beforeChange(machine),
        syncFailed: () => this.replication.syncFailed(process),
        names: {
          renamed: (from, to) => this.#renamed(machine, process, from, to),
          moved: (to) => this.deleted.moved(id, to),
          removed: (path) => this.metaFiles.removed(id, path),
          syncing: (directory) => this.metaFiles.syncing(id, directory),
        },
      },
      rot: {
        isIn: (directory) => [...machine.rottenFiles].some((path) => path.startsWith(`${directory}/`)),
        before: (topicPartition) => this.replication.disks.before(id, topicPartition),
      },
      onFatal: (cause) => this.#fatal(machine, process, cause),
      ...(this.#options.logger === undefined ? {} : { logger: this.#options.logger }),
    }
  }

  /** How long a read of a file takes, in a stream of its own. */
  #readingOf(id: NodeId, incarnation: number, process: SimulatedProcess): () => Promise<void> | null {
    const { passing } = this.swarm
    if (passing === null) return () => null
    const random = this.world.random(`reads-${id}-${incarnation}`)
    return () => process.sleep(passing.readMsMax * random.unit())
  }

  #renamed(machine: Machine, process: SimulatedProcess, from: string, to: string): void {
    const { id, disk, node } = machine
    if (to.endsWith('/log-start-offset-checkpoint')) this.world.probes.hit('log start written down')
    if (to === CLEAN_SHUTDOWN_PATH && node?.logs?.areClosed === true) this.metadata.restarts.marked(id, markedEpoch(disk))
    if (to === CLEAN_SHUTDOWN_PATH) this.#dieAtMark(machine)
    if (to.endsWith('/leader-epoch-checkpoint')) judgeEpochs(this, machine, to)
    const isDurable = this.metaFiles.renamed(id, to, () => disk.peek(to))
    // One that stalls the event loop is over before anything else happens; those in the background take their time.
    const isInBackground = from.endsWith('.next.tmp')
    if (isDurable !== null && !isInBackground) process.soon(() => this.metaFiles.replaced(id, to, isDurable))
  }

  #observer(): NodeDependencies['observer'] {
    const { replication, quorum, quorumLogs, metadata } = this
    return {
      given: (nodeId, topicPartition, errorCode) => this.deleted.given(nodeId, topicPartition, errorCode),
      opened: (replica) => replication.opened(replica),
      named: (replica) => replication.named(replica),
      appending: (replica, records) => replication.appending(replica, records),
      appended: (replica, from, by) => replication.appended(replica, from, by),
      duplicate: () => replication.duplicate(),
      forgotten: (replica) => replication.forgotten(replica),
      truncating: (replica, endOffset, kind) => replication.truncating(replica, endOffset, kind),
      truncated: (replica) => replication.truncated(replica),
      shortened: (replica) => judgeShortened(this, replica),
      highWatermark: (replica, highWatermark) => replication.highWatermark(replica, highWatermark),
      logStart: (replica, logStart) => replication.logStart(replica, logStart),
      segmentsDeleted: (replica) => replication.segmentsDeleted(replica),
      asked: (node, request) => this.requests.asked(request, node.driver.state.epoch >= quorum.newestLeaderEpoch),
      stored: (node, writes) => quorumLogs.stored(node.id, writes),
      sending: (node, message) => quorum.sending(node, message),
      committed: (node, entries) => quorum.committed(node, entries),
      snapshotLoaded: (node, offset, epoch) => quorum.snapshotLoaded(node, offset, epoch),
      role: (node, role) => quorum.role(node, role),
      imageAdvanced: (node, image) => metadata.advanced(node, image),
      publishing: (node, { topicsDeleted }) => {
        if (topicsDeleted.size > 0) for (const listener of this.lastTurnListeners) listener(node, [...topicsDeleted.values()])
      },
    }
  }

  #dieAtMark(machine: Machine): void {
    if (machine.diesAtMark === null) return
    // The first change behind the mark is the sync of its name.
    machine.crashIn = { operations: 1 + Math.floor(this.#random.unit() * 2), kind: machine.diesAtMark }
    machine.diesAtMark = null
  }

  #beforeChange(machine: Machine): void {
    const { crashIn } = machine
    if (crashIn === null || --crashIn.operations > 0) return
    this.world.probes.hit('crash inside a disk operation')
    this.kill(machine.id, crashIn.kind)
    this.restartLater(machine.id, 500 + this.#random.unit() * 3_000)
  }

  restartLater(id: NodeId, delayMs: number): void {
    this.world.scheduler.after(delayMs, () => {
      this.network.machineUp(id)
      this.start(id)
    })
  }

  /** A failed disk or a broken assertion ends the process; the machine is started again, its page cache gone. */
  #fatal(machine: Machine, process: SimulatedProcess, cause: unknown): void {
    if (!process.isAlive || machine.node?.process !== process) return
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === undefined && message !== STORE_FAILURE) return this.world.fail(cause, `node ${machine.id}`)
    if (code !== undefined) this.deleted.directoryFailed(machine.id, code, message)
    this.world.note(`node ${machine.id} stops itself: ${message}`)
    this.world.probes.hit('node stopped itself')
    this.kill(machine.id, this.swarm.durability === 'synced' ? 'power' : 'kill')
    this.restartLater(machine.id, 1_000 + this.#random.unit() * 2_000)
  }
}

/** The message of injected failures of the metadata store. */
export const STORE_FAILURE = 'simulated failure of the metadata store'

function markedEpoch(disk: MemoryFileSystem): number {
  const { brokerEpoch } = JSON.parse(disk.peek(CLEAN_SHUTDOWN_PATH).toString()) as { readonly brokerEpoch: number }
  return brokerEpoch
}
