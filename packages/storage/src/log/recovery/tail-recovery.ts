/** Finds the end of a log at a start: what lies behind the recovery point is checked, and a torn tail is cut. */
import { verifyBatchCrc } from '@kavka/protocol'
import type { Offset } from '@kavka/protocol'
import type { LogCorruption } from '../../partition-log.ts'
import type { BatchView } from '../batches/batch-view.ts'
import type { LeaderEpochs } from '../epochs/leader-epochs.ts'
import { noteEpoch } from '../epochs/missing-epochs.ts'
import type { SegmentList } from '../segment/segment-list.ts'
import type { Segment } from '../segment/segment.ts'
import type { LoadOptions, LoadPorts } from './load-options.ts'
import { judgeSegmentEnd, planRecovery } from './recovery-plan.ts'
import type { EndVerdict } from './recovery-plan.ts'
import { resumeSegment } from './segment-recovery.ts'
import type { Resumed, ResumeOptions } from './segment-recovery.ts'

/** After a clean stop. */
export const TRUST_ALL = Number.MAX_SAFE_INTEGER

export interface Recovered {
  readonly logEndOffset: number
  /** What stands beside the log (transaction index, snapshots) holds below this offset; behind it the batches tell. */
  readonly trustedBelow: number
  readonly corruption: LogCorruption | null
}

interface RecoveredLog {
  readonly segments: SegmentList
  /** Completed with what the checked batches say. */
  readonly epochs: LeaderEpochs
}

export function recoverTail(log: RecoveredLog, options: LoadOptions, ports: LoadPorts): Promise<Recovered> {
  return new TailRecovery(log, options, ports).run()
}

class TailRecovery {
  readonly #segments: SegmentList
  readonly #epochs: LeaderEpochs
  readonly #options: LoadOptions
  readonly #ports: LoadPorts

  constructor({ segments, epochs }: RecoveredLog, options: LoadOptions, ports: LoadPorts) {
    this.#segments = segments
    this.#epochs = epochs
    this.#options = options
    this.#ports = ports
  }

  async run(): Promise<Recovered> {
    const segments = this.#segments
    const plan = planRecovery(segments.all, this.#options.recoveryPoint, this.#options.shutdown)
    if (plan.kind === 'trust') {
      const trusted = this.#trustActive(segments.active)
      if (trusted !== null) return trusted
    }
    return await this.#scan(plan.kind === 'trust' ? segments.count - 1 : plan.fromIndex)
  }

  /** After a clean stop only what follows the last index entry is walked, to find the end; null when it does not end well. */
  #trustActive(active: Segment): Recovered | null {
    const trusted = { trustBelowOffset: TRUST_ALL, indexes: 'whole' as const }
    const resumed = this.#resume(active, { ...trusted, check: () => null, onBatch: () => {} })
    if (resumed.end.kind === 'bad') return null
    return { logEndOffset: resumed.nextOffset, trustedBelow: TRUST_ALL, corruption: null }
  }

  /** Checks every batch behind the recovery point, from the last index entry below it on. */
  async #scan(fromIndex: number): Promise<Recovered> {
    const trustedBelow = this.#options.recoveryPoint
    const all = [...this.#segments.all]
    let logEndOffset = all[fromIndex]!.baseOffset
    for (let index = fromIndex; index < all.length; index++) {
      const segment = all[index]!
      const sizeBefore = segment.sizeBytes
      await this.#ports.readAhead.fetch(segment.logPath, { start: this.#trustedPosition(segment), end: sizeBefore })
      const { resumed, verdict } = this.#scanSegment(segment, logEndOffset, all[index + 1]?.baseOffset ?? null)
      logEndOffset = Math.max(resumed.nextOffset, segment.baseOffset)
      if (verdict.kind === 'corrupt') return { logEndOffset, trustedBelow, corruption: this.#corruptionAt(segment, resumed) }
      if (verdict.kind === 'cut') {
        this.#cut(index, resumed, sizeBefore)
        break
      }
    }
    return { logEndOffset, trustedBelow, corruption: null }
  }

  /** Index files below the recovery point are believed: they are synced before the point is recorded, and are only added to. */
  #scanSegment(segment: Segment, offsetMin: number, nextBaseOffset: number | null): { readonly resumed: Resumed; readonly verdict: EndVerdict } {
    const { recoveryPoint, logStartOffset } = this.#options
    segment.keepAbortedBelow(recoveryPoint)
    const indexedEnd = this.#indexedEnd(segment)
    const believed = { trustBelowOffset: recoveryPoint, indexes: 'sound-part' as const }
    const onBatch = (batch: BatchView) => noteEpoch(this.#epochs, batch)
    const resumed = this.#resume(segment, { ...believed, check: checker(offsetMin), onBatch })
    const nextOffset = Math.max(resumed.nextOffset, segment.baseOffset)
    const isBad = resumed.end.kind === 'bad'
    return { resumed, verdict: judgeSegmentEnd({ nextOffset, isBad, nextBaseOffset, recoveryPoint, logStartOffset, indexedEnd }) }
  }

  /** About where the check of the segment will begin. */
  #trustedPosition(segment: Segment): number {
    const { recoveryPoint } = this.#options
    return recoveryPoint <= segment.baseOffset ? 0 : segment.loadSoundIndexes().offsets.positionFor(recoveryPoint - 1)
  }

  /** Behind the last record below the recovery point that an index entry names: it was on the disk. */
  #indexedEnd(segment: Segment): number {
    const { recoveryPoint } = this.#options
    if (recoveryPoint <= segment.baseOffset) return segment.baseOffset
    const { offsets, times } = segment.loadSoundIndexes()
    let end = segment.baseOffset
    for (const index of [offsets, times]) {
      let at = index.count - 1
      while (at >= 0 && index.entry(at).offset >= recoveryPoint) at--
      if (at >= 0) end = Math.max(end, index.entry(at).offset + 1)
    }
    return end
  }

  #resume(segment: Segment, how: Omit<ResumeOptions, 'endPosition' | 'indexIntervalBytes'>): Resumed {
    const { indexIntervalBytes } = this.#options
    const file = this.#ports.files.file(segment.logPath)
    return resumeSegment(segment, file, { endPosition: segment.sizeBytes, indexIntervalBytes, ...how })
  }

  #cut(index: number, resumed: Resumed, sizeBefore: number): void {
    const { files, logger } = this.#ports
    this.#dropBehind(index)
    const { position } = resumed.end
    if (position === sizeBefore) return
    const why = resumed.end.kind === 'bad' ? resumed.end.message : ''
    const path = this.#segments.active.logPath
    logger.warn({ path, position, bytes: sizeBefore - position }, `Cutting the torn tail of a log: ${why}`)
    const file = files.file(path)
    file.truncateSync(position)
    file.syncSync()
  }

  #dropBehind(index: number): void {
    const { fs, logger } = this.#ports
    while (this.#segments.count > index + 1) {
      const dropped = this.#segments.takeLast()
      logger.warn({ path: dropped.logPath }, 'Dropping a segment behind the end of the recovered log')
      for (const path of dropped.markDeleted()) fs.removeFile(path)
      fs.syncDirectory(this.#options.directory)
    }
  }

  #corruptionAt(segment: Segment, resumed: Resumed): LogCorruption {
    const { position } = resumed.end
    const problem = resumed.end.kind === 'bad' ? resumed.end.message : 'the file ends too early'
    const message = `${segment.logPath} is corrupt at byte ${position} (offset ${resumed.nextOffset}, below the recovery point ${this.#options.recoveryPoint}): ${problem}`
    this.#ports.logger.error({ partition: this.#options.partition, path: segment.logPath, position }, message)
    return { found: 'at-start', path: segment.logPath, position, offset: resumed.nextOffset as Offset, message }
  }
}

/** Checksum, and offsets that only grow. */
function checker(nextOffsetMin: number): (batch: BatchView) => string | null {
  let nextOffset = 0
  return (batch) => {
    if (!verifyBatchCrc(batch.buffer, batch.position)) return `a batch's checksum is wrong (stored ${batch.crc})`
    // The walk may begin before `nextOffsetMin`, at an index entry of the same segment.
    if (batch.baseOffset < Math.max(nextOffset, 0) || batch.lastOffsetDelta < 0) return `offset ${batch.baseOffset} follows ${nextOffset - 1}`
    if (batch.baseOffset < nextOffsetMin) return `offset ${batch.baseOffset} lies before its segment`
    nextOffset = batch.lastOffset + 1
    return null
  }
}
