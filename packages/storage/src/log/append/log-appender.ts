/** Appends: checks, offsets and epochs in place, the state beside the log, and bytes staged for the end of the turn. */
import { assert } from '@kavka/kernel'
import { ErrorCode, setBaseOffsetAndLeaderEpoch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { AppendOrigin, FollowerAppendOutcome, LeaderAppendOutcome } from '../../partition-log.ts'
import { abortedIn } from '../recovery/aborted-rebuild.ts'
import { validateForLeader } from './append-validation.ts'
import type { BatchView } from '../batches/batch-view.ts'
import { selectForFollower } from './follower-batches.ts'
import type { LogState } from '../log-state.ts'
import type { LogTruncation } from '../recovery/log-truncation.ts'
import type { RememberedBatch } from '../producers/producer-state.ts'
import { mustRoll, rollSegment } from './segment-roll.ts'
import { producerBatchOf, transactionMarkerOf } from '../producers/transaction-markers.ts'

const RELATIVE_OFFSET_MAX = 0x7fff_ffff

export class LogAppender {
  readonly #log: LogState
  readonly #truncation: LogTruncation

  constructor(log: LogState, truncation: LogTruncation) {
    this.#log = log
    this.#truncation = truncation
  }

  asLeader(
    records: Buffer,
    leaderEpoch: LeaderEpoch,
    origin: AppendOrigin,
    transactionVersion: number,
  ): LeaderAppendOutcome {
    const log = this.#log
    const unavailable = log.unavailable()
    if (unavailable !== null) return refuse(ErrorCode.KAFKA_STORAGE_ERROR, unavailable)
    const nowMs = log.ports.scheduler.wallMs()
    const validation = validateForLeader(records, { config: log.config, origin, nowMs, partition: log.name })
    if (validation.kind === 'refused') return validation
    const { batches } = validation
    const verdict = this.#checkProducers(batches, origin, transactionVersion)
    if (verdict !== null) return verdict
    const sizeBytes = totalBytes(batches)
    if (sizeBytes > log.config.segmentBytes) return this.#refuseTooLarge(sizeBytes)
    const firstOffset = log.logEndOffset
    let nextOffset = firstOffset
    for (const batch of batches) {
      setBaseOffsetAndLeaderEpoch(batch.buffer, batch.position, nextOffset, leaderEpoch)
      nextOffset += batch.lastOffsetDelta + 1
    }
    this.#append(batches, 'cached')
    // It failed while a segment was begun: who would wait for these records would do so in vain.
    const failed = log.unavailable()
    if (failed !== null) return refuse(ErrorCode.KAFKA_STORAGE_ERROR, failed)
    const logAppendTimeMs = log.config.messageTimestampType === 'LogAppendTime' ? nowMs : -1
    return {
      kind: 'appended',
      firstOffset: firstOffset as Offset,
      lastOffset: (nextOffset - 1) as Offset,
      logAppendTimeMs,
      logStartOffset: log.logStartOffset as Offset,
    }
  }

  asFollower(records: Buffer, leaderEpochMax: LeaderEpoch): FollowerAppendOutcome {
    const log = this.#log
    if (log.unavailable() !== null) return refusedByDisk(log)
    const selected = selectForFollower(records, leaderEpochMax, log)
    if (selected.kind === 'refused') return selected
    const { batches } = selected
    const first = batches[0]
    if (first !== undefined && first.baseOffset < log.logEndOffset) {
      // The leader's first batch straddles our start, which lies inside it after DeleteRecords: begin where the batch begins.
      this.#truncation.startAt(first.baseOffset, log.logStartOffset)
      if (log.unavailable() !== null) return refusedByDisk(log)
    }
    if (batches.length > 0) this.#append(batches, 'uncached')
    return { kind: 'appended', logEndOffset: log.logEndOffset as Offset }
  }

  #checkProducers(batches: readonly BatchView[], origin: AppendOrigin, transactionVersion: number): LeaderAppendOutcome | null {
    let nextOffset = this.#log.logEndOffset
    for (const batch of batches) {
      if (batch.producerId >= 0) {
        const marker = transactionMarkerOf(batch)
        const verdict = this.#log.producers.check(producerBatchOf(batch, nextOffset), marker, origin, transactionVersion)
        if (verdict.kind === 'duplicate') return this.#duplicate(verdict.batch)
        if (verdict.kind === 'refused') return refuse(verdict.errorCode, verdict.message)
      }
      nextOffset += batch.lastOffsetDelta + 1
    }
    return null
  }

  #refuseTooLarge(sizeBytes: number): LeaderAppendOutcome {
    const { name, config } = this.#log
    return refuse(
      ErrorCode.RECORD_LIST_TOO_LARGE,
      `Message batch size is ${sizeBytes} bytes in append to partition ${name}, which exceeds the maximum configured segment size of ${config.segmentBytes}.`,
    )
  }

  #duplicate(batch: RememberedBatch): LeaderAppendOutcome {
    return {
      kind: 'duplicate',
      firstOffset: (batch.lastOffset - batch.offsetDelta) as Offset,
      lastOffset: batch.lastOffset as Offset,
      logAppendTimeMs: batch.timestampMs,
      logStartOffset: this.#log.logStartOffset as Offset,
    }
  }

  /**
   * Validated batches with their places: from here on the append cannot be refused. What a follower appends is hardly ever read
   * from it: left out of the tail cache, its memory is free when the turn ends, and the cache holds three times as much of what
   * this broker leads. The cache is a suffix of the log without gaps, so it is emptied.
   */
  #append(batches: readonly BatchView[], caching: TailCaching): void {
    const log = this.#log
    if (caching === 'uncached') log.tail.clear()
    let runStart = 0
    for (let i = 0; i < batches.length; i++) {
      const batch = batches[i]!
      // Whether it must may be told by the first batch on the disk.
      if (log.guarded(() => mustRoll(log, batch)) === true) {
        this.#stageRun(batches, runStart, i, caching)
        runStart = i
        // Kafka begins it at the batch; beginning at the log end tells a recovery that no segment is missing in between.
        const isFar = batch.lastOffset - log.logEndOffset > RELATIVE_OFFSET_MAX
        log.guarded(() => rollSegment(log, isFar ? batch.baseOffset : log.logEndOffset))
      }
      this.#note(batch)
    }
    this.#stageRun(batches, runStart, batches.length, caching)
  }

  #note(batch: BatchView): void {
    const log = this.#log
    const { baseOffset, lastOffset, leaderEpoch, producerId } = batch
    assert(baseOffset >= log.logEndOffset, 'append below the log end', { baseOffset, logEndOffset: log.logEndOffset })
    const segment = log.segments.active
    segment.note(batch, batch.sizeBytes, log.config.indexIntervalBytes)
    if (leaderEpoch >= 0) log.noteEpoch(leaderEpoch, baseOffset)
    log.logEndOffset = lastOffset + 1
    if (producerId >= 0) {
      const completed = log.producers.apply(producerBatchOf(batch), transactionMarkerOf(batch))
      if (completed?.outcome === 'abort') {
        log.guarded(() => {
          abortedIn(log, segment)
          segment.noteAborted({ ...completed, lastStableOffset: log.producers.lastStableOffsetAfter(completed) })
        })
      }
    }
    log.producers.endOffset = log.logEndOffset as Offset
  }

  /** Batches that lie side by side in one memory are written, and cached, as one run. */
  #stageRun(batches: readonly BatchView[], from: number, to: number, caching: TailCaching): void {
    for (let start = from; start < to; ) {
      let end = start + 1
      while (end < to && isBehind(batches[end - 1]!, batches[end]!)) end++
      const first = batches[start]!
      const last = batches[end - 1]!
      const records = first.buffer.subarray(first.position, last.position + last.sizeBytes)
      this.#stageBytes(records, totalBytes(batches.slice(end, to)), last.lastOffset + 1)
      if (caching === 'cached') this.#log.tail.add(first.baseOffset, last.lastOffset + 1, records)
      start = end
    }
  }

  #stageBytes(records: Buffer, bytesBehind: number, nextOffset: number): void {
    const segment = this.#log.segments.active
    this.#log.unsavedBytes += records.length
    this.#log.writer.stage(segment, segment.sizeBytes - bytesBehind - records.length, records, nextOffset)
  }
}

type TailCaching = 'cached' | 'uncached'

function refusedByDisk(log: LogState): FollowerAppendOutcome {
  return { kind: 'refused', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: log.unavailable() ?? '' }
}

function refuse(errorCode: number, message: string): LeaderAppendOutcome {
  return { kind: 'refused', errorCode, message, recordErrors: [] }
}

function totalBytes(batches: readonly BatchView[]): number {
  let sum = 0
  for (const batch of batches) sum += batch.sizeBytes
  return sum
}

function isBehind(first: BatchView, second: BatchView): boolean {
  return first.buffer === second.buffer && first.position + first.sizeBytes === second.position
}
