import type { Logger, Scheduler, TimerHandle } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type { PartitionView, ReplicaManager } from '@kavka/replication'
import { AppendPipeline } from './append-pipeline.ts'
import type { CoordinatorCore, Correlation, Now } from './coordinator-core.ts'
import { loadPartition } from './partition-loader.ts'

/**
 * Requests of one partition that may wait at a time, a parked JoinGroup each for most; more are told to come
 * back.
 */
const REQUESTS_WAITING_MAX = 100_000
/** A partition that could not be read is tried again after this long. */
const LOAD_RETRY_MS = 1_000

export interface CoordinatorPartitionOptions {
  readonly writeTimeoutMs: number
  readonly loadChunkBytesMax: number
  readonly leaderEpoch: number
}

export interface CoordinatorPartitionDependencies<Core> {
  readonly replicas: ReplicaManager
  readonly scheduler: Scheduler
  readonly logger: Logger
  view(): PartitionView | null
  createCore(): Core
  /** After each load; for log lines and metrics. */
  onLoaded(core: Core): void
}

type Phase<Core> =
  /** `token` tells one load from the next. */
  | { readonly kind: 'loading'; readonly token: symbol }
  | { readonly kind: 'active'; readonly core: Core; readonly pipeline: AppendPipeline }
  | { readonly kind: 'closed' }

/**
 * One partition of the internal topic, from election to resignation: loads, then runs the core, its appends
 * and its timers.
 *
 * Election and load race, because a load yields to the event loop. The walk through: this broker is elected
 * in epoch 5 and starts to load; in the middle it resigns (epoch 6) and is elected again (epoch 7). The
 * partition object of epoch 5 is closed at the resignation; its load wakes up after its read, sees that its
 * token is no longer the phase's, and leaves without touching anything. Epoch 7 has an object, a core and a
 * load of its own and reads the log from the start, since what another leader wrote in epoch 6 may stand
 * there. Appends race in the same way: a result that arrives after the close finds its pipeline closed and is
 * dropped; whoever waited for it has been answered NOT_COORDINATOR and will find in epoch 7 whatever the log
 * held.
 */
export class CoordinatorPartition<Core extends CoordinatorCore> {
  readonly #options: CoordinatorPartitionOptions
  readonly #dependencies: CoordinatorPartitionDependencies<Core>
  readonly #waiting = new Map<number, Waiting>()
  #leaderEpoch: number
  #phase: Phase<Core> = { kind: 'closed' }
  #nextCorrelation = 0
  #timer: { readonly atMs: number; readonly handle: TimerHandle } | null = null
  #draining = false

  constructor(options: CoordinatorPartitionOptions, dependencies: CoordinatorPartitionDependencies<Core>) {
    this.#leaderEpoch = options.leaderEpoch
    this.#options = options
    this.#dependencies = dependencies
  }

  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  /**
   * Still the leader, in a new epoch, without a resignation between: nobody else has written, the log is what
   * it was, and whatever is loaded, half loaded or under way stays good.
   */
  reelected(leaderEpoch: number): void {
    this.#leaderEpoch = Math.max(this.#leaderEpoch, leaderEpoch)
  }

  get state(): 'loading' | 'active' | 'closed' {
    return this.#phase.kind
  }

  /** Null unless loaded. */
  get core(): Core | null {
    return this.#phase.kind === 'active' ? this.#phase.core : null
  }

  load(): void {
    const token = Symbol('load')
    this.#phase = { kind: 'loading', token }
    void this.#load(token)
  }

  /**
   * Runs an operation that answers by its correlation, now or when its records are committed or others have
   * joined.
   */
  request<Answer>(
    operation: (core: Core, correlation: Correlation<Answer>, now: Now) => void,
    refused: (errorCode: number) => Answer,
  ): Promise<Answer> {
    if (this.#phase.kind !== 'active') return Promise.resolve(refused(this.#refusal()))
    if (this.#waiting.size >= REQUESTS_WAITING_MAX) return Promise.resolve(refused(ErrorCode.COORDINATOR_NOT_AVAILABLE))
    const { core } = this.#phase
    return new Promise((resolve) => {
      const correlation = this.#nextCorrelation++
      this.#waiting.set(correlation, {
        answer: resolve as (body: unknown) => void,
        refuse: (errorCode) => resolve(refused(errorCode)),
      })
      operation(core, correlation as Correlation<Answer>, this.#now())
      this.#drain()
    })
  }

  /** Runs an operation that answers at once; what it decided besides is taken care of. */
  ask<Answer>(operation: (core: Core, now: Now) => Answer, refused: (errorCode: number) => Answer): Answer {
    if (this.#phase.kind !== 'active') return refused(this.#refusal())
    const answer = operation(this.#phase.core, this.#now())
    this.#drain()
    return answer
  }

  /** The leadership is over: whoever waits looks for the new coordinator. */
  close(): void {
    this.#stopWork()
    this.#phase = { kind: 'closed' }
  }

  #refusal(): number {
    return this.#phase.kind === 'loading' ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : ErrorCode.NOT_COORDINATOR
  }

  async #load(token: symbol): Promise<void> {
    const { scheduler, logger } = this.#dependencies
    const isCurrent = () => this.#phase.kind === 'loading' && this.#phase.token === token
    const view = this.#dependencies.view()
    const core = this.#dependencies.createCore()
    const startedMs = scheduler.monotonicMs()
    const outcome =
      view === null || view.role !== 'leader'
        ? ({ kind: 'failed', reason: 'the replica does not lead' } as const)
        : await loadPartition({ view, core, chunkBytesMax: this.#options.loadChunkBytesMax, isCurrent }, scheduler)
    if (!isCurrent() || outcome.kind === 'abandoned') return
    if (outcome.kind === 'loaded' && view !== null) {
      const durationMs = Math.round(scheduler.monotonicMs() - startedMs)
      logger.info({ records: outcome.recordCount, durationMs, leaderEpoch: this.#leaderEpoch }, 'coordinator partition loaded')
      this.#activate(core, view)
      return
    }
    logger.error({ reason: outcome.kind === 'failed' ? outcome.reason : '' }, 'coordinator partition could not be loaded, trying again')
    scheduler.after(LOAD_RETRY_MS, () => {
      if (isCurrent()) this.load()
    })
  }

  #activate(core: Core, view: PartitionView): void {
    const { replicas, scheduler, logger } = this.#dependencies
    const pipeline = new AppendPipeline(
      { writeTimeoutMs: this.#options.writeTimeoutMs },
      { replicas, view, scheduler, logger, settled: () => this.#drain(), lost: (reason) => this.#reload(reason) },
    )
    this.#phase = { kind: 'active', core, pipeline }
    core.loaded(this.#now())
    this.#dependencies.onLoaded(core)
    this.#drain()
  }

  /** An append whose fate cannot be known: memory is thrown away and made again from what the log says. */
  #reload(reason: string): void {
    if (this.#phase.kind !== 'active') return
    this.#dependencies.logger.warn({ reason, leaderEpoch: this.#leaderEpoch }, 'coordinator partition is loaded again')
    this.#stopWork()
    this.load()
  }

  #stopWork(): void {
    if (this.#phase.kind === 'active') this.#phase.pipeline.close()
    this.#timer?.handle.cancel()
    this.#timer = null
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { refuse } of waiting) refuse(ErrorCode.NOT_COORDINATOR)
  }

  /**
   * Carries out what the core decided. A refused append makes the core decide more, hence the loop; it does
   * not nest.
   */
  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    try {
      while (this.#phase.kind === 'active') {
        const effects = this.#phase.core.takeEffects()
        if (effects.length === 0) break
        for (const effect of effects) {
          if (effect.kind === 'append') this.#phase.pipeline.enqueue(effect.append)
          else this.#answer(effect.correlation, effect.body)
        }
      }
    } finally {
      this.#draining = false
    }
    this.#armTimer()
  }

  /** A second answer, after a time-out was told, finds nobody. */
  #answer(correlation: number, body: unknown): void {
    const waiting = this.#waiting.get(correlation)
    if (waiting === undefined) return
    this.#waiting.delete(correlation)
    waiting.answer(body)
  }

  /**
   * One timer for the partition: set for the earliest deadline; when deadlines move later it just wakes up
   * early.
   */
  #armTimer(): void {
    if (this.#phase.kind !== 'active') return
    const atMs = earlier(this.#phase.core.nextDeadlineMs(), this.#phase.pipeline.nextDeadlineMs())
    if (atMs === null || (this.#timer !== null && this.#timer.atMs <= atMs)) return
    this.#timer?.handle.cancel()
    const delayMs = Math.max(0, atMs - this.#dependencies.scheduler.monotonicMs())
    this.#timer = { atMs, handle: this.#dependencies.scheduler.after(delayMs, () => this.#timerPassed()) }
  }

  #timerPassed(): void {
    this.#timer = null
    if (this.#phase.kind !== 'active') return
    const { core, pipeline } = this.#phase
    const now = this.#now()
    core.expire(now)
    pipeline.expire(now)
    this.#drain()
  }

  #now(): Now {
    const { scheduler } = this.#dependencies
    return { wallMs: scheduler.wallMs(), monotonicMs: scheduler.monotonicMs() }
  }
}

interface Waiting {
  readonly answer: (body: unknown) => void
  readonly refuse: (errorCode: number) => void
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null) return other
  return other === null ? one : Math.min(one, other)
}
