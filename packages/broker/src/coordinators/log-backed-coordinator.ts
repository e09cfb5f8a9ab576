import type { Logger, Scheduler } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type { LeaderEpoch } from '@kavka/protocol'
import type { ReplicaManager } from '@kavka/replication'
import type { CoordinatorCore, Correlation, Now } from './coordinator-core.ts'
import { CoordinatorPartition } from './coordinator-partition.ts'

/**
 * Replaying this much takes a few milliseconds: then the event loop gets a turn, however large the configured
 * buffer is.
 */
const LOAD_CHUNK_BYTES_MAX = 256 * 1024

export interface LogBackedCoordinatorOptions {
  /** The internal topic that holds the state. */
  readonly topic: string
  /** After this long whoever waits for a record to be replicated is told to come back. */
  readonly writeTimeoutMs: number
  /** Most bytes read at once while loading. */
  readonly loadBufferBytes: number
}

export interface LogBackedCoordinatorDependencies<Core> {
  readonly replicas: ReplicaManager
  readonly scheduler: Scheduler
  readonly logger: Logger
  createCore(partition: number): Core
  onLoaded?(partition: number, core: Core): void
}

/**
 * The shell that coordinators share: follows the leadership of an internal topic's partitions and keeps a
 * core alive for each one led here. Who knows groups or transactions asks it to run an operation on the core
 * of a partition; the rest (loading, appending, answering, timers) is the same for all.
 */
export class LogBackedCoordinator<Core extends CoordinatorCore> {
  readonly #options: LogBackedCoordinatorOptions
  readonly #dependencies: LogBackedCoordinatorDependencies<Core>
  readonly #partitions = new Map<number, CoordinatorPartition<Core>>()
  #stopped = false

  constructor(options: LogBackedCoordinatorOptions, dependencies: LogBackedCoordinatorDependencies<Core>) {
    this.#options = options
    this.#dependencies = dependencies
    dependencies.replicas.onLeadership(options.topic, {
      elected: (partition, leaderEpoch) => this.#elected(partition, leaderEpoch),
      resigned: (partition, leaderEpoch) => this.#resigned(partition, leaderEpoch),
    })
  }

  /**
   * The answer comes when the core gives it; `refused` makes it when the core cannot be asked or is lost
   * meanwhile.
   */
  request<Answer>(
    partition: number,
    operation: (core: Core, correlation: Correlation<Answer>, now: Now) => void,
    refused: (errorCode: number) => Answer,
  ): Promise<Answer> {
    const owned = this.#partitions.get(partition)
    if (owned === undefined) return Promise.resolve(refused(ErrorCode.NOT_COORDINATOR))
    return owned.request(operation, refused)
  }

  /** As `request`, for operations that answer at once. */
  ask<Answer>(
    partition: number,
    operation: (core: Core, now: Now) => Answer,
    refused: (errorCode: number) => Answer,
  ): Answer {
    const owned = this.#partitions.get(partition)
    return owned === undefined ? refused(ErrorCode.NOT_COORDINATOR) : owned.ask(operation, refused)
  }

  /** Runs an operation on every loaded core. */
  askAll(operation: (core: Core, now: Now) => void): void {
    for (const partition of this.#partitions.values()) partition.ask(operation, () => {})
  }

  /** Cores that are loaded. */
  *cores(): Iterable<Core> {
    for (const { core } of this.#partitions.values()) if (core !== null) yield core
  }

  get isLoading(): boolean {
    for (const { state } of this.#partitions.values()) if (state === 'loading') return true
    return false
  }

  /** Answers everything that waits and takes no more. */
  stop(): void {
    this.#stopped = true
    for (const partition of this.#partitions.values()) partition.close()
    this.#partitions.clear()
  }

  #elected(partition: number, leaderEpoch: LeaderEpoch): void {
    if (this.#stopped) return
    const current = this.#partitions.get(partition)
    if (current !== undefined) {
      current.reelected(leaderEpoch)
      return
    }
    const owned = this.#newPartition(partition, leaderEpoch)
    this.#partitions.set(partition, owned)
    owned.load()
  }

  /** Ends the leadership of that epoch and of those before, never of a later one. */
  #resigned(partition: number, leaderEpoch: LeaderEpoch): void {
    const current = this.#partitions.get(partition)
    if (current === undefined || current.leaderEpoch > leaderEpoch) return
    current.close()
    this.#partitions.delete(partition)
  }

  #newPartition(partition: number, leaderEpoch: LeaderEpoch): CoordinatorPartition<Core> {
    const { replicas, scheduler, logger } = this.#dependencies
    const { topic, writeTimeoutMs, loadBufferBytes } = this.#options
    return new CoordinatorPartition(
      { writeTimeoutMs, leaderEpoch, loadChunkBytesMax: Math.min(loadBufferBytes, LOAD_CHUNK_BYTES_MAX) },
      {
        replicas,
        scheduler,
        logger: logger.child({ topic, partition }),
        view: () => replicas.partition({ topic, partition }),
        createCore: () => this.#dependencies.createCore(partition),
        onLoaded: (core) => this.#dependencies.onLoaded?.(partition, core),
      },
    )
  }
}
