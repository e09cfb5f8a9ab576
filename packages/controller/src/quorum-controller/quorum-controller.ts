/**
 * The metadata controller of one node: stands by while another node leads the quorum; once this node leads
 * and has replayed everything of its predecessors, it is the active controller, the one place where requests
 * that change metadata are decided.
 */
import { every } from '@kavka/kernel'
import type { Logger, Random, Scheduler, TimerHandle } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import type { MetadataLoader, ReplayObserver } from '../loader/metadata-loader.ts'
import { BrokerSessions } from '../metadata/brokers/broker-sessions.ts'
import { UNCLEAN_LEADER_ELECTION } from '../metadata/configs/effective.ts'
import type { ControllerSettings } from '../metadata/decision.ts'
import type { IndexedImage, PartitionRef } from '../metadata/partition-index.ts'
import { partitionsIn } from '../metadata/partition-index.ts'
import { HandbackSchedule } from '../metadata/partitions/handback-schedule.ts'
import { awaitsPreferred } from '../metadata/partitions/maintenance.ts'
import { countUncleanElections } from '../metadata/partitions/partition-changes.ts'
import type { RecordCodec } from '../metadata/record-codec.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import type { ControllerReply, ControllerRequest, ControllerService, LivenessProbe } from '../ports.ts'
import type { Quorum } from '../quorum/driver-contract.ts'
import type { RoleState } from '../raft/ready.ts'
import { BrokerWatch } from './broker-watch.ts'
import { bootstrapDuty, fenceDuty, overdueElectionDuty, preferredElectionDuty, uncleanElectionDuty } from './duties.ts'
import type { ControllerCounters, ControllerMetricsView } from './metrics-view.ts'
import { metricsView } from './metrics-view.ts'
import type { Operation } from './operation.ts'
import { OperationQueue } from './operation-queue.ts'
import type { RequestServices } from './request-operations.ts'
import { assuranceOf, decideRequest } from './request-operations.ts'

/** Between a broker's return to the in-sync set and getting its leaderships back. */
export const HANDBACK_DELAY_MS = 5_000
const SESSION_CHECK_INTERVAL_MS_MAX = 1_000

export interface QuorumControllerDependencies {
  readonly quorum: Pick<Quorum, 'state' | 'append'>
  /** Of the same node; the controller decides on what it has replayed. */
  readonly loader: MetadataLoader
  readonly codec: RecordCodec
  readonly probe: LivenessProbe
  readonly scheduler: Scheduler
  readonly random: Random
  readonly log: Logger
}

type Activity =
  | { readonly kind: 'standby' }
  /** Leads the quorum, has yet to replay what was committed before. */
  | { readonly kind: 'catching-up'; readonly role: RoleState }
  | { readonly kind: 'active'; readonly queue: OperationQueue; readonly timers: readonly TimerHandle[] }

export class QuorumController implements ControllerService, ReplayObserver {
  readonly metrics: ControllerMetricsView
  readonly #settings: ControllerSettings
  readonly #deps: QuorumControllerDependencies
  readonly #sessions: BrokerSessions
  readonly #watch: BrokerWatch
  readonly #handback: HandbackSchedule
  readonly #services: RequestServices
  readonly #counters: ControllerCounters = {
    uncleanLeaderElections: 0,
    newActiveControllers: 0,
    operationsStarted: 0,
    timedOutBrokerHeartbeats: 0,
  }
  #activity: Activity = { kind: 'standby' }
  #handbackTimer: TimerHandle | null = null

  constructor(settings: ControllerSettings, dependencies: QuorumControllerDependencies) {
    const { config } = settings
    const { loader, scheduler, quorum, probe, log } = dependencies
    this.#settings = settings
    this.#deps = dependencies
    this.#sessions = new BrokerSessions({ sessionTimeoutMs: config.brokerSessionTimeoutMs })
    this.#services = { sessions: this.#sessions, scheduler, quorum }
    this.#handback = new HandbackSchedule({
      delayMs: HANDBACK_DELAY_MS,
      delayMsMax: config.leaderImbalanceCheckIntervalSeconds * 1000,
    })
    this.#watch = new BrokerWatch(
      { probeListener: (config.interBrokerListenerName ?? config.securityInterBrokerProtocol).toUpperCase() },
      {
        sessions: this.#sessions,
        probe,
        scheduler,
        log,
        image: () => this.#queue()?.speculativeImage ?? null,
        onDead: (brokerId, brokerEpoch) => this.#run(fenceDuty(brokerId, brokerEpoch, this.#sessions)),
      },
    )
    this.metrics = metricsView({
      image: () => loader.image,
      counters: this.#counters,
      isActive: () => this.isActive,
      pending: () => this.#queue()?.pendingCount ?? 0,
      publisherErrors: () => loader.publisherErrors,
    })
    loader.observe(this)
  }

  get isActive(): boolean {
    return this.#activity.kind === 'active'
  }

  handle(request: ControllerRequest): Promise<ControllerReply> {
    const queue = this.#queue()
    if (queue === null) return Promise.resolve(this.#notController())
    return new Promise((resolve) => {
      this.#run({
        name: `api-${request.apiKey}`,
        assurance: assuranceOf(request.apiKey),
        decide: (context) => decideRequest(context, request, this.#services),
        completed: (body) => resolve({ kind: 'answered', body }),
        dropped: (fate) => resolve(fate === 'unknown' ? { kind: 'unreachable' } : this.#notController()),
      })
    })
  }

  sessionOpened(brokerId: NodeId, brokerEpoch: number): void {
    this.#sessions.streamOpened(brokerId, brokerEpoch, this.#deps.scheduler.monotonicMs())
  }

  sessionLost(brokerId: NodeId, brokerEpoch: number): void {
    this.#sessions.streamLost(brokerId, brokerEpoch)
    if (this.isActive && !this.#sessions.hasStream(brokerId, brokerEpoch))
      this.#watch.suspect(brokerId, brokerEpoch)
  }

  /** Called by the loader. */
  onRoleChange(role: RoleState): void {
    this.#resign()
    if (role.kind === 'leader') this.#activity = { kind: 'catching-up', role }
  }

  /** Called by the loader, after every step of the log. */
  onReplayed(image: IndexedImage): void {
    this.#queue()?.committed(image)
    const activity = this.#activity
    // The first entry of this leader's epoch is committed: so is everything before it (Raft 5.4.2, 8).
    if (activity.kind === 'catching-up' && image.epoch === activity.role.epoch)
      this.#activate(image, activity.role)
  }

  #activate(image: IndexedImage, role: RoleState): void {
    const { quorum, codec, scheduler, random, log } = this.#deps
    const queue = new OperationQueue(image, role.epoch, {
      settings: this.#settings,
      quorum,
      codec,
      scheduler,
      random,
      onProposed: (records, after) => this.#onProposed(records, after),
    })
    this.#sessions.reset(image, scheduler.monotonicMs())
    this.#activity = { kind: 'active', queue, timers: this.#startTimers() }
    this.#counters.newActiveControllers++
    log.info({ epoch: role.epoch, offset: image.offset }, 'this node is the active controller now')
    if (image.features.size === 0) this.#run(bootstrapDuty())
    this.#watch.suspectAllWithoutStream(image)
    this.#scheduleHandbacks(image)
    this.#electOverdue()
    this.#electUncleanly()
  }

  #resign(): void {
    const activity = this.#activity
    this.#activity = { kind: 'standby' }
    if (activity.kind !== 'active') return
    for (const timer of activity.timers) timer.cancel()
    this.#handbackTimer?.cancel()
    this.#handbackTimer = null
    this.#handback.clear()
    activity.queue.close()
    this.#deps.log.info({}, 'this node is no longer the active controller')
  }

  #startTimers(): TimerHandle[] {
    const { scheduler } = this.#deps
    const {
      brokerSessionTimeoutMs,
      uncleanLeaderElectionIntervalMs,
      autoLeaderRebalanceEnable,
      leaderImbalanceCheckIntervalSeconds,
    } = this.#settings.config
    const sessionCheckMs = Math.min(SESSION_CHECK_INTERVAL_MS_MAX, brokerSessionTimeoutMs / 4)
    const timers = [
      every(scheduler, sessionCheckMs, () => this.#fenceSilentBrokers()),
      every(scheduler, uncleanLeaderElectionIntervalMs, () => this.#electUncleanly()),
    ]
    if (!autoLeaderRebalanceEnable) return timers
    return [
      ...timers,
      every(scheduler, leaderImbalanceCheckIntervalSeconds * 1000, () => this.#electPreferred(() => true)),
    ]
  }

  #fenceSilentBrokers(): void {
    const image = this.#queue()?.speculativeImage
    if (image === undefined) return
    for (const brokerId of this.#sessions.expired(image, this.#deps.scheduler.monotonicMs())) {
      const { epoch } = image.brokers.get(brokerId)!
      this.#counters.timedOutBrokerHeartbeats++
      this.#deps.log.warn(
        { brokerId, brokerEpoch: epoch },
        'broker was silent for the session time-out and is fenced',
      )
      this.#run(fenceDuty(brokerId, epoch, this.#sessions))
    }
  }

  #electPreferred(mayHave: (brokerId: NodeId) => boolean): void {
    this.#run(preferredElectionDuty(mayHave, () => this.#electPreferred(mayHave)))
  }

  #electOverdue(): void {
    this.#run(overdueElectionDuty(() => this.#electOverdue()))
  }

  #electUncleanly(): void {
    this.#run(uncleanElectionDuty(() => this.#electUncleanly()))
  }

  #onProposed(records: readonly MetadataRecord[], image: IndexedImage): void {
    this.#counters.uncleanLeaderElections += countUncleanElections(records)
    const nowMs = this.#deps.scheduler.monotonicMs()
    for (const record of records) {
      if (record.kind === 'broker-change' && record.fenced === true) {
        this.#handback.fenced(record.brokerId, nowMs)
        this.#sessions.fenced(record.brokerId, image.offset)
      }
      if (record.kind === 'partition-change' && record.isr !== null) this.#noteRejoin(record, image)
      // A setting that allows what was forbidden should not have to wait for the next periodic pass.
      if (record.kind === 'config' && record.name === UNCLEAN_LEADER_ELECTION && record.value === 'true')
        this.#electUncleanly()
    }
    this.#armHandback()
  }

  #noteRejoin({ topicId, partition }: PartitionRef, image: IndexedImage): void {
    const registration = image.topics.byId.get(topicId)?.partitions[partition]
    if (registration === undefined || !awaitsPreferred(image, registration)) return
    this.#handback.rejoined(registration.replicas[0]!, this.#deps.scheduler.monotonicMs())
  }

  /** A new active controller takes over the hand-backs that its predecessor had planned. */
  #scheduleHandbacks(image: IndexedImage): void {
    for (const { registration } of partitionsIn(image, image.index.imbalanced)) {
      if (awaitsPreferred(image, registration))
        this.#handback.rejoined(registration.replicas[0]!, this.#deps.scheduler.monotonicMs())
    }
    this.#armHandback()
  }

  #armHandback(): void {
    const dueMs = this.#handback.nextDueMs()
    if (!this.#settings.config.autoLeaderRebalanceEnable || dueMs === null || this.#handbackTimer !== null)
      return
    const { scheduler } = this.#deps
    this.#handbackTimer = scheduler.after(Math.max(0, dueMs - scheduler.monotonicMs()), () => {
      this.#handbackTimer = null
      const due = this.#handback.takeDue(scheduler.monotonicMs())
      if (due.size > 0) this.#electPreferred((brokerId) => due.has(brokerId))
      this.#armHandback()
    })
  }

  #run(operation: Operation): void {
    const queue = this.#queue()
    if (queue === null) return operation.dropped('not-done')
    this.#counters.operationsStarted++
    queue.add(operation)
  }

  #queue(): OperationQueue | null {
    return this.#activity.kind === 'active' ? this.#activity.queue : null
  }

  /** While this node leads but is not active yet, there is nobody to go to: the caller waits. */
  #notController(): ControllerReply {
    const { leaderId } = this.#deps.quorum.state
    return { kind: 'not-controller', leaderId: leaderId === this.#settings.nodeId ? null : leaderId }
  }
}
