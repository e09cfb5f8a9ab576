/** Cuts a log at an offset, or empties it; what stands beside the batches follows. */
import type { Offset } from '@kavka/protocol'
import type { LogState } from '../log-state.ts'
import { replayProducers, resumeSegment } from './segment-recovery.ts'
import type { Segment } from '../segment/segment.ts'
import { walkBatches } from '../batches/walk-batches.ts'

/** Where a truncation cuts: the segment that becomes the active one, at the start of a batch or its end. */
interface LogCut {
  readonly segment: Segment
  readonly position: number
  readonly endOffset: number
}

export class LogTruncation {
  readonly #log: LogState

  constructor(log: LogState) {
    this.#log = log
  }

  /** Drops everything at and above `endOffset`. */
  truncateTo(endOffset: number): void {
    const log = this.#log
    if (endOffset < log.logEndOffset) log.guarded(() => this.#truncate(endOffset))
    // A leader that wrote nothing in its epoch has noted the start of it at the log end; as a follower it must not go on
    // claiming it (KAFKA-10706).
    else log.dropEpochsFrom(endOffset)
  }

  /** Drops all and begins, empty, with a segment at `baseOffset`. Also the way out of a corrupt log: its replica is filled again. */
  startAt(baseOffset: number, logStartOffset: number): void {
    const log = this.#log
    log.guarded(() => {
      if (!log.writer.write()) return
      log.lowerRecoveryPoint(Math.min(baseOffset, log.segments.first.baseOffset))
      log.generation++
      log.tail.clear()
      // First: one at the new base, left by a crash in between, would tell of another history.
      log.snapshots.removeAbove(-1)
      while (log.segments.count > 1) this.#dropActiveSegment()
      this.#replaceLastSegment(baseOffset)
      log.epochs.clear()
      log.epochsDirty = true
      log.producers.load([], baseOffset)
      log.logStartOffset = logStartOffset
      log.highWatermark = Math.min(Math.max(log.highWatermark, logStartOffset), Math.max(baseOffset, logStartOffset))
      log.corruption = null
      log.truncated(baseOffset)
      log.writeEpochs()
    })
  }

  #truncate(endOffset: number): void {
    const log = this.#log
    if (!log.writer.write()) return
    // The batch that contains `endOffset` goes whole, so that the log may end before it.
    const cut = this.#locateCut(endOffset)
    // Where to cut is not known: the log stays as it is and is filled again instead.
    if (cut === null) return
    // It may hold the log start too: then nothing readable is left.
    if (cut.endOffset < log.logStartOffset) return this.startAt(log.logStartOffset, log.logStartOffset)
    log.lowerRecoveryPoint(cut.endOffset)
    log.generation++
    log.tail.clear()
    // Newest first and each durably: after a crash in between the log must end somewhere, not have a hole.
    while (log.segments.active !== cut.segment) this.#dropActiveSegment()
    this.#cutSegment(cut)
    log.forgetDamageOutside()
    log.truncated(cut.endOffset)
    if (log.highWatermark > cut.endOffset) log.highWatermark = cut.endOffset
    log.dropEpochsFrom(cut.endOffset)
    log.writeEpochs()
    log.snapshots.removeAbove(cut.endOffset)
    // A snapshot of what was cut must not come back after a crash, when the recovery point has passed its offset again.
    log.writer.coverDirectory(log.directory)
    this.#rebuildProducers()
  }

  /** Null when the way there is damaged. */
  #locateCut(endOffset: number): LogCut | null {
    const { segments } = this.#log
    let index = segments.indexFor(endOffset)
    if (index > 0 && segments.all[index]!.baseOffset === endOffset) index--
    const segment = segments.all[index]!
    const cut = { segment, position: segment.sizeBytes, endOffset }
    const start = segment.indexes.offsets.positionFor(endOffset - 1)
    const file = this.#log.ports.files.file(segment.logPath)
    let nextOffset = segment.baseOffset
    const end = walkBatches(file, { start, end: segment.sizeBytes }, (batch, position) => {
      nextOffset = batch.lastOffset + 1
      if (batch.lastOffset < endOffset) return null
      cut.position = position
      cut.endOffset = Math.min(endOffset, batch.baseOffset)
      return 'stop'
    })
    if (end.kind === 'end') return cut
    this.#log.noteDamage(segment, end.position, nextOffset, end.message)
    return null
  }

  #dropActiveSegment(): void {
    const { fs } = this.#log.ports
    const dropped = this.#log.segments.takeLast()
    this.#log.writer.forget(dropped)
    for (const path of dropped.markDeleted()) fs.removeFile(path)
    fs.syncDirectory(this.#log.directory)
  }

  #cutSegment({ segment, position, endOffset }: LogCut): void {
    const log = this.#log
    const file = log.ports.files.file(segment.logPath)
    file.truncateSync(position)
    file.syncSync()
    const { indexIntervalBytes } = log.config
    const trustBelowOffset = Number.MAX_SAFE_INTEGER
    const options = { endPosition: position, indexIntervalBytes, trustBelowOffset, indexes: 'whole' as const }
    resumeSegment(segment, file, { ...options, check: () => null, onBatch: () => {} })
    segment.dropAbortedFrom(endOffset)
    segment.writeIndexes()
    for (const path of segment.indexPaths()) log.writer.coverPath(path)
  }

  /**
   * The state as of the new log end: from a snapshot below it and the batches behind that. Those below the log start count: their
   * producers are known, and the log start may fall back to them.
   */
  #rebuildProducers(): void {
    const log = this.#log
    log.snapshots.load(log.producers, log.segments.first.baseOffset, log.logEndOffset)
    const damage = replayProducers(log.segments, log.ports.files, log.producers, log.logEndOffset)
    if (damage !== null) log.noteDamage(damage.segment, damage.position, damage.offset, damage.message)
    log.producers.onHighWatermark(log.highWatermark as Offset)
  }

  #replaceLastSegment(baseOffset: number): void {
    const log = this.#log
    const { fs } = log.ports
    const dropped = log.segments.active
    log.writer.forget(dropped)
    for (const path of dropped.markDeleted()) fs.removeFile(path)
    const segment = log.newSegment(baseOffset)
    fs.syncDirectory(log.directory)
    log.segments.replaceAll(segment)
  }
}
