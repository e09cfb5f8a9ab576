/** One node of the simulation: the core, its disk, its state machine, and the shell's duties of order. */
import type { Random, Scheduler, TimerHandle } from '@kavka/kernel'
import type { LeaderEpoch, NodeId } from '@kavka/protocol'
import type { RaftMessage } from '../messages.ts'
import type { RaftOptions } from '../options.ts'
import { RaftCore } from '../raft-core.ts'
import type { Ready, Write } from '../ready.ts'
import { ChainedState } from './chained-state.ts'
import { SimulatedDisk } from './simulated-disk.ts'

export interface SimulatedNodeOptions {
  readonly raft: RaftOptions
  readonly writeMsMin: number
  readonly writeMsMax: number
  /** Entries applied between two snapshots; Infinity for none. */
  readonly snapshotEveryEntries: number
  readonly snapshotPaddingBytes: number
}

export interface SimulatedNodeDependencies {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly send: (message: RaftMessage) => void
  /** After every event that touched the node. */
  readonly observe: (node: SimulatedNode) => void
}

export class SimulatedNode {
  readonly id: NodeId
  readonly disk = new SimulatedDisk()
  readonly #options: SimulatedNodeOptions
  readonly #dependencies: SimulatedNodeDependencies
  #core: RaftCore | null = null
  #state = new ChainedState()
  #timer: TimerHandle | null = null
  #timerMs = Infinity
  /** While paused it neither reads nor writes nor looks at the clock, as under SIGSTOP. */
  #pausedInbox: RaftMessage[] | null = null
  #runs = 0
  #diskIsHealed = false

  constructor(options: SimulatedNodeOptions, dependencies: SimulatedNodeDependencies) {
    this.id = options.raft.nodeId
    this.#options = options
    this.#dependencies = dependencies
  }

  /** Null while it is down. */
  get core(): RaftCore | null {
    return this.#core
  }

  get state(): ChainedState {
    return this.#state
  }

  /** Counts the starts: what was scheduled in an earlier run does not happen in a later one. */
  get runs(): number {
    return this.#runs
  }

  start(): void {
    const { scheduler, random } = this.#dependencies
    const persisted = this.disk.load()
    this.#runs++
    this.#state = new ChainedState()
    if (persisted.snapshot !== null) this.#state.restore(persisted.snapshot.bytes, persisted.snapshot.offset)
    this.#core = new RaftCore(this.#options.raft, { random }, persisted, scheduler.monotonicMs())
    this.#pump()
  }

  crash(): void {
    this.#core = null
    this.#pausedInbox = null
    this.#cancelTimer()
    this.disk.crash(this.#dependencies.random)
    this.#dependencies.observe(this)
  }

  pause(): void {
    if (this.#core !== null) this.#pausedInbox ??= []
  }

  resume(): void {
    const inbox = this.#pausedInbox
    this.#pausedInbox = null
    if (this.#core === null || inbox === null) return
    this.#pump()
    for (const message of inbox) this.receive(message)
  }

  /** From now on each write takes a millisecond. */
  healDisk(): void {
    this.#diskIsHealed = true
  }

  receive(message: RaftMessage): void {
    if (this.#pausedInbox !== null) this.#pausedInbox.push(message)
    else this.#input((core) => core.step(message))
  }

  /** Appends if this node leads; whether it does. */
  propose(payload: Uint8Array): boolean {
    let accepted = false
    this.#input((core) => {
      accepted = core.propose(core.role.epoch as LeaderEpoch, [payload]).ok
    })
    return accepted
  }

  peerUnreachable(peer: NodeId): void {
    this.#input((core) => core.peerUnreachable(peer))
  }

  peerReachable(peer: NodeId): void {
    this.#input((core) => core.peerReachable(peer))
  }

  resign(): void {
    this.#input((core) => core.resign())
  }

  #input(apply: (core: RaftCore) => void): void {
    if (this.#core === null || this.#pausedInbox !== null) return
    this.#core.advanceTo(this.#dependencies.scheduler.monotonicMs())
    apply(this.#core)
    this.#pump()
  }

  #pump(): void {
    const core = this.#core
    if (core === null || this.#pausedInbox !== null) return
    core.advanceTo(this.#dependencies.scheduler.monotonicMs())
    while (this.#perform(core, core.ready()));
    this.#armTimer(core)
    this.#dependencies.observe(this)
  }

  /** Whether there was anything to do. */
  #perform(core: RaftCore, ready: Ready): boolean {
    for (const message of ready.messages) this.#dependencies.send(message)
    if (ready.write !== null) this.#write(ready.write, ready.messagesAfterSync)
    if (ready.snapshotToInstall !== null) {
      this.#state.restore(ready.snapshotToInstall.bytes, ready.snapshotToInstall.offset)
    }
    this.#state.apply(ready.committed)
    const snapshotDue = core.appliedOffset - core.snapshotOffset >= this.#options.snapshotEveryEntries
    if (snapshotDue && core.appliedOffset === core.highWatermark) {
      // Before the log is trimmed: the commit may be news to all.
      this.#dependencies.observe(this)
      core.snapshotTaken(core.appliedOffset, this.#state.snapshot(this.#options.snapshotPaddingBytes))
      return true
    }
    return ready.messages.length > 0 || ready.committed.length > 0 || ready.write !== null
  }

  #write(write: Write, messagesAfterSync: readonly RaftMessage[]): void {
    const { scheduler, random, send } = this.#dependencies
    const [writeMsMin, writeMsMax] = this.#diskIsHealed ? [1, 1] : [this.#options.writeMsMin, this.#options.writeMsMax]
    const run = this.#runs
    this.disk.begin(write)
    const finish = (): void => {
      if (run !== this.#runs || this.#core === null) return
      if (this.#pausedInbox !== null) {
        scheduler.after(1, finish)
        return
      }
      this.disk.complete()
      for (const message of messagesAfterSync) send(message)
      this.#input((core) => core.persisted(write.id))
    }
    scheduler.after(writeMsMin + random.unit() * (writeMsMax - writeMsMin), finish)
  }

  #armTimer(core: RaftCore): void {
    const { scheduler } = this.#dependencies
    const atMs = core.nextDeadlineMs
    if (atMs === this.#timerMs) return
    this.#cancelTimer()
    if (atMs === Infinity) return
    this.#timerMs = atMs
    this.#timer = scheduler.after(Math.max(0, atMs - scheduler.monotonicMs()), () => {
      this.#timerMs = Infinity
      this.#pump()
    })
  }

  #cancelTimer(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#timerMs = Infinity
  }
}
