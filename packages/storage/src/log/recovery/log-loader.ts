/** Opens the log in a partition directory: tidies what a stop left behind, recovers where the stop was not clean. */
import type { FileSystem, Logger } from '@kavka/kernel'
import { verifyBatchCrc } from '@kavka/protocol'
import type { Offset } from '@kavka/protocol'
import { formatLeaderEpochs, parseLeaderEpochs } from '../../files/checkpoint-text.ts'
import { parseSegmentFile } from '../../files/log-directory-names.ts'
import type { OpenFiles } from '../../files/open-files.ts'
import { readFileIfThere } from '../../files/read-file-if-there.ts'
import type { LogCorruption } from '../../partition-log.ts'
import type { BatchView } from '../batches/batch-view.ts'
import { LEADER_EPOCH_FILE } from '../epochs/leader-epoch-file.ts'
import type { LoadedLog } from './loaded-log.ts'
import { LeaderEpochs } from '../epochs/leader-epochs.ts'
import { noteEpoch, withEpochsFrom } from '../epochs/missing-epochs.ts'
import { ProducerSnapshots } from '../producers/producer-snapshots.ts'
import { ProducerState } from '../producers/producer-state.ts'
import { judgeSegmentEnd, planRecovery } from './recovery-plan.ts'
import type { Segment, SegmentOptions } from '../segment/segment.ts'
import { SegmentList } from '../segment/segment-list.ts'
import { replayProducers, resumeSegment } from './segment-recovery.ts'
import type { ReplayDamage, Resumed, ResumeOptions } from './segment-recovery.ts'
import { completeSwaps } from './swap-files.ts'
import { walkBatches } from '../batches/walk-batches.ts'

export interface NewLogOptions {
  readonly directory: string
  /** For messages. */
  readonly partition: string
  readonly indexIntervalBytes: number
}

export interface LoadOptions extends NewLogOptions {
  readonly shutdown: 'clean' | 'unclean'
  /** 0 when nothing is recorded. */
  readonly recoveryPoint: number
  /** From `log-start-offset-checkpoint`; 0 when nothing is recorded. */
  readonly logStartOffset: number
}

export interface LoadPorts {
  readonly fs: FileSystem
  readonly files: OpenFiles
  readonly logger: Logger
  readonly segment: (options: SegmentOptions) => Segment
}

/** Throws the file system's errors; damage to the data is in the result. */
export function loadLog(options: LoadOptions, ports: LoadPorts): LoadedLog {
  return new Loader(options, ports).load()
}

/** An empty log in a directory that was just made. */
export function newLog({ directory, partition, indexIntervalBytes }: NewLogOptions, ports: LoadPorts): LoadedLog {
  const segment = ports.segment({ directory, baseOffset: 0, sizeBytes: 0, indexIntervalBytes })
  segment.create()
  return {
    segments: new SegmentList([segment]),
    epochs: new LeaderEpochs(),
    producers: new ProducerState(partition),
    snapshots: new ProducerSnapshots(directory, [], ports),
    logStartOffset: 0,
    logEndOffset: 0,
    recoveryPoint: 0,
    recordedPoint: 0,
    hasUnsyncedNames: true,
    isRecovered: false,
    epochsChanged: false,
    corruption: null,
  }
}

const TRUST_ALL = Number.MAX_SAFE_INTEGER

interface Recovered {
  readonly logEndOffset: number
  /** What stands beside the log (transaction index, snapshots) holds below this offset; behind it the batches tell. */
  readonly trustedBelow: number
  readonly corruption: LogCorruption | null
}

class Loader {
  readonly #options: LoadOptions
  readonly #ports: LoadPorts
  /** What `leader-epoch-checkpoint` says. */
  #epochText = ''
  /** A segment was made where there was none to go on with. */
  #hasMadeSegment = false

  constructor(options: LoadOptions, ports: LoadPorts) {
    this.#options = options
    this.#ports = ports
  }

  load(): LoadedLog {
    const { directory, partition, shutdown } = this.#options
    const names = this.#tidyNames()
    const segments = this.#openSegments(names)
    const logStartOffset = Math.max(this.#options.logStartOffset, segments.first.baseOffset)
    const knownEpochs = this.#loadEpochs(segments)
    const recovered = this.#recover(segments, knownEpochs)
    const { corruption, trustedBelow } = recovered
    let { logEndOffset } = recovered
    if (corruption === null && logEndOffset < logStartOffset) {
      this.#startAgainAt(segments, logStartOffset)
      logEndOffset = logStartOffset
    }
    knownEpochs.truncateFromEnd(logEndOffset as Offset)
    const epochs = corruption === null ? withEpochsFrom({ logStartOffset, logEndOffset }, knownEpochs, segments, this.#ports.files) : knownEpochs
    epochs.truncateFromStart(logStartOffset as Offset)
    const snapshots = new ProducerSnapshots(directory, names, this.#ports)
    const producers = new ProducerState(partition)
    const beside = { segments, snapshots, producers, logEndOffset, trustedBelow }
    const damage = corruption === null ? this.#loadProducers(beside) : null
    const recoveryPoint = Math.min(shutdown === 'clean' ? logEndOffset : this.#options.recoveryPoint, logEndOffset)
    return {
      segments,
      epochs,
      producers,
      snapshots,
      logStartOffset,
      logEndOffset,
      recoveryPoint,
      recordedPoint: this.#options.recoveryPoint,
      hasUnsyncedNames: trustedBelow !== TRUST_ALL || this.#hasMadeSegment,
      isRecovered: corruption === null && trustedBelow !== TRUST_ALL && isBehindPoint(segments, logEndOffset, recoveryPoint),
      epochsChanged: formatLeaderEpochs(epochs.entries) !== this.#epochText,
      corruption: damage ?? corruption,
    }
  }

  /** Names in the directory, after removing what a stop left behind. */
  #tidyNames(): readonly string[] {
    const { fs } = this.#ports
    const { directory } = this.#options
    let names = fs.list(directory)
    const leftovers = new Set(names.filter(isLeftover))
    for (const name of leftovers) fs.removeFile(`${directory}/${name}`)
    if (names.some((name) => parseSegmentFile(name)?.state === '.swap')) {
      completeSwaps(directory, this.#ports)
      names = fs.list(directory)
    }
    const present = names.filter((name) => !leftovers.has(name))
    this.#removeOrphans(present)
    return present
  }

  /** Index files whose log is gone. */
  #removeOrphans(names: readonly string[]): void {
    const { fs, logger } = this.#ports
    for (const name of names) {
      const file = parseSegmentFile(name)
      if (file === null || file.suffix === '.log' || file.suffix === '.snapshot') continue
      if (names.includes(`${name.slice(0, name.indexOf('.'))}.log`)) continue
      logger.warn({ path: `${this.#options.directory}/${name}` }, 'Removing an index file without a log file')
      fs.removeFile(`${this.#options.directory}/${name}`)
    }
  }

  #openSegments(names: readonly string[]): SegmentList {
    const { fs, segment } = this.#ports
    const { directory } = this.#options
    const logs = names.map((name) => ({ name, file: parseSegmentFile(name) })).filter(({ file }) => file?.suffix === '.log' && file.state === '')
    const segments = logs.map(({ name, file }) =>
      segment({ ...this.#segmentOptions(file!.offset), sizeBytes: fs.sizeBytes(`${directory}/${name}`) }),
    )
    if (segments.length > 0) return new SegmentList(segments.toSorted((a, b) => a.baseOffset - b.baseOffset))
    return new SegmentList([this.#newSegment(this.#options.logStartOffset)])
  }

  #newSegment(baseOffset: number): Segment {
    const empty = this.#ports.segment(this.#segmentOptions(baseOffset))
    empty.create()
    this.#hasMadeSegment = true
    return empty
  }

  #segmentOptions(baseOffset: number): SegmentOptions {
    const { directory, indexIntervalBytes } = this.#options
    return { directory, baseOffset, sizeBytes: 0, indexIntervalBytes }
  }

  #loadEpochs(segments: SegmentList): LeaderEpochs {
    const { fs, logger } = this.#ports
    const path = `${this.#options.directory}/${LEADER_EPOCH_FILE}`
    const text = readFileIfThere(fs, path)?.toString('utf8') ?? null
    this.#epochText = text ?? ''
    const parsed = text === null ? null : parseLeaderEpochs(text)
    if (parsed?.ok === true) return new LeaderEpochs(parsed.value)
    const epochs = new LeaderEpochs()
    if (segments.sizeBytes === 0) return epochs
    logger.warn({ path }, `Rebuilding leader epochs from the log: ${parsed === null ? 'the file is missing' : parsed.error}`)
    for (const segment of segments.all) {
      walkBatches(this.#ports.files.file(segment.logPath), { start: 0, end: segment.sizeBytes }, (batch) => {
        noteEpoch(epochs, batch)
        return null
      })
    }
    return epochs
  }

  #recover(segments: SegmentList, epochs: LeaderEpochs): Recovered {
    const plan = planRecovery(segments.all, this.#options.recoveryPoint, this.#options.shutdown)
    if (plan.kind === 'trust') {
      const trusted = this.#trustActive(segments.active)
      if (trusted !== null) return trusted
    }
    return this.#scan(segments, plan.kind === 'trust' ? segments.count - 1 : plan.fromIndex, epochs)
  }

  /** After a clean stop only what follows the last index entry is walked, to find the end; null when it does not end well. */
  #trustActive(active: Segment): Recovered | null {
    const trusted = { trustBelowOffset: TRUST_ALL, indexes: 'whole' as const }
    const resumed = this.#resume(active, { ...trusted, check: () => null, onBatch: () => {} })
    if (resumed.end.kind === 'bad') return null
    return { logEndOffset: resumed.nextOffset, trustedBelow: TRUST_ALL, corruption: null }
  }

  /**
   * Checks every batch behind the recovery point, from the last index entry below it on. Index files of that part are believed: they
   * are synced before the point is recorded, and are only added to.
   */
  #scan(segments: SegmentList, fromIndex: number, epochs: LeaderEpochs): Recovered {
    const { recoveryPoint } = this.#options
    const all = [...segments.all]
    let nextOffset = all[fromIndex]!.baseOffset
    for (let index = fromIndex; index < all.length; index++) {
      const segment = all[index]!
      const sizeBefore = segment.sizeBytes
      segment.keepAbortedBelow(recoveryPoint)
      const indexedEnd = this.#indexedEnd(segment)
      const believed = { trustBelowOffset: recoveryPoint, indexes: 'sound-part' as const }
      const onBatch = (batch: BatchView) => noteEpoch(epochs, batch)
      const resumed = this.#resume(segment, { ...believed, check: checker(nextOffset), onBatch })
      nextOffset = Math.max(resumed.nextOffset, segment.baseOffset)
      const verdict = judgeSegmentEnd({
        nextOffset,
        isBad: resumed.end.kind === 'bad',
        nextBaseOffset: all[index + 1]?.baseOffset ?? null,
        recoveryPoint,
        indexedEnd,
      })
      if (verdict.kind === 'corrupt') return { logEndOffset: nextOffset, trustedBelow: recoveryPoint, corruption: this.#corruptionAt(segment, resumed) }
      if (verdict.kind === 'cut') {
        this.#cut(segments, index, resumed, sizeBefore)
        break
      }
    }
    return { logEndOffset: nextOffset, trustedBelow: recoveryPoint, corruption: null }
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

  #cut(segments: SegmentList, index: number, resumed: Resumed, sizeBefore: number): void {
    const { fs, files, logger } = this.#ports
    while (segments.count > index + 1) {
      const dropped = segments.takeLast()
      logger.warn({ path: dropped.logPath }, 'Dropping a segment behind the end of the recovered log')
      for (const path of dropped.markDeleted()) fs.removeFile(path)
      fs.syncDirectory(this.#options.directory)
    }
    const { position } = resumed.end
    if (position === sizeBefore) return
    const why = resumed.end.kind === 'bad' ? resumed.end.message : ''
    logger.warn({ path: segments.active.logPath, position, bytes: sizeBefore - position }, `Cutting the torn tail of a log: ${why}`)
    const file = files.file(segments.active.logPath)
    file.truncateSync(position)
    file.syncSync()
  }

  #corruptionAt(segment: Segment, resumed: Resumed): LogCorruption {
    const { position } = resumed.end
    const problem = resumed.end.kind === 'bad' ? resumed.end.message : 'the file ends too early'
    const message = `${segment.logPath} is corrupt at byte ${position} (offset ${resumed.nextOffset}, below the recovery point ${this.#options.recoveryPoint}): ${problem}`
    this.#ports.logger.error({ partition: this.#options.partition, path: segment.logPath, position }, message)
    return { found: 'at-start', path: segment.logPath, position, offset: resumed.nextOffset as Offset, message }
  }

  /** The checkpointed start lies beyond all that is left (a wiped tail): nothing of it is wanted. */
  #startAgainAt(segments: SegmentList, offset: number): void {
    const { fs } = this.#ports
    while (segments.count > 1) for (const path of segments.takeLast().markDeleted()) fs.removeFile(path)
    for (const path of segments.active.markDeleted()) fs.removeFile(path)
    segments.replaceAll(this.#newSegment(offset))
  }

  #loadProducers(parts: {
    segments: SegmentList
    snapshots: ProducerSnapshots
    producers: ProducerState
    logEndOffset: number
    trustedBelow: number
  }): LogCorruption | null {
    const { segments, snapshots, producers, logEndOffset, trustedBelow } = parts
    const { baseOffset } = segments.first
    snapshots.removeAbove(logEndOffset)
    // Batches below the log start that are still there tell of their producers; of what was before them that snapshot alone does.
    snapshots.load(producers, baseOffset, Math.max(baseOffset, Math.min(logEndOffset, trustedBelow)))
    const damage = replayProducers(segments, this.#ports.files, producers, logEndOffset, (completed, segment) => {
      if (completed.outcome !== 'abort' || completed.lastOffset < trustedBelow) return
      segment.noteAborted({ ...completed, lastStableOffset: producers.lastStableOffsetAfter(completed) })
    })
    snapshots.removeStrays(new Set(segments.all.map((segment) => segment.baseOffset)))
    return damage === null ? null : this.#corruptionBesideReplay(damage)
  }

  /** Not offline for that: the end of the log is known, and all of it that is sound can be served until it is filled again. */
  #corruptionBesideReplay({ segment, position, offset, message: problem }: ReplayDamage): LogCorruption {
    const path = segment.logPath
    const message = `${path} is corrupt at byte ${position} (offset ${offset}): ${problem}`
    this.#ports.logger.error({ partition: this.#options.partition, path, position }, message)
    return { found: 'by-read', path, position, offset: offset as Offset, message }
  }
}

/** Whether records, or a segment that was sealed, lie behind the recovery point. */
function isBehindPoint(segments: SegmentList, logEndOffset: number, recoveryPoint: number): boolean {
  return logEndOffset > recoveryPoint || (segments.count > 1 && segments.active.baseOffset >= recoveryPoint)
}

/** Files on their way out, or half made, when the process stopped. */
function isLeftover(name: string): boolean {
  return name.endsWith('.tmp') || ['.deleted', '.cleaned'].includes(parseSegmentFile(name)?.state ?? '')
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
