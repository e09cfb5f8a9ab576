/** Reads whole batches out of one segment file: located by the index, checked before they leave (S1). */
import { batchSizeBytes, batchBaseOffset, batchLastOffset, LOG_OVERHEAD_BYTES, nextBatchBytes, verifyBatchCrc } from '@kavka/protocol'
import type { File } from '@kavka/kernel'
import type { LogReadRequest } from '../partition-log.ts'
import type { LentMemory, ReadMemory } from './read-memory.ts'

export interface FileRange {
  /** Start of a batch at or before the one wanted. */
  readonly start: number
  readonly end: number
}

export type FileReadOutcome =
  | { readonly kind: 'read'; readonly records: Buffer; readonly nextOffset: number; readonly memory: LentMemory }
  /** The range has no batch at or after the start offset. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'corrupt'; readonly position: number; readonly message: string }

/** Read beyond the asked size, because a read starts up to an index interval before what it wants. */
const LOOKUP_SLACK_BYTES = 8 * 1024

export async function readBatches(
  file: File,
  range: FileRange,
  request: LogReadRequest,
  memory: ReadMemory,
): Promise<FileReadOutcome> {
  let position = range.start
  let wantedBytes = request.bytesMax + LOOKUP_SLACK_BYTES
  while (position < range.end) {
    const length = Math.min(range.end - position, wantedBytes)
    const lent = memory.lend(length)
    const count = await file.read(lent.bytes, 0, length, position)
    if (count < length) return { kind: 'corrupt', position, message: 'the file is shorter than the log' }
    const found = selectBatches(lent.bytes, request)
    if (found.kind === 'selected') {
      return { kind: 'read', records: lent.bytes.subarray(found.start, found.end), nextOffset: found.nextOffset, memory: lent }
    }
    lent.giveBack()
    if (found.kind === 'corrupt') return { kind: 'corrupt', position: position + found.at, message: found.message }
    position += found.resumeAt
    if (position >= range.end) return { kind: 'nothing' }
    if (found.sizeBytes > range.end - position) return { kind: 'corrupt', position, message: 'a batch reaches beyond the end of the log' }
    wantedBytes = Math.max(found.sizeBytes, request.bytesMax)
  }
  return { kind: 'nothing' }
}

type Selection =
  | { readonly kind: 'selected'; readonly start: number; readonly end: number; readonly nextOffset: number }
  | { readonly kind: 'corrupt'; readonly at: number; readonly message: string }
  /** Go on reading at `resumeAt`, at least `sizeBytes` (0: unknown). */
  | { readonly kind: 'more'; readonly resumeAt: number; readonly sizeBytes: number }

/** The batches of `chunk` that answer the request. `chunk` starts at a batch. */
function selectBatches(chunk: Buffer, request: LogReadRequest): Selection {
  const { startOffset, endOffsetMax, bytesMax, minimum } = request
  let at = 0
  let start = -1
  let nextOffset: number = startOffset
  while (at < chunk.length) {
    const sizeBytes = nextBatchBytes(chunk, at, chunk.length)
    if (sizeBytes < 0) return { kind: 'corrupt', at, message: 'no record batch starts here' }
    if (sizeBytes === 0) break
    if (start < 0 && batchLastOffset(chunk, at) < startOffset) {
      at += sizeBytes
      continue
    }
    if (start < 0) start = at
    const isFirst = at === start
    const isTooMuch = at + sizeBytes - start > bytesMax && !(isFirst && minimum === 'at-least-one-batch')
    if (isTooMuch || batchBaseOffset(chunk, at) >= endOffsetMax) return { kind: 'selected', start, end: at, nextOffset }
    if (!verifyBatchCrc(chunk, at)) return { kind: 'corrupt', at, message: "a batch's checksum is wrong" }
    nextOffset = batchLastOffset(chunk, at) + 1
    at += sizeBytes
  }
  if (start >= 0 && at > start) return { kind: 'selected', start, end: at, nextOffset }
  return { kind: 'more', resumeAt: at, sizeBytes: chunk.length - at >= LOG_OVERHEAD_BYTES ? batchSizeBytes(chunk, at) : 0 }
}
