/**
 * What a partition knows of its producers: the last batches of each (idempotence, KIP-98), its open transactions, and from
 * them the last stable offset. Pure; rebuilt after a restart from the newest snapshot and the log behind it.
 */
import { assert } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type { Offset } from '@kavka/protocol'
import type { AppendOrigin, ProducerStateView } from '../../partition-log.ts'

/** A duplicate is recognized among this many batches of its producer; clients keep at most as many requests in flight. */
const BATCHES_KEPT_MAX = 5
const SEQUENCE_MAX = 0x7fff_ffff
export const NO_SEQUENCE = -1
export const NO_EPOCH = -1
const TRANSACTION_VERSION_EPOCH_BUMP = 2

/** The parts of a batch header that matter here. */
export interface ProducerBatch {
  readonly producerId: number
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly firstOffset: number
  readonly lastOffset: number
  /** Log-append time or the largest record timestamp. */
  readonly timestampMs: number
  readonly isTransactional: boolean
}

/** The one record of a transaction marker batch. */
export interface TransactionMarker {
  readonly outcome: 'commit' | 'abort'
  readonly coordinatorEpoch: number
}

export interface RememberedBatch {
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestampMs: number
}

export interface ProducerEntry {
  readonly producerId: number
  producerEpoch: number
  /** Oldest first, all of `producerEpoch`. */
  batches: RememberedBatch[]
  lastTimestampMs: number
  coordinatorEpoch: number
  transactionStartOffset: number | null
}

export interface CompletedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** The marker's offset. */
  readonly lastOffset: number
  readonly outcome: 'commit' | 'abort'
}

export type ProducerVerdict =
  | { readonly kind: 'next' }
  | { readonly kind: 'duplicate'; readonly batch: RememberedBatch }
  | { readonly kind: 'refused'; readonly errorCode: number; readonly message: string }

const NEXT: ProducerVerdict = { kind: 'next' }

export class ProducerState {
  readonly #partition: string
  readonly #producers = new Map<number, ProducerEntry>()
  /** Producer id → first offset; ascending in the offset because transactions start at the log end. */
  readonly #openTransactions = new Map<number, number>()
  /** Ended, but their marker is not below the high watermark yet: readers may not pass their start (ascending in the marker). */
  #endedUnreplicated: CompletedTransaction[] = []
  /** Exclusive end of what was applied; a snapshot taken now is valid at it. */
  #endOffset = 0
  #hasGap = false

  /** `partition` only appears in messages. */
  constructor(partition: string) {
    this.#partition = partition
  }

  get endOffset(): Offset {
    return this.#endOffset as Offset
  }

  set endOffset(value: Offset) {
    this.#endOffset = value
  }

  /** Batches below its end are missing in it: the file was damaged where they were. */
  get hasGap(): boolean {
    return this.#hasGap
  }

  noteGap(): void {
    this.#hasGap = true
  }

  get isEmpty(): boolean {
    return this.#producers.size === 0
  }

  get entries(): Iterable<ProducerEntry> {
    return this.#producers.values()
  }

  /** Start of the earliest transaction that is open, or ended by a marker not yet below the high watermark. */
  get firstUnstableOffset(): Offset | null {
    const open = this.#earliestOpenExcept(null)
    let first = open
    for (const ended of this.#endedUnreplicated) if (first === null || ended.firstOffset < first) first = ended.firstOffset
    return first as Offset | null
  }

  /** May a leader append `batch` (or, with `marker`, end a transaction)? Nothing changes. */
  check(
    batch: ProducerBatch,
    marker: TransactionMarker | null,
    origin: AppendOrigin,
    transactionVersion: number,
  ): ProducerVerdict {
    const entry = this.#producers.get(batch.producerId)
    if (marker !== null) return this.#checkMarker(batch, marker, entry, transactionVersion)
    if (origin === 'client') {
      const duplicate = entry === undefined ? null : findDuplicate(entry, batch)
      if (duplicate !== null) return { kind: 'duplicate', batch: duplicate }
    }
    const epochRefusal = this.#checkDataEpoch(batch, entry)
    if (epochRefusal !== null) return epochRefusal
    const sequenceRefusal = origin === 'client' ? this.#checkSequence(batch, entry, transactionVersion) : null
    if (sequenceRefusal !== null) return sequenceRefusal
    if (entry !== undefined && entry.transactionStartOffset !== null && !batch.isTransactional) {
      return refused(ErrorCode.INVALID_TXN_STATE, `Expected transactional write from producer ${batch.producerId} at offset ${batch.firstOffset} in partition ${this.#partition}`)
    }
    return NEXT
  }

  /** Takes in a batch that the log now holds; returns the transaction that its marker ended, if any. */
  apply(batch: ProducerBatch, marker: TransactionMarker | null): CompletedTransaction | null {
    if (batch.lastOffset + 1 > this.#endOffset) this.#endOffset = batch.lastOffset + 1
    const entry = this.#entryOf(batch.producerId)
    if (marker !== null) return this.#applyMarker(entry, batch, marker)
    this.#adoptEpoch(entry, batch.producerEpoch)
    entry.batches.push({
      lastSequence: lastSequenceOf(batch.firstSequence, batch.lastOffset - batch.firstOffset),
      lastOffset: batch.lastOffset,
      offsetDelta: batch.lastOffset - batch.firstOffset,
      timestampMs: batch.timestampMs,
    })
    if (entry.batches.length > BATCHES_KEPT_MAX) entry.batches.shift()
    entry.lastTimestampMs = batch.timestampMs
    if (batch.isTransactional && entry.transactionStartOffset === null) {
      entry.transactionStartOffset = batch.firstOffset
      this.#openTransactions.set(batch.producerId, batch.firstOffset)
    }
    return null
  }

  /** What the transaction index stores with an aborted transaction: readers below it need not look further. */
  lastStableOffsetAfter(completed: CompletedTransaction): Offset {
    return (this.#earliestOpenExcept(completed.producerId) ?? completed.lastOffset + 1) as Offset
  }

  /** Ended transactions whose marker is below `highWatermark` no longer hold readers back. */
  onHighWatermark(highWatermark: number): void {
    if (this.#endedUnreplicated.length === 0 || this.#endedUnreplicated[0]!.lastOffset >= highWatermark) return
    this.#endedUnreplicated = this.#endedUnreplicated.filter((ended) => ended.lastOffset >= highWatermark)
  }

  /** Forgets producers that wrote nothing for `expirationMs` and have no open transaction. */
  removeExpired(nowMs: number, expirationMs: number): void {
    for (const [producerId, entry] of this.#producers) {
      if (isExpired(entry, nowMs, expirationMs)) this.#producers.delete(producerId)
    }
  }

  /** Starts again from a snapshot valid at `endOffset`. Entries must be in any order; expired ones are dropped. */
  load(entries: readonly ProducerEntry[], endOffset: number): void {
    this.#producers.clear()
    this.#openTransactions.clear()
    this.#endedUnreplicated = []
    this.#endOffset = endOffset
    this.#hasGap = false
    for (const entry of entries) this.#producers.set(entry.producerId, entry)
    const open = entries.filter((entry) => entry.transactionStartOffset !== null)
    open.sort((a, b) => a.transactionStartOffset! - b.transactionStartOffset!)
    for (const entry of open) this.#openTransactions.set(entry.producerId, entry.transactionStartOffset!)
  }

  views(): ProducerStateView[] {
    return [...this.#producers.values()].map((entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.producerEpoch,
      lastSequence: entry.batches.at(-1)?.lastSequence ?? NO_SEQUENCE,
      lastTimestampMs: entry.lastTimestampMs,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTransactionStartOffset: entry.transactionStartOffset ?? -1,
    }))
  }

  #checkMarker(
    batch: ProducerBatch,
    marker: TransactionMarker,
    entry: ProducerEntry | undefined,
    transactionVersion: number,
  ): ProducerVerdict {
    if (entry === undefined) return NEXT
    const where = `${batch.producerId} at offset ${batch.firstOffset} in ${this.#partition}`
    const isRetry = entry.transactionStartOffset === null && batch.producerEpoch === entry.producerEpoch
    if (transactionVersion >= TRANSACTION_VERSION_EPOCH_BUMP && batch.producerEpoch <= entry.producerEpoch && !isRetry) {
      return refused(ErrorCode.INVALID_PRODUCER_EPOCH, `Epoch of producer ${where} is ${batch.producerEpoch}, which is <= the last seen epoch ${entry.producerEpoch} (TV2)`)
    }
    if (batch.producerEpoch < entry.producerEpoch) {
      return refused(ErrorCode.INVALID_PRODUCER_EPOCH, `Epoch of producer ${where} is ${batch.producerEpoch}, which is < the last seen epoch ${entry.producerEpoch} (TV${transactionVersion})`)
    }
    if (marker.coordinatorEpoch < entry.coordinatorEpoch) {
      return refused(ErrorCode.TRANSACTION_COORDINATOR_FENCED, `Invalid coordinator epoch for producerId ${where}: ${marker.coordinatorEpoch} (zombie), ${entry.coordinatorEpoch} (current)`)
    }
    return NEXT
  }

  #checkDataEpoch(batch: ProducerBatch, entry: ProducerEntry | undefined): ProducerVerdict | null {
    if (entry === undefined || batch.producerEpoch >= entry.producerEpoch) return null
    return refused(ErrorCode.INVALID_PRODUCER_EPOCH, `Epoch of producer ${batch.producerId} at offset ${batch.firstOffset} in ${this.#partition} is ${batch.producerEpoch}, which is smaller than the last seen epoch ${entry.producerEpoch}`)
  }

  #checkSequence(batch: ProducerBatch, entry: ProducerEntry | undefined, transactionVersion: number): ProducerVerdict | null {
    const where = `producer ${batch.producerId} at offset ${batch.firstOffset} in partition ${this.#partition}`
    if (entry === undefined || entry.producerEpoch === NO_EPOCH) {
      // KIP-890: a producer that bumps its epoch per transaction always starts at 0 here; anything else is a lost batch.
      const mustStartAtZero = batch.isTransactional && transactionVersion >= TRANSACTION_VERSION_EPOCH_BUMP
      if (!mustStartAtZero || batch.firstSequence === 0) return null
      return refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, `Invalid sequence number for ${where}: ${batch.firstSequence} (incoming seq. number), expected 0 of a producer without state`)
    }
    if (batch.producerEpoch !== entry.producerEpoch) {
      if (batch.firstSequence === 0) return null
      return refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, `Invalid sequence number for new epoch of ${where}: ${batch.producerEpoch} (request epoch), ${batch.firstSequence} (seq. number), ${entry.producerEpoch} (current producer epoch)`)
    }
    const lastSequence = entry.batches.at(-1)?.lastSequence ?? NO_SEQUENCE
    if (batch.firstSequence === sequenceAfter(lastSequence, 1)) return null
    return refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, `Out of order sequence number for ${where}: ${batch.firstSequence} (incoming seq. number), ${lastSequence} (current end sequence number)`)
  }

  #applyMarker(entry: ProducerEntry, batch: ProducerBatch, marker: TransactionMarker): CompletedTransaction | null {
    this.#adoptEpoch(entry, batch.producerEpoch)
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.lastTimestampMs = batch.timestampMs
    const firstOffset = entry.transactionStartOffset
    if (firstOffset === null) return null
    assert(firstOffset <= batch.lastOffset, 'a transaction ends before it starts', { firstOffset, marker: batch.lastOffset })
    const completed = { producerId: batch.producerId, firstOffset, lastOffset: batch.lastOffset, outcome: marker.outcome }
    entry.transactionStartOffset = null
    this.#openTransactions.delete(batch.producerId)
    this.#endedUnreplicated.push(completed)
    return completed
  }

  #adoptEpoch(entry: ProducerEntry, producerEpoch: number): void {
    if (entry.producerEpoch === producerEpoch) return
    entry.producerEpoch = producerEpoch
    entry.batches = []
  }

  #entryOf(producerId: number): ProducerEntry {
    const known = this.#producers.get(producerId)
    if (known !== undefined) return known
    const entry: ProducerEntry = { producerId, producerEpoch: NO_EPOCH, batches: [], lastTimestampMs: -1, coordinatorEpoch: -1, transactionStartOffset: null }
    this.#producers.set(producerId, entry)
    return entry
  }

  #earliestOpenExcept(producerId: number | null): number | null {
    for (const [openProducerId, firstOffset] of this.#openTransactions) if (openProducerId !== producerId) return firstOffset
    return null
  }
}

/** Sequences wrap from 2^31-1 to 0 (KIP-98); a coordinator's batches have none. */
export function lastSequenceOf(firstSequence: number, offsetDelta: number): number {
  return firstSequence < 0 ? NO_SEQUENCE : sequenceAfter(firstSequence, offsetDelta)
}

function sequenceAfter(sequence: number, increment: number): number {
  const next = sequence + increment
  return next > SEQUENCE_MAX ? next - SEQUENCE_MAX - 1 : next
}

/** Inverse of `sequenceAfter`: where a batch that ends at `lastSequence` started. */
export function sequenceBefore(lastSequence: number, decrement: number): number {
  const first = lastSequence - decrement
  return first < 0 ? first + SEQUENCE_MAX + 1 : first
}

export function isExpired(entry: ProducerEntry, nowMs: number, expirationMs: number): boolean {
  return entry.transactionStartOffset === null && nowMs - entry.lastTimestampMs >= expirationMs
}

function findDuplicate(entry: ProducerEntry, batch: ProducerBatch): RememberedBatch | null {
  if (entry.producerEpoch !== batch.producerEpoch) return null
  const lastSequence = lastSequenceOf(batch.firstSequence, batch.lastOffset - batch.firstOffset)
  const isSame = (kept: RememberedBatch): boolean =>
    kept.lastSequence === lastSequence && sequenceBefore(kept.lastSequence, kept.offsetDelta) === batch.firstSequence
  return entry.batches.find(isSame) ?? null
}

function refused(errorCode: number, message: string): ProducerVerdict {
  return { kind: 'refused', errorCode, message }
}
