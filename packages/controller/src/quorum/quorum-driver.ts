/**
 * The shell around the Raft core: it hands over messages and time, and does what comes out, in this order: send, write, apply.
 * One write is under way at a time; what comes up meanwhile goes into the next, so that a busy leader syncs whole batches.
 */
import { assert, failure, success } from '@kavka/kernel'
import type { KeyValueStore, Logger, Random, Result, Scheduler, TimerHandle } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import { describeRole } from '../raft/describe.ts'
import type { Entry, RaftMessage } from '../raft/messages.ts'
import { RAFT_DEFAULTS } from '../raft/options.ts'
import type { RaftOptions } from '../raft/options.ts'
import { RaftCore } from '../raft/raft-core.ts'
import type { PersistedState, Ready, RoleState, Write } from '../raft/ready.ts'
import type {
  AcceptedProposals, ProposalError, Quorum, QuorumState, QuorumStateMachine,
} from './driver-contract.ts'
import type { QuorumPeers } from './peers.ts'
import { Proposals } from './proposals.ts'
import { quorumStateOf } from './quorum-state.ts'
import { RaftStorage } from './raft-storage.ts'
import type { StorageProblem } from './raft-storage.ts'
import { SnapshotSchedule } from './snapshot-schedule.ts'

/** The first three are required; the rest has defaults (`RAFT_DEFAULTS`, `DRIVER_DEFAULTS`). */
export interface QuorumDriverOptions extends Partial<RaftOptions> {
  readonly nodeId: NodeId
  readonly clusterId: string
  /** `controller.quorum.voters`: a node that is not among them is an observer. */
  readonly voterIds: readonly NodeId[]
  /** Bounds of proposals appended and not committed yet. */
  readonly pendingEntriesMax?: number
  readonly pendingBytesMax?: number
  /** `metadata.log.max.record.bytes.between.snapshots`. */
  readonly snapshotAfterBytes?: number
  /** `metadata.log.max.snapshot.interval.ms`; 0 switches it off. */
  readonly snapshotAfterMs?: number
}

export const DRIVER_DEFAULTS = {
  pendingEntriesMax: 10_000,
  pendingBytesMax: 64 * 1024 * 1024,
  snapshotAfterBytes: 20 * 1024 * 1024,
  snapshotAfterMs: 3_600_000,
} as const

export interface QuorumDriverDependencies {
  readonly scheduler: Scheduler
  readonly random: Random
  /** Stays open; whoever opened it closes it after `stop`. */
  readonly store: KeyValueStore
  readonly peers: QuorumPeers
  readonly stateMachine: QuorumStateMachine
  readonly logger: Logger
  /** A write failed or an assertion broke: this node has fallen silent, and the process is to end (KAFKA-14644). */
  readonly onFatal: (error: unknown) => void
}

/** As Kafka calls the class that does this. */
const LOGGER_NAME = 'org.apache.kafka.raft.KafkaRaftClient'

export class QuorumDriver implements Quorum {
  readonly #options: RaftOptions & typeof DRIVER_DEFAULTS
  readonly #dependencies: QuorumDriverDependencies
  readonly #logger: Logger
  readonly #proposals: Proposals
  readonly #snapshots: SnapshotSchedule
  readonly #strangers = new Set<NodeId>()
  #core: RaftCore | null = null
  #storage: RaftStorage | null = null
  #phase: 'new' | 'running' | 'stopping' | 'stopped' = 'new'
  #writing: Promise<void> = Promise.resolve()
  #pumpIsScheduled = false
  #timer: { readonly handle: TimerHandle; readonly atMs: number } | null = null

  constructor(options: QuorumDriverOptions, dependencies: QuorumDriverDependencies) {
    this.#options = { ...RAFT_DEFAULTS, ...DRIVER_DEFAULTS, ...options } as RaftOptions & typeof DRIVER_DEFAULTS
    this.#dependencies = dependencies
    this.#logger = dependencies.logger.child({ logger: LOGGER_NAME })
    this.#proposals = new Proposals(this.#options)
    this.#snapshots = new SnapshotSchedule(this.#options)
  }

  /** Fails when the store belongs to another cluster or node, or is damaged. */
  async start(): Promise<void> {
    assert(this.#phase === 'new', 'a driver starts once', { phase: this.#phase })
    const { store, random, scheduler, stateMachine } = this.#dependencies
    this.#storage = accepted(await RaftStorage.open(store, this.#options), this.#options)
    const persisted = accepted(await this.#storage.load(), this.#options)
    const { snapshot } = persisted
    if (snapshot !== null) stateMachine.onSnapshot(snapshot.bytes, snapshot.offset, snapshot.epoch)
    this.#logStart(persisted)
    this.#snapshots.restart(scheduler.monotonicMs())
    this.#core = new RaftCore(this.#options, { random }, persisted, scheduler.monotonicMs())
    this.#phase = 'running'
    this.#pump()
  }

  async stop(): Promise<void> {
    if (this.#phase === 'running') {
      this.#input((core) => core.resign())
      this.#pump()
    }
    if (this.#phase === 'running') this.#phase = 'stopping'
    this.#timer?.handle.cancel()
    await this.#writing
    this.#phase = 'stopped'
    this.#proposals.failAll()
  }

  get state(): QuorumState {
    return quorumStateOf(this.#core, this.#options, this.#dependencies.scheduler)
  }

  append(epoch: LeaderEpoch, payloads: readonly Uint8Array[]): Result<AcceptedProposals, ProposalError> {
    assert(payloads.length > 0, 'nothing to append')
    const core = this.#core
    if (core === null || this.#phase !== 'running') return failure('not-leader')
    if (core.role.kind !== 'leader' || core.role.epoch !== epoch) return failure('not-leader')
    if (!this.#proposals.hasRoomFor(payloads)) return failure('too-many-pending')
    const proposed = core.propose(epoch, payloads)
    assert(proposed.ok, 'the leader of the epoch accepts')
    const baseOffset = proposed.value
    const lastOffset = (baseOffset + payloads.length - 1) as Offset
    this.#schedulePump()
    return success({ baseOffset, epoch, committed: this.#proposals.add(lastOffset, epoch, payloads) })
  }

  propose(payload: Uint8Array): Promise<Result<{ readonly offset: Offset }, ProposalError>> {
    return this.proposeAll([payload])
  }

  async proposeAll(payloads: readonly Uint8Array[]): Promise<Result<{ readonly offset: Offset }, ProposalError>> {
    if (this.#core === null) return failure('not-leader')
    const appended = this.append(this.#core.role.epoch, payloads)
    return appended.ok ? await appended.value.committed : appended
  }

  receive(message: RaftMessage): void {
    if (message.clusterId !== this.#options.clusterId) return this.#warnOfStranger(message)
    this.#input((core) => core.step(message))
  }

  peerReachable(nodeId: NodeId): void {
    this.#input((core) => core.peerReachable(nodeId))
  }

  peerUnreachable(nodeId: NodeId): void {
    this.#input((core) => core.peerUnreachable(nodeId))
  }

  /** Inputs of one turn of the event loop are worked on together, when it ends. */
  #input(apply: (core: RaftCore) => void): void {
    this.#guarded((core) => {
      core.advanceTo(this.#dependencies.scheduler.monotonicMs())
      apply(core)
      this.#schedulePump()
    })
  }

  #schedulePump(): void {
    if (this.#pumpIsScheduled) return
    this.#pumpIsScheduled = true
    this.#dependencies.scheduler.soon(() => {
      this.#pumpIsScheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    this.#guarded((core) => {
      core.advanceTo(this.#dependencies.scheduler.monotonicMs())
      while (this.#perform(core, core.ready()));
      this.#armTimer(core)
    })
  }

  /** Whether anything was done. */
  #perform(core: RaftCore, ready: Ready): boolean {
    const { stateMachine } = this.#dependencies
    this.#send(ready.messages)
    if (ready.write !== null) this.#writing = this.#write(ready.write, ready.messagesAfterSync)
    if (ready.roleChange !== null) this.#changeRole(ready.roleChange)
    const snapshot = ready.snapshotToInstall
    if (snapshot !== null) {
      this.#logger.info({ offset: snapshot.offset, epoch: snapshot.epoch }, 'Loading a snapshot from the leader')
      stateMachine.onSnapshot(snapshot.bytes, snapshot.offset, snapshot.epoch)
      this.#snapshots.restart(this.#dependencies.scheduler.monotonicMs())
    }
    if (ready.committed.length > 0) this.#apply(core, ready.committed)
    if (core.role.kind !== 'leader') this.#proposals.failAll()
    return ready.messages.length > 0 || ready.write !== null || ready.committed.length > 0
  }

  #send(messages: readonly RaftMessage[]): void {
    for (const message of messages) this.#dependencies.peers.send(message.to, message)
  }

  async #write(write: Write, messagesAfterSync: readonly RaftMessage[]): Promise<void> {
    assert(this.#storage !== null, 'writing before the store is open')
    try {
      await this.#storage.write(write)
    } catch (error) {
      return this.#fail(error)
    }
    this.#guarded((core) => {
      this.#send(messagesAfterSync)
      core.advanceTo(this.#dependencies.scheduler.monotonicMs())
      core.persisted(write.id)
    })
    this.#pump()
  }

  #apply(core: RaftCore, committed: readonly Entry[]): void {
    const { stateMachine, scheduler } = this.#dependencies
    const first = committed[0]!.offset
    stateMachine.onCommitted(committed)
    this.#proposals.settleBelow(core.appliedOffset, (offset) => committed[offset - first]?.epoch ?? null)
    this.#snapshots.applied(committed)
    if (core.appliedOffset < core.highWatermark || !this.#snapshots.isDue(scheduler.monotonicMs())) return
    const bytes = stateMachine.snapshotState()
    this.#logger.info({ offset: core.appliedOffset, bytes: bytes.length }, 'Took a snapshot of the metadata')
    core.snapshotTaken(core.appliedOffset, bytes)
    this.#snapshots.restart(scheduler.monotonicMs())
    this.#schedulePump()
  }

  #changeRole(role: RoleState): void {
    this.#logger.info({ role: role.kind, epoch: role.epoch, leaderId: role.leaderId }, `Now ${describeRole(role)}`)
    this.#dependencies.stateMachine.onRoleChange(role)
  }

  /** Runs `action` while this node takes part; what it throws is a bug, after which the node must not go on. */
  #guarded(action: (core: RaftCore) => void): void {
    if (this.#core === null || this.#phase !== 'running') return
    try {
      action(this.#core)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#phase === 'stopped') return
    this.#phase = 'stopped'
    this.#timer?.handle.cancel()
    this.#logger.fatal({ err: error }, 'The metadata quorum of this node has failed; it takes no further part')
    this.#proposals.failAll()
    this.#dependencies.onFatal(error)
  }

  /** Deadlines mostly move away: a timer that fires early finds nothing due and is armed anew, which is cheaper than moving it. */
  #armTimer(core: RaftCore): void {
    const { scheduler } = this.#dependencies
    const atMs = core.nextDeadlineMs
    if (this.#phase !== 'running' || atMs === Infinity) return
    if (this.#timer !== null && this.#timer.atMs <= atMs) return
    this.#timer?.handle.cancel()
    const handle = scheduler.after(Math.max(0, atMs - scheduler.monotonicMs()), () => {
      this.#timer = null
      this.#pump()
    })
    this.#timer = { handle, atMs }
  }

  #warnOfStranger(message: RaftMessage): void {
    if (this.#strangers.has(message.from) || this.#strangers.size >= STRANGERS_MAX) return
    this.#strangers.add(message.from)
    const { from, clusterId } = message
    this.#logger.warn({ from, clusterId }, 'Refusing messages of another cluster (INCONSISTENT_CLUSTER_ID)')
  }

  #logStart({ hardState, snapshot, logStart, entries }: PersistedState): void {
    const { epoch } = hardState
    const logEndOffset = logStart.offset + entries.length
    this.#logger.info({ epoch, logEndOffset, snapshot: snapshot?.offset ?? null }, 'Starting the metadata quorum')
  }
}

/** Nodes of other clusters that are warned of, each once. */
const STRANGERS_MAX = 100

function accepted<T>(result: Result<T, StorageProblem>, options: RaftOptions): T {
  if (result.ok) return result.value
  const problem = result.error
  if (problem.kind === 'corrupt') {
    throw new Error(
      `the metadata log is damaged at ${problem.key} (if a majority of the controllers is sound, move it away and start again: the others have all of it)`,
    )
  }
  const { clusterId, nodeId } = problem.found
  throw new Error(
    `the stored state belongs to node ${nodeId} of cluster ${clusterId}, not to node ${options.nodeId} of ${options.clusterId}`,
  )
}
