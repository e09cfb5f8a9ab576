/** Reads that the tail cache cannot answer: located by the index, read off the loop, checked before they leave. */
import { isDiskError } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type { Offset } from '@kavka/protocol'
import type { LogReadOutcome, LogReadRequest } from '../../partition-log.ts'
import { readBatches } from './log-reader.ts'
import type { FileRange } from './log-reader.ts'
import type { LogState } from '../log-state.ts'
import type { Segment } from '../segment/segment.ts'

const READ_ATTEMPTS_MAX = 5
const NO_RECORDS: readonly Buffer[] = []

/** What a read met that is no batch, or not the batch that was written. */
interface DamagedRead {
  readonly kind: 'damaged'
  readonly segment: Segment
  readonly position: number
  /** Offset of the first record that cannot be read, as far as the batches before it tell. */
  readonly offset: number
  readonly message: string
}

type Attempt = LogReadOutcome | DamagedRead | { readonly kind: 'segments-changed' }

export function emptyRead(offset: Offset): LogReadOutcome {
  return { kind: 'read', records: NO_RECORDS, sizeBytes: 0, nextOffset: offset }
}

/**
 * Damage is believed when a second read of the same bytes meets it too. What is written below the log end never changes, so only a
 * read that went wrong on its way can differ, and believing one of those would cost the replica its whole log; the price of the
 * second read is paid only where something is wrong already.
 */
export async function readFiles(log: LogState, request: LogReadRequest): Promise<LogReadOutcome> {
  let met: DamagedRead | null = null
  for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
    const { generation } = log
    const outcome = await readSegments(log, request)
    // A truncation or retention may have taken the bytes away while they were read: look again at what is there now.
    if (generation !== log.generation || outcome.kind === 'segments-changed') met = null
    else if (outcome.kind !== 'damaged') return outcome
    else if (met !== null && isSame(met, outcome)) return damagedRead(log, outcome)
    else met = outcome
    const isOutside = request.startOffset > log.logEndOffset || request.startOffset < log.logStartOffset
    if (isOutside) return { kind: 'offset-out-of-range' }
  }
  return emptyRead(request.startOffset)
}

async function readSegments(log: LogState, request: LogReadRequest): Promise<Attempt> {
  for (const segment of log.segments.all.slice(log.segments.indexFor(request.startOffset))) {
    // Deleted or closed meanwhile: its directory is not there any more, or is that of another log of its name.
    if (log.unavailable() !== null) return unavailableRead(log)
    // Gone while the one before was read: opening it now would make an empty file of its name.
    if (!log.segments.all.includes(segment)) return { kind: 'segments-changed' }
    const outcome = await readSegment(log, segment, request)
    if (outcome !== null) return outcome
  }
  return emptyRead(request.startOffset)
}

/** Null when the segment has nothing at or after the start offset (compaction leaves gaps). */
async function readSegment(log: LogState, segment: Segment, request: LogReadRequest): Promise<Attempt | null> {
  // What is staged counts in the size of the segment: the file must have it too.
  if (!log.writer.write()) return unavailableRead(log)
  try {
    const range = rangeOf(log, segment, request.startOffset)
    const borrowed = log.ports.files.borrow(segment.logPath)
    try {
      const outcome = await readBatches(borrowed.file, range, request, log.ports.readMemory)
      if (outcome.kind === 'nothing') return null
      if (outcome.kind === 'corrupt') return { ...outcome, kind: 'damaged', segment }
      const { records, nextOffset, memory } = outcome
      const views = records.length === 0 ? NO_RECORDS : [records]
      return { kind: 'read', records: views, sizeBytes: records.length, nextOffset: nextOffset as Offset, memory }
    } finally {
      borrowed.release()
    }
  } catch (error) {
    return failedRead(log, error)
  }
}

function rangeOf(log: LogState, segment: Segment, startOffset: number): FileRange {
  const { all } = log.segments
  const { position, offsetMin, lastOffsetMax } = segment.indexes.offsets.placeFor(startOffset)
  return {
    start: position,
    end: segment.sizeBytes,
    offsetMin,
    offsetEnd: all[all.indexOf(segment) + 1]?.baseOffset ?? log.logEndOffset,
    firstLastOffsetMax: lastOffsetMax,
  }
}

function isSame(met: DamagedRead, now: DamagedRead): boolean {
  return met.segment === now.segment && met.position === now.position
}

function damagedRead(log: LogState, { segment, position, offset, message: problem }: DamagedRead): LogReadOutcome {
  const message = log.noteDamage(segment, position, offset, problem)
  return { kind: 'failed', errorCode: ErrorCode.CORRUPT_MESSAGE, message }
}

function unavailableRead(log: LogState): LogReadOutcome {
  return { kind: 'failed', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: log.unavailable() ?? '' }
}

/** Running out of descriptors passes; any other error means that the disk does not give back what it took. */
function failedRead(log: LogState, error: unknown): LogReadOutcome {
  if (!isDiskError(error)) throw error
  if (error.code !== 'EMFILE' && error.code !== 'ENFILE') log.ports.logDirectory.fail(error)
  return { kind: 'failed', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: error.message }
}
