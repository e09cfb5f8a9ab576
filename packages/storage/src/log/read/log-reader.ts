/** Reads whole batches out of one segment file: located by the index, checked before they leave (S1). */
import { batchSizeBytes, batchBaseOffset, batchLastOffset, LOG_OVERHEAD_BYTES, nextBatchBytes, verifyBatchCrc } from '@kavka/protocol'
import type { File } from '@kavka/kernel'
import type { LogReadRequest } from '../../partition-log.ts'
import type { LentMemory, ReadMemory } from './read-memory.ts'

export interface FileRange {
  /** Start of a batch at or before the one wanted. */
  readonly start: number
  readonly end: number
  /** Offsets that batches of the range can have: the checksum does not cover them. */
  readonly offsetMin: number
  readonly offsetEnd: number
  /** For the last offset of the first batch: an index entry tells, which may speak of several batches from there on. */
  readonly firstLastOffsetMax: number
}

export type FileReadOutcome =
  | { readonly kind: 'read'; readonly records: Buffer; readonly nextOffset: number; readonly memory: LentMemory }
  /** The range has no batch at or after the start offset. */
  | { readonly kind: 'nothing' }
  /** `offset`: the lowest that the damaged batch can have. */
  | { readonly kind: 'corrupt'; readonly position: number; readonly offset: number; readonly message: string }

/** Read beyond the asked size, because a read starts up to an index interval before what it wants. */
const LOOKUP_SLACK_BYTES = 8 * 1024

export async function readBatches(
  file: File,
  range: FileRange,
  request: LogReadRequest,
  memory: ReadMemory,
): Promise<FileReadOutcome> {
  let position = range.start
  let offsets: OffsetBounds = { min: range.offsetMin, end: range.offsetEnd, firstLastMax: range.firstLastOffsetMax }
  let wantedBytes = request.bytesMax + LOOKUP_SLACK_BYTES
  while (position < range.end) {
    const length = Math.min(range.end - position, wantedBytes)
    const lent = memory.lend(length)
    const count = await file.read(lent.bytes, 0, length, position)
    if (count < length) return { kind: 'corrupt', position, offset: offsets.min, message: 'the file is shorter than the log' }
    const found = selectBatches(lent.bytes, request, offsets)
    if (found.kind === 'selected') {
      return { kind: 'read', records: lent.bytes.subarray(found.start, found.end), nextOffset: found.nextOffset, memory: lent }
    }
    lent.giveBack()
    if (found.kind === 'corrupt') return { ...found, position: position + found.at }
    position += found.resumeAt
    if (found.resumeAt > 0) offsets = { min: found.offsetMin, end: range.offsetEnd, firstLastMax: Infinity }
    if (position >= range.end) return { kind: 'nothing' }
    // Less than the head of a batch tells no size: what is behind it does.
    const neededBytes = Math.max(found.sizeBytes, LOG_OVERHEAD_BYTES)
    if (neededBytes > range.end - position) return { kind: 'corrupt', position, offset: offsets.min, message: 'a batch reaches beyond the end of the log' }
    wantedBytes = Math.max(neededBytes, request.bytesMax)
  }
  return { kind: 'nothing' }
}

type Selection =
  | { readonly kind: 'selected'; readonly start: number; readonly end: number; readonly nextOffset: number }
  | { readonly kind: 'corrupt'; readonly at: number; readonly offset: number; readonly message: string }
  /** Go on reading at `resumeAt`, at least `sizeBytes` (0: unknown), with offsets from `offsetMin` on. */
  | { readonly kind: 'more'; readonly resumeAt: number; readonly sizeBytes: number; readonly offsetMin: number }

interface OffsetBounds {
  readonly min: number
  readonly end: number
  readonly firstLastMax: number
}

/** The batches of `chunk` that answer the request, up to the first that is damaged. `chunk` starts at a batch. */
function selectBatches(chunk: Buffer, request: LogReadRequest, bounds: OffsetBounds): Selection {
  const { startOffset, endOffsetMax, bytesMax, minimum } = request
  let at = 0
  let start = -1
  let { min } = bounds
  const selected = (): Selection => ({ kind: 'selected', start, end: at, nextOffset: at === start ? startOffset : min })
  while (at < chunk.length) {
    const sizeBytes = nextBatchBytes(chunk, at, chunk.length)
    if (sizeBytes === 0) break
    const hasSome = start >= 0 && at > start
    if (hasSome && at + sizeBytes - start > bytesMax) return selected()
    const problem = sizeBytes < 0 ? 'no record batch starts here' : placeProblem(chunk, at, min, bounds)
    if (problem !== null) return hasSome ? selected() : { kind: 'corrupt', at, offset: min, message: problem }
    const lastOffset = batchLastOffset(chunk, at)
    if (start < 0 && lastOffset >= startOffset) start = at
    if (start >= 0) {
      const isTooMuch = at === start && sizeBytes > bytesMax && minimum === 'none'
      if (isTooMuch || batchBaseOffset(chunk, at) >= endOffsetMax) return selected()
      if (!verifyBatchCrc(chunk, at)) {
        return hasSome ? selected() : { kind: 'corrupt', at, offset: min, message: "a batch's checksum is wrong" }
      }
    }
    min = lastOffset + 1
    at += sizeBytes
  }
  if (start >= 0 && at > start) return selected()
  return { kind: 'more', resumeAt: at, offsetMin: min, sizeBytes: chunk.length - at >= LOG_OVERHEAD_BYTES ? batchSizeBytes(chunk, at) : 0 }
}

/** A batch whose offsets rotted shows by itself, or by the one behind it, which then begins before it ends. */
function placeProblem(chunk: Buffer, at: number, min: number, bounds: OffsetBounds): string | null {
  const base = batchBaseOffset(chunk, at)
  const last = batchLastOffset(chunk, at)
  const next = at + batchSizeBytes(chunk, at)
  const isOutside = base < min || last < base || last >= bounds.end || (at === 0 && last > bounds.firstLastMax)
  const isBeyondNext = next + LOG_OVERHEAD_BYTES <= chunk.length && batchBaseOffset(chunk, next) <= last
  return isOutside || isBeyondNext ? 'a batch has offsets that cannot be here' : null
}
