/**
 * The serial heart of the active controller: operations are decided one after the other on a speculative
 * image (all that is committed and all that is proposed), proposed together, and answered when committed.
 * When leadership ends, the speculation is dropped.
 */
import { assert } from '@kavka/kernel'
import type { Random, Scheduler } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type { LeaderEpoch } from '@kavka/protocol'
import type { ControllerSettings, Decision } from '../metadata/decision.ts'
import { decided } from '../metadata/decision.ts'
import { replayBatch } from '../metadata/delta.ts'
import type { IndexedImage } from '../metadata/partition-index.ts'
import type { RecordCodec } from '../metadata/record-codec.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import type { Quorum } from '../quorum/driver-contract.ts'
import { bytesOf, PART_BYTES_MAX, partsOf } from './entry-parts.ts'
import type { Operation, OperationFate } from './operation.ts'

/** Operations that are not answered: they wait for their turn, for a commit, or until the voters are heard. More are turned away. */
export const OPERATIONS_QUEUED_MAX = 10_000
/** Records after which a batch is closed and the next one begun: keeps entries far below the log's limit. */
export const RECORDS_PER_BATCH_MAX = 2_000
const RETRY_PAUSE_MS = 20
/** Between two looks whether the voters have been heard again. */
const CONFIRM_PAUSE_MS = 20

export interface OperationQueueDependencies {
  readonly settings: ControllerSettings
  readonly quorum: Pick<Quorum, 'state' | 'append'>
  readonly codec: RecordCodec
  readonly scheduler: Scheduler
  readonly random: Random
  /** Sees all records that were appended, with the speculative image after them. */
  readonly onProposed: (records: readonly MetadataRecord[], image: IndexedImage) => void
}

interface Answer {
  readonly operation: Operation
  readonly decision: Decision<unknown>
  /** Answered when the log is committed up to here. */
  readonly offset: number
}

interface Batch {
  readonly records: MetadataRecord[]
  /** A broker that registers twice in one batch would get the same epoch twice. */
  registers: boolean
  bytes: number
}

/** Nothing was done; the code at the top of the response, as for an API that does not exist. */
const TOO_LARGE = decided([], { errorCode: ErrorCode.POLICY_VIOLATION })

export class OperationQueue {
  readonly #deps: OperationQueueDependencies
  readonly #queued: Operation[] = []
  /** In order of their offsets. */
  #answers: Answer[] = []
  /** Of decisions that change nothing, while the voters are not heard. */
  #unconfirmed: Answer[] = []
  #speculative: IndexedImage
  #committed: IndexedImage
  readonly #epoch: LeaderEpoch
  #state: 'open' | 'closed' = 'open'
  #turn: 'none' | 'scheduled' = 'none'

  /** One queue for one leadership: from the image at its begin. */
  constructor(image: IndexedImage, epoch: LeaderEpoch, dependencies: OperationQueueDependencies) {
    this.#speculative = image
    this.#committed = image
    this.#epoch = epoch
    this.#deps = dependencies
  }

  get speculativeImage(): IndexedImage {
    return this.#speculative
  }

  /** Decided but not yet answered. */
  get pendingCount(): number {
    return this.#answers.length
  }

  add(operation: Operation): void {
    const waiting = this.#queued.length + this.#answers.length + this.#unconfirmed.length
    if (this.#state === 'closed' || waiting >= OPERATIONS_QUEUED_MAX) return operation.dropped('not-done')
    this.#queued.push(operation)
    this.#scheduleTurn()
  }

  /** The log is committed up to `image`. */
  committed(image: IndexedImage): void {
    this.#committed = image
    // Equal by construction; the committed one is kept so that the other's nodes can go.
    if (this.#speculative.offset === image.offset) this.#speculative = image
    assert(this.#speculative.offset >= image.offset, 'committed what this leader never proposed', {
      offset: image.offset,
    })
    this.#answerUpTo(image.offset)
    if (this.#queued.length > 0) this.#scheduleTurn()
  }

  /**
   * Leadership is over: what was not proposed did not happen, what was may yet be committed by the next
   * leader.
   */
  close(): void {
    this.#state = 'closed'
    for (const operation of this.#queued.splice(0)) operation.dropped('not-done')
    for (const { operation, decision } of this.#answers.splice(0)) operation.dropped(fateOf(decision))
    for (const { operation, decision } of this.#unconfirmed.splice(0)) operation.dropped(fateOf(decision))
  }

  #scheduleTurn(): void {
    if (this.#turn === 'scheduled') return
    this.#turn = 'scheduled'
    this.#deps.scheduler.soon(() => this.#runTurn())
  }

  #runTurn(): void {
    this.#turn = 'none'
    if (this.#state === 'closed') return
    const before = this.#speculative
    const operations = this.#queued.splice(0)
    const { answers, batches } = this.#decideAll(operations)
    const refusal = this.#propose(batches)
    if (refusal === null) {
      for (const { records } of batches) this.#deps.onProposed(records, this.#speculative)
      this.#answers.push(...answers)
      this.#answerUpTo(this.#committed.offset)
      return
    }
    this.#speculative = before
    if (refusal === 'too-many-pending') this.#retryLater(operations)
    else for (const operation of operations) operation.dropped('not-done')
  }

  /** The next commit makes room, or, should there be none of ours on its way, time does. */
  #retryLater(operations: readonly Operation[]): void {
    this.#queued.unshift(...operations)
    this.#deps.scheduler.after(RETRY_PAUSE_MS, () => {
      if (this.#state === 'open' && this.#queued.length > 0) this.#scheduleTurn()
    })
  }

  #decideAll(operations: readonly Operation[]): { answers: Answer[]; batches: Batch[] } {
    const { settings, random, quorum } = this.#deps
    const nextOffset = quorum.state.logEndOffset
    const answers: Answer[] = []
    const batches: Batch[] = []
    for (const operation of operations) {
      const outcome = operation.decide({ image: this.#speculative, settings, random })
      const parts = partsOf(outcome)
      const decision = parts === null ? TOO_LARGE : outcome
      for (const part of parts ?? []) if (part.length > 0) this.#extend(batches, nextOffset, part)
      answers.push({ operation, decision, offset: this.#speculative.offset })
    }
    return { answers: this.#assured(answers, batches, nextOffset), batches }
  }

  /** Answers that want a commit wait for the last of this turn's, which is made for them when there is none. In order of their offsets. */
  #assured(answers: readonly Answer[], batches: Batch[], nextOffset: number): Answer[] {
    if (!answers.some(wantsCommit)) return [...answers]
    if (batches.length === 0) this.#extend(batches, nextOffset, [{ kind: 'no-op' }])
    const { offset } = this.#speculative
    return answers.map((answer) => (wantsCommit(answer) ? { ...answer, offset } : answer)).toSorted((a, b) => a.offset - b.offset)
  }

  #extend(batches: Batch[], nextOffset: number, records: readonly MetadataRecord[]): void {
    const registers = records.some(({ kind }) => kind === 'register-broker')
    const open = batches.at(-1)
    const bytes = bytesOf(records)
    const fits =
      open !== undefined &&
      open.records.length + records.length <= RECORDS_PER_BATCH_MAX &&
      open.bytes + bytes <= PART_BYTES_MAX
    const batch = fits && !(open.registers && registers) ? open : { records: [], registers: false, bytes: 0 }
    if (batch !== open) batches.push(batch)
    batch.records.push(...records)
    batch.registers ||= registers
    batch.bytes += bytes
    this.#speculative = replayBatch(this.#speculative, records, nextOffset + batches.length - 1, this.#epoch)
  }

  #propose(batches: readonly Batch[]): null | 'not-leader' | 'too-many-pending' {
    if (batches.length === 0) return null
    const { quorum, codec } = this.#deps
    const expectedOffset = quorum.state.logEndOffset
    const accepted = quorum.append(
      this.#epoch,
      batches.map(({ records }) => codec.encode(records)),
    )
    if (!accepted.ok) return accepted.error
    assert(accepted.value.baseOffset === expectedOffset, 'the log grew during a turn of its leader')
    return null
  }

  #answerUpTo(offset: number): void {
    const firstWaiting = this.#answers.findIndex((answer) => answer.offset > offset)
    const ready = this.#answers.splice(0, firstWaiting === -1 ? this.#answers.length : firstWaiting)
    for (const answer of ready) {
      // What is committed was committed by this leader.
      if (answer.decision.records.length > 0 || answer.operation.assurance === 'commit' || this.#isHeard()) complete(answer)
      else this.#confirmLater(answer)
    }
  }

  #confirmLater(answer: Answer): void {
    this.#unconfirmed.push(answer)
    if (this.#unconfirmed.length === 1) this.#lookAgain()
  }

  #lookAgain(): void {
    this.#deps.scheduler.after(CONFIRM_PAUSE_MS, () => {
      if (this.#state === 'closed' || this.#unconfirmed.length === 0) return
      if (!this.#isHeard()) return this.#lookAgain()
      for (const answer of this.#unconfirmed.splice(0)) complete(answer)
    })
  }

  /**
   * A majority of the voters fetched less than half a fetch time-out ago: none of them has begun to look for another leader, and no other
   * leader can be without one of them (a lease as in Ongaro 2014, §6.4.1). The other half is for clocks that do not run alike. Not for
   * what clients are told: a fetch may arrive long after it was sent.
   */
  #isHeard(): boolean {
    const { quorum, scheduler, settings } = this.#deps
    const { voters, voterIds, leaderId } = quorum.state
    const sinceMs = scheduler.wallMs() - settings.config.controllerQuorumFetchTimeoutMs / 2
    return voters.filter(({ nodeId, lastFetchMs }) => nodeId === leaderId || lastFetchMs >= sinceMs).length * 2 > voterIds.length
  }
}

function wantsCommit({ operation, decision }: Answer): boolean {
  return operation.assurance === 'commit' && decision.records.length === 0
}

function complete({ operation, decision, offset }: Answer): void {
  operation.completed(decision.respond(offset))
}

function fateOf({ records }: Decision<unknown>): OperationFate {
  return records.length === 0 ? 'not-done' : 'unknown'
}
