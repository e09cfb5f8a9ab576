/** Opens the log in a partition directory: tidies what a stop left behind, recovers where the stop was not clean. */
import type { Offset } from '@kavka/protocol'
import { formatLeaderEpochs } from '../../files/checkpoint-text.ts'
import type { LogCorruption } from '../../partition-log.ts'
import { LeaderEpochs } from '../epochs/leader-epochs.ts'
import { withEpochsFrom } from '../epochs/missing-epochs.ts'
import { ProducerSnapshots } from '../producers/producer-snapshots.ts'
import { ProducerState } from '../producers/producer-state.ts'
import { SegmentList } from '../segment/segment-list.ts'
import { createSegment, findSegments, startAgainAt } from './found-segments.ts'
import { loadEpochs } from './known-epochs.ts'
import type { LoadOptions, LoadPorts, NewLogOptions } from './load-options.ts'
import type { LoadedLog } from './loaded-log.ts'
import { replayProducers } from './segment-recovery.ts'
import type { ReplayDamage } from './segment-recovery.ts'
import { recoverTail, TRUST_ALL } from './tail-recovery.ts'
import { tidyDirectory } from './tidy-directory.ts'

/** An empty log in a directory that was just made. */
export function newLog(options: NewLogOptions, ports: LoadPorts): LoadedLog {
  return {
    segments: new SegmentList([createSegment(0, options, ports)]),
    epochs: new LeaderEpochs(),
    producers: new ProducerState(options.partition),
    snapshots: new ProducerSnapshots(options.directory, [], ports),
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

/** Throws the file system's errors; damage to the data is in the result. */
export async function loadLog(options: LoadOptions, ports: LoadPorts): Promise<LoadedLog> {
  const names = tidyDirectory(options.directory, ports)
  const found = findSegments(names, options, ports)
  const segments = found ?? new SegmentList([createSegment(options.logStartOffset, options, ports)])
  const logStartOffset = Math.max(options.logStartOffset, segments.first.baseOffset)
  const known = loadEpochs(options, ports)
  const recovered = await recoverTail({ segments, epochs: known.epochs }, options, ports)
  const { trustedBelow, corruption } = recovered
  // The checkpointed start lies beyond all that is left: nothing of it is wanted.
  const isWiped = corruption === null && recovered.logEndOffset < logStartOffset
  if (isWiped) startAgainAt(logStartOffset, segments, options, ports)
  const logEndOffset = isWiped ? logStartOffset : recovered.logEndOffset
  known.epochs.truncateFromEnd(logEndOffset as Offset)
  const epochs = corruption === null ? withEpochsFrom({ logStartOffset, logEndOffset }, known.epochs, segments, ports.files) : known.epochs
  epochs.truncateFromStart(logStartOffset as Offset)
  const snapshots = new ProducerSnapshots(options.directory, names, ports)
  const producers = new ProducerState(options.partition)
  const damage = corruption === null ? loadProducers({ segments, snapshots, producers, logEndOffset, trustedBelow }, options, ports) : null
  const recoveryPoint = Math.min(options.shutdown === 'clean' ? logEndOffset : options.recoveryPoint, logEndOffset)
  return {
    segments,
    epochs,
    producers,
    snapshots,
    logStartOffset,
    logEndOffset,
    recoveryPoint,
    recordedPoint: options.recoveryPoint,
    hasUnsyncedNames: trustedBelow !== TRUST_ALL || found === null || isWiped,
    isRecovered: corruption === null && trustedBelow !== TRUST_ALL && isBehindPoint(segments, logEndOffset, recoveryPoint),
    epochsChanged: formatLeaderEpochs(epochs.entries) !== known.text,
    corruption: damage ?? corruption,
  }
}

interface ProducerParts {
  readonly segments: SegmentList
  readonly snapshots: ProducerSnapshots
  readonly producers: ProducerState
  readonly logEndOffset: number
  readonly trustedBelow: number
}

function loadProducers(parts: ProducerParts, options: LoadOptions, ports: LoadPorts): LogCorruption | null {
  const { segments, snapshots, producers, logEndOffset, trustedBelow } = parts
  const { baseOffset } = segments.first
  snapshots.removeAbove(logEndOffset)
  // Batches below the log start that are still there tell of their producers; of what was before them that snapshot alone does.
  snapshots.load(producers, baseOffset, Math.max(baseOffset, Math.min(logEndOffset, trustedBelow)))
  const damage = replayProducers(segments, ports.files, producers, logEndOffset, (completed, segment) => {
    if (completed.outcome !== 'abort' || completed.lastOffset < trustedBelow) return
    segment.noteAborted({ ...completed, lastStableOffset: producers.lastStableOffsetAfter(completed) })
  })
  snapshots.removeStrays(new Set(segments.all.map((segment) => segment.baseOffset)))
  return damage === null ? null : corruptionBesideReplay(damage, options, ports)
}

/** Not offline for that: the end of the log is known, and all of it that is sound can be served until it is filled again. */
function corruptionBesideReplay(damage: ReplayDamage, { partition }: LoadOptions, { logger }: LoadPorts): LogCorruption {
  const { segment, position, offset, message: problem } = damage
  const path = segment.logPath
  const message = `${path} is corrupt at byte ${position} (offset ${offset}): ${problem}`
  logger.error({ partition, path, position }, message)
  return { found: 'by-read', path, position, offset: offset as Offset, message }
}

/** Whether records, or a segment that was sealed, lie behind the recovery point. */
function isBehindPoint(segments: SegmentList, logEndOffset: number, recoveryPoint: number): boolean {
  return logEndOffset > recoveryPoint || (segments.count > 1 && segments.active.baseOffset >= recoveryPoint)
}
