/** The real log manager with somebody looking on: every append, cut and step of a high watermark is told to the checkers. */
import { ZERO_UUID } from '@kavka/protocol'
import type { NodeId, TopicPartition, Uuid } from '@kavka/protocol'
import type { LogStore } from '@kavka/replication'
import type { LogManager, PartitionLog } from '@kavka/storage'
import type { MemoryFileSystem } from '@kavka/testkit'
import { batchesOnDisk, ShadowLog, shadowBatchesOf, soundBatchesOf } from './shadow-log.ts'
import type { ShadowBatch } from './shadow-log.ts'

export interface ObservedReplica {
  readonly nodeId: NodeId
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly log: PartitionLog
  readonly shadow: ShadowLog
}

export interface ReplicaObserver {
  /** A log was asked for; null: it was there or was made. */
  given(nodeId: NodeId, topicPartition: TopicPartition, errorCode: number | null): void
  opened(replica: ObservedReplica): void
  /** It had lost its topic id, and has got that of the metadata. */
  named(replica: ObservedReplica): void
  /** A client's or coordinator's batches come in. */
  appending(replica: ObservedReplica, records: Buffer): void
  appended(replica: ObservedReplica, from: number, by: 'leader' | 'follower'): void
  duplicate(replica: ObservedReplica): void
  /** Its log is deleted or set aside. */
  forgotten(replica: ObservedReplica): void
  truncating(replica: ObservedReplica, endOffset: number, kind: 'cut' | 'start-over'): void
  /** Cut, and known again from what is left. */
  truncated(replica: ObservedReplica): void
  /** Truncated so that it ends before it did: what lies beside the batches is on the disk as of the cut. */
  shortened(replica: ObservedReplica): void
  highWatermark(replica: ObservedReplica, highWatermark: number): void
  logStart(replica: ObservedReplica, logStart: number): void
  /** Retention has taken the oldest segments. */
  segmentsDeleted(replica: ObservedReplica): void
}

/** What the manager does with a log, which replication does not see. */
interface ManagedLog extends PartitionLog {
  applyRetention(): readonly string[]
  close(): Promise<boolean>
}

/** What the run has done to the files of this machine. */
export interface Rot {
  isIn(directory: string): boolean
  /** What the machine held of a partition when its process stopped. */
  before(topicPartition: TopicPartition): readonly ShadowBatch[]
}

export class ObservedLogs implements LogStore {
  readonly #nodeId: NodeId
  readonly #manager: LogManager
  readonly #disk: MemoryFileSystem
  readonly #observer: ReplicaObserver
  readonly #rot: Rot
  readonly #replicas = new Map<PartitionLog, ObservedReplica>()
  readonly #closed = new Set<PartitionLog>()

  constructor(options: { readonly nodeId: NodeId }, dependencies: { manager: LogManager; disk: MemoryFileSystem; observer: ReplicaObserver; rot: Rot }) {
    this.#nodeId = options.nodeId
    this.#manager = dependencies.manager
    this.#disk = dependencies.disk
    this.#observer = dependencies.observer
    this.#rot = dependencies.rot
    for (const log of this.#manager.logs()) this.#observe(log)
  }

  get replicas(): Iterable<ObservedReplica> {
    return this.#replicas.values()
  }

  /** All of them, cleanly. */
  get areClosed(): boolean {
    return [...this.#replicas.keys()].every((log) => this.#closed.has(log))
  }

  replica(topicPartition: TopicPartition): ObservedReplica | null {
    const log = this.#manager.get(topicPartition)
    return log === null ? null : this.#replicas.get(log) ?? null
  }

  get(topicPartition: TopicPartition): PartitionLog | null {
    return this.#manager.get(topicPartition)
  }

  logs(): Iterable<PartitionLog> {
    return this.#manager.logs()
  }

  getOrCreate(...asked: Parameters<LogStore['getOrCreate']>): ReturnType<LogStore['getOrCreate']> {
    const hasLostId = this.#manager.get(asked[0])?.topicId === ZERO_UUID
    const opened = this.#manager.getOrCreate(...asked)
    this.#observer.given(this.#nodeId, asked[0], opened.ok ? null : opened.error.errorCode)
    if (opened.ok && !this.#replicas.has(opened.value)) this.#observe(opened.value)
    else if (opened.ok && hasLostId) this.#observer.named(this.#replicas.get(opened.value)!)
    return opened
  }

  directoryIdOf(topicPartition: TopicPartition): Uuid | null {
    return this.#manager.directoryIdOf(topicPartition)
  }

  delete(topicPartition: TopicPartition): void {
    this.#forget(topicPartition)
    this.#manager.delete(topicPartition)
  }

  markStray(topicPartition: TopicPartition): void {
    this.#forget(topicPartition)
    this.#manager.markStray(topicPartition)
  }

  checkpointedHighWatermark(topicPartition: TopicPartition): number {
    return this.#manager.checkpointedHighWatermark(topicPartition)
  }

  #forget(topicPartition: TopicPartition): void {
    const log = this.#manager.get(topicPartition)
    const replica = log === null ? undefined : this.#replicas.get(log)
    if (replica === undefined) return
    this.#replicas.delete(replica.log)
    this.#observer.forgotten(replica)
  }

  #observe(log: PartitionLog): void {
    const shadow = new ShadowLog()
    const { topicPartition } = log
    const replica: ObservedReplica = {
      nodeId: this.#nodeId, topicPartition, log, shadow,
      // A log whose partition.metadata was lost gets its id when the metadata names it.
      get topicId() {
        return log.topicId
      },
    }
    for (const batch of this.#batchesOf(log)) if (batch.last >= log.logStartOffset) shadow.append(batch)
    shadow.truncate(log.logEndOffset)
    this.#replicas.set(log, replica)
    this.#wrap(replica)
    this.#observer.opened(replica)
  }

  /**
   * Where the run has damaged files, what they show may say nothing: the log counts as what it was, as far as it says that it reaches.
   * But a disk that forgot a cut and what was written behind it shows what was there earlier, sound to its end: that is the log.
   */
  #batchesOf(log: PartitionLog): readonly ShadowBatch[] {
    if (!this.#rot.isIn(log.directory)) return batchesOnDisk(this.#disk, log.directory, shadowBatchesOf)
    const sound = batchesOnDisk(this.#disk, log.directory, soundBatchesOf)
    return sound.at(-1)?.last === log.logEndOffset - 1 ? sound : this.#rot.before(log.topicPartition)
  }

  /** Methods of the one object are replaced, so that whoever holds it is observed. */
  #wrap(replica: ObservedReplica): void {
    Object.assign(replica.log, { ...this.#appends(replica), ...this.#truncations(replica), ...this.#advances(replica), ...this.#close(replica) })
  }

  #appends(replica: ObservedReplica): Pick<PartitionLog, 'appendAsLeader' | 'appendAsFollower'> {
    const { log, shadow } = replica
    const observer = this.#observer
    const { appendAsLeader, appendAsFollower } = log
    const appended = (records: Buffer, by: 'leader' | 'follower'): void => {
      const from = shadow.batches.length
      for (const batch of shadowBatchesOf(records)) if (batch.base >= shadow.end && batch.last < log.logEndOffset) shadow.append(batch)
      observer.appended(replica, from, by)
    }
    return {
      appendAsLeader: (...args) => {
        observer.appending(replica, args[0])
        const outcome = appendAsLeader.apply(log, args)
        if (outcome.kind === 'appended') appended(args[0], 'leader')
        if (outcome.kind === 'duplicate') observer.duplicate(replica)
        return outcome
      },
      appendAsFollower: (...args) => {
        const outcome = appendAsFollower.apply(log, args)
        if (outcome.kind === 'appended') appended(args[0], 'follower')
        return outcome
      },
    }
  }

  #truncations(replica: ObservedReplica): Pick<PartitionLog, 'truncateTo' | 'truncateFullyAndStartAt'> {
    const { log, shadow } = replica
    const observer = this.#observer
    const { truncateTo, truncateFullyAndStartAt } = log
    return {
      truncateTo: (endOffset) => {
        observer.truncating(replica, endOffset, 'cut')
        shadow.cutFrom = endOffset
        const { logEndOffset } = log
        truncateTo.call(log, endOffset)
        shadow.cutFrom = Infinity
        shadow.truncate(log.logEndOffset)
        // Where it failed half-way the log is as it may be, and out of use.
        if (this.#manager.directories.some(({ state }) => state !== 'online')) return
        observer.truncated(replica)
        if (log.logEndOffset < logEndOffset) observer.shortened(replica)
      },
      truncateFullyAndStartAt: (startOffset) => {
        observer.truncating(replica, startOffset, 'start-over')
        shadow.cutFrom = 0
        truncateFullyAndStartAt.call(log, startOffset)
        shadow.cutFrom = Infinity
        shadow.clear()
      },
    }
  }

  #close({ log }: ObservedReplica): Pick<ManagedLog, 'close'> {
    const { close } = log as ManagedLog
    return {
      close: async () => {
        const isClean = await close.call(log)
        if (isClean) this.#closed.add(log)
        return isClean
      },
    }
  }

  #advances(replica: ObservedReplica): Pick<ManagedLog, 'updateHighWatermark' | 'advanceLogStartOffset' | 'applyRetention'> {
    const log = replica.log as ManagedLog
    const observer = this.#observer
    const { updateHighWatermark, advanceLogStartOffset, applyRetention } = log
    return {
      updateHighWatermark: (highWatermark) => {
        updateHighWatermark.call(log, highWatermark)
        observer.highWatermark(replica, highWatermark)
      },
      advanceLogStartOffset: (startOffset) => {
        const moved = advanceLogStartOffset.call(log, startOffset)
        observer.logStart(replica, log.logStartOffset)
        return moved
      },
      applyRetention: () => {
        const before = log.logStartOffset
        const files = applyRetention.call(log)
        if (log.logStartOffset > before) observer.segmentsDeleted(replica)
        return files
      },
    }
  }
}
