/**
 * Before a damaged replica throws away what it has, its leader reads its own log from start to end: every batch is checked on the way.
 * Without that two replicas with damage in different places could lose a record that one of them still held: the first is emptied to be
 * filled from the second, and only then the second turns out to lack what the first had. A leader that finds damage refuses to fill
 * anybody; nothing is thrown away, and both replicas go on with what is sound in them.
 */
import type { Scheduler } from '@kavka/kernel'
import { ErrorCode, offset } from '@kavka/protocol'
import type { LeaderEpoch } from '@kavka/protocol'
import type { PartitionLog } from '@kavka/storage'

export type ProofState = 'running' | 'sound' | 'damaged'

export interface LeaderProofDependencies {
  readonly scheduler: Scheduler
  /** Still leads in that epoch. */
  readonly isCurrent: (epoch: LeaderEpoch) => boolean
  /** Running no more. */
  readonly settled: () => void
}

/** One read at a time, so that it costs the disk no more than a consumer that starts at the beginning. */
const CHUNK_BYTES = 1024 * 1024
/** After a read that said nothing. */
const RETRY_MS = 1_000

export class LeaderProof {
  readonly #dependencies: LeaderProofDependencies
  #known: { readonly epoch: LeaderEpoch; state: ProofState } | null = null

  constructor(dependencies: LeaderProofDependencies) {
    this.#dependencies = dependencies
  }

  /** For the leadership of that epoch; the first call begins it. */
  state(log: PartitionLog, epoch: LeaderEpoch): ProofState {
    if (this.#known?.epoch === epoch) return this.#known.state
    this.#known = { epoch, state: 'running' }
    void this.#run(log, this.#known)
    return 'running'
  }

  async #run(log: PartitionLog, known: { readonly epoch: LeaderEpoch; state: ProofState }): Promise<void> {
    const outcome = await this.#read(log, known.epoch)
    if (this.#known !== known) return
    if (outcome === 'abandoned') return this.#retryLater(known)
    known.state = outcome
    this.#dependencies.settled()
  }

  /** Who waits asks again as soon as it is told, and that begins another one: at once it would be the same again. */
  #retryLater(known: object): void {
    this.#dependencies.scheduler.after(RETRY_MS, () => {
      if (this.#known !== known) return
      this.#known = null
      this.#dependencies.settled()
    })
  }

  async #read(log: PartitionLog, epoch: LeaderEpoch): Promise<'sound' | 'damaged' | 'abandoned'> {
    const end = log.logEndOffset
    let position: number = log.logStartOffset
    while (position < end) {
      await this.#turn()
      if (!this.#dependencies.isCurrent(epoch)) return 'abandoned'
      const startOffset = offset(Math.max(position, log.logStartOffset))
      if (startOffset >= end) break
      const outcome = await log.read({ startOffset, endOffsetMax: end, bytesMax: CHUNK_BYTES, minimum: 'at-least-one-batch' })
      if (outcome.kind === 'read') outcome.memory?.giveBack()
      if (!this.#dependencies.isCurrent(epoch)) return 'abandoned'
      if (outcome.kind === 'failed') return outcome.errorCode === ErrorCode.CORRUPT_MESSAGE ? 'damaged' : 'abandoned'
      // Retention took the start away meanwhile: on from the new one.
      if (outcome.kind === 'offset-out-of-range') continue
      // Nothing but a gap up to the end (compaction), or nothing that could be read now: the next asker tries again.
      if (outcome.nextOffset <= startOffset) return 'abandoned'
      position = outcome.nextOffset
    }
    return 'sound'
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#dependencies.scheduler.soon(resolve)
    })
  }
}
