import { assert } from '@kavka/kernel'
import type { Logger, Scheduler } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type { AppendResult, PartitionView, ReplicaManager } from '@kavka/replication'
import { appendOutcomeOf } from './append-errors.ts'
import { encodeBatch, gatherBatches, recordCountOf } from './coordinator-batch.ts'
import type { CoordinatorBatch } from './coordinator-batch.ts'
import type { Now, PendingAppend } from './coordinator-core.ts'

/**
 * Batches of one partition that wait for their replicas at a time; what comes then is gathered into the next
 * one.
 */
const BATCHES_IN_FLIGHT_MAX = 64
/** Appends that wait for a batch; beyond, they are refused, and the clients come back. */
const APPENDS_QUEUED_MAX = 10_000
/**
 * The replica layer keeps no time for coordinators: a record is in the log and committed, or the leadership
 * ends.
 */
const APPEND_TIMEOUT_MS = 2 ** 31 - 1
/** How often the high watermark is looked at for a batch whose waiting the replica layer gave up. */
const COMMIT_POLL_MS = 20

export interface AppendPipelineOptions {
  /** `offsets.commit.timeout.ms`: after this long whoever waits is told to come back. */
  readonly writeTimeoutMs: number
}

export interface AppendPipelineDependencies {
  readonly replicas: ReplicaManager
  readonly view: PartitionView
  readonly scheduler: Scheduler
  readonly logger: Logger
  /** A fate was told to some appends: the core has effects to take. */
  settled(): void
  /** It cannot be known what the log holds: everything must be read again. */
  lost(reason: string): void
}

/**
 * Appends of one partition on their way: gathered once a turn, several batches in flight, their fates told in
 * the order of the log. The order matters: of two commits of one partition the later in the log wins, here as
 * in a replay.
 */
export class AppendPipeline {
  readonly #options: AppendPipelineOptions
  readonly #dependencies: AppendPipelineDependencies
  #queued: PendingAppend[] = []
  readonly #inFlight: InFlight[] = []
  #flushScheduled = false
  #closed = false

  constructor(options: AppendPipelineOptions, dependencies: AppendPipelineDependencies) {
    this.#options = options
    this.#dependencies = dependencies
  }

  enqueue(append: PendingAppend): void {
    assert(!this.#closed, 'a partition that is gone takes no appends')
    if (this.#queued.length >= APPENDS_QUEUED_MAX) {
      append.failed(ErrorCode.NOT_ENOUGH_REPLICAS, this.#now())
      return
    }
    this.#queued.push(append)
    this.#scheduleFlush()
  }

  /** When `expire` must be called next; null: nothing in flight can expire. */
  nextDeadlineMs(): number | null {
    let next: number | null = null
    for (const batch of this.#inFlight) {
      const atMs = batch.pollAtMs ?? (batch.timedOut ? null : batch.deadlineMs)
      if (atMs !== null && (next === null || atMs < next)) next = atMs
    }
    return next
  }

  expire(now: Now): void {
    for (const batch of this.#inFlight) {
      if (!batch.timedOut && batch.deadlineMs <= now.monotonicMs) tellTimeout(batch, now)
      if (batch.pollAtMs !== null && batch.pollAtMs <= now.monotonicMs) this.#poll(batch, now)
    }
    this.#tellFates()
  }

  /** No fate is told any more; results that still arrive are ignored. */
  close(): void {
    this.#closed = true
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#queued.length === 0) return
    this.#flushScheduled = true
    this.#dependencies.scheduler.soon(() => {
      this.#flushScheduled = false
      if (!this.#closed) this.#flush()
    })
  }

  #flush(): void {
    if (this.#inFlight.length >= BATCHES_IN_FLIGHT_MAX) return
    const appends = this.#queued
    this.#queued = []
    const { maxMessageBytes } = this.#dependencies.view.log.config
    for (const gathered of gatherBatches(appends, maxMessageBytes)) {
      if ('tooLarge' in gathered) this.#refuseTooLarge(gathered.tooLarge)
      else this.#send(gathered)
    }
    this.#tellFates()
  }

  /** Takes its place in the queue, so that fates are told in order. */
  #refuseTooLarge(append: PendingAppend): void {
    const batch = { appends: [append], recordCount: recordCountOf(append.payload) }
    this.#inFlight.push({ ...this.#newInFlight(batch, -1), fate: { kind: 'failed', errorCode: ErrorCode.RECORD_LIST_TOO_LARGE } })
  }

  #send(batch: CoordinatorBatch): void {
    const { replicas, view, scheduler } = this.#dependencies
    const firstOffset = view.log.logEndOffset
    const appended = replicas.append({
      acks: -1,
      timeoutMs: APPEND_TIMEOUT_MS,
      origin: batch.appends[0]!.payload.kind === 'marker' ? 'transaction-marker' : 'coordinator',
      entries: [{ topicPartition: view.topicPartition, topicId: null, records: encodeBatch(batch, scheduler.wallMs()) }],
    })
    // The log takes records inside the call: when it grew by this batch, its place is known even if the
    // answer never says.
    const isPlaced = view.log.logEndOffset === firstOffset + batch.recordCount
    const inFlight = this.#newInFlight(batch, isPlaced ? firstOffset : -1)
    this.#inFlight.push(inFlight)
    appended.then(
      ([result]) => this.#resolved(inFlight, result!),
      (error: unknown) => this.#lost(`append threw: ${String(error)}`),
    )
  }

  #newInFlight(batch: CoordinatorBatch, firstOffset: number): InFlight {
    const deadlineMs = this.#dependencies.scheduler.monotonicMs() + this.#options.writeTimeoutMs
    return { batch, firstOffset, deadlineMs, timedOut: false, pollAtMs: null, fate: null }
  }

  #resolved(inFlight: InFlight, result: AppendResult): void {
    if (this.#closed) return
    switch (appendOutcomeOf(result.errorCode)) {
      case 'committed':
        inFlight.fate = { kind: 'committed', firstOffset: result.baseOffset }
        break
      case 'refused':
        inFlight.fate = { kind: 'failed', errorCode: result.errorCode }
        break
      case 'written':
        this.#awaitCommit(inFlight)
        break
      case 'unclear':
        this.#lost(`append answered ${result.errorCode}`)
        return
    }
    this.#tellFates()
  }

  /**
   * The records are in the log of a leader that may lack replicas: they will be committed, or the leadership
   * ends. Rolling back now would make memory and log differ, so the batch keeps its place and the high
   * watermark decides.
   */
  #awaitCommit(inFlight: InFlight): void {
    if (inFlight.firstOffset < 0) {
      this.#lost('records are in the log at an unknown place')
      return
    }
    const now = this.#now()
    if (!inFlight.timedOut) tellTimeout(inFlight, now)
    this.#poll(inFlight, now)
  }

  #poll(inFlight: InFlight, now: Now): void {
    const { firstOffset, batch } = inFlight
    if (this.#dependencies.view.highWatermark >= firstOffset + batch.recordCount) {
      inFlight.pollAtMs = null
      inFlight.fate = { kind: 'committed', firstOffset }
    } else {
      inFlight.pollAtMs = now.monotonicMs + COMMIT_POLL_MS
    }
  }

  #tellFates(): void {
    while (this.#inFlight[0]?.fate != null) {
      const { batch, fate } = this.#inFlight.shift()!
      tellFate(batch, fate!, this.#now())
    }
    this.#dependencies.settled()
    this.#scheduleFlush()
  }

  #lost(reason: string): void {
    if (!this.#closed) this.#dependencies.lost(reason)
  }

  #now(): Now {
    const { scheduler } = this.#dependencies
    return { wallMs: scheduler.wallMs(), monotonicMs: scheduler.monotonicMs() }
  }
}

interface InFlight {
  readonly batch: CoordinatorBatch
  /** Of the first record; -1 when not known yet. */
  readonly firstOffset: number
  readonly deadlineMs: number
  timedOut: boolean
  /** Set while only the high watermark can tell. */
  pollAtMs: number | null
  fate: Fate | null
}

type Fate =
  | { readonly kind: 'committed'; readonly firstOffset: number }
  | { readonly kind: 'failed'; readonly errorCode: number }

function tellFate(batch: CoordinatorBatch, fate: Fate, now: Now): void {
  let offset = fate.kind === 'committed' ? fate.firstOffset : -1
  for (const append of batch.appends) {
    if (fate.kind === 'failed') append.failed(fate.errorCode, now)
    else append.committed(now, offset)
    offset += recordCountOf(append.payload)
  }
}

function tellTimeout(inFlight: InFlight, now: Now): void {
  inFlight.timedOut = true
  for (const append of inFlight.batch.appends) append.timedOut(now)
}
