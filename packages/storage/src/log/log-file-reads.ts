/** Reads that the tail cache cannot answer: located by the index, read off the loop, checked before they leave. */
import { ErrorCode } from '@kavka/protocol'
import type { Offset } from '@kavka/protocol'
import type { LogReadOutcome, LogReadRequest } from '../partition-log.ts'
import { readBatches } from './log-reader.ts'
import type { LogState } from './log-state.ts'
import type { Segment } from './segment.ts'

const READ_ATTEMPTS_MAX = 5
const NO_RECORDS: readonly Buffer[] = []

export function emptyRead(offset: Offset): LogReadOutcome {
  return { kind: 'read', records: NO_RECORDS, sizeBytes: 0, nextOffset: offset }
}

export async function readFiles(log: LogState, request: LogReadRequest): Promise<LogReadOutcome> {
  if (!log.writer.write()) {
    return { kind: 'failed', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: log.unavailable() ?? '' }
  }
  for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
    const { generation } = log
    const outcome = await readSegments(log, request)
    // A truncation may have cut and rewritten the bytes while they were read: look again at what is there now.
    if (generation === log.generation) return outcome
    const isOutside = request.startOffset > log.logEndOffset || request.startOffset < log.logStartOffset
    if (isOutside) return { kind: 'offset-out-of-range' }
  }
  return emptyRead(request.startOffset)
}

async function readSegments(log: LogState, request: LogReadRequest): Promise<LogReadOutcome> {
  for (const segment of log.segments.all.slice(log.segments.indexFor(request.startOffset))) {
    const outcome = await readSegment(log, segment, request)
    if (outcome !== null) return outcome
  }
  return emptyRead(request.startOffset)
}

/** Null when the segment has nothing at or after the start offset (compaction leaves gaps). */
async function readSegment(log: LogState, segment: Segment, request: LogReadRequest): Promise<LogReadOutcome | null> {
  try {
    const range = { start: segment.indexes.offsets.positionFor(request.startOffset), end: segment.sizeBytes }
    const borrowed = log.ports.files.borrow(segment.logPath)
    try {
      const outcome = await readBatches(borrowed.file, range, request, log.ports.readMemory)
      if (outcome.kind === 'nothing') return null
      if (outcome.kind === 'corrupt') return corruptRead(log, segment, outcome.position, outcome.message)
      const { records, nextOffset, memory } = outcome
      const views = records.length === 0 ? NO_RECORDS : [records]
      return { kind: 'read', records: views, sizeBytes: records.length, nextOffset: nextOffset as Offset, memory }
    } finally {
      borrowed.release()
    }
  } catch (error) {
    return failedRead(log, error as NodeJS.ErrnoException)
  }
}

function corruptRead(log: LogState, segment: Segment, position: number, problem: string): LogReadOutcome {
  const message = `${segment.logPath} is corrupt at byte ${position}: ${problem}`
  log.ports.logger.error({ partition: log.name, path: segment.logPath, position }, message)
  return { kind: 'failed', errorCode: ErrorCode.CORRUPT_MESSAGE, message }
}

/** Running out of descriptors passes; any other error means that the disk does not give back what it took. */
function failedRead(log: LogState, error: NodeJS.ErrnoException): LogReadOutcome {
  if (error.code === undefined) throw error
  if (error.code !== 'EMFILE' && error.code !== 'ENFILE') log.ports.logDirectory.fail(error)
  return { kind: 'failed', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: error.message }
}
