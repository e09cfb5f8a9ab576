/** Walks the batches of a segment file in large reads: for recovery, index rebuilding and producer replay. */
import type { File } from '@kavka/kernel'
import { BATCH_HEADER_BYTES, batchSizeBytes, batchStep, LOG_OVERHEAD_BYTES } from '@kavka/protocol'
import { BatchView } from './batch-view.ts'

const CHUNK_BYTES = 1024 * 1024

export interface WalkRange {
  readonly start: number
  readonly end: number
}

export type WalkEnd =
  | { readonly kind: 'end'; readonly position: number }
  | { readonly kind: 'bad'; readonly position: number; readonly message: string }

/** What a visitor makes of a batch: null to go on, `stop`, or why it is bad. The view is valid during the visit only. */
export type BatchVisitor = (batch: BatchView, position: number) => null | 'stop' | { readonly bad: string }

/** Visits whole batches from `range.start` on; ends before the first one that is partial, malformed, or that the visitor refuses. */
export function walkBatches(file: File, range: WalkRange, visit: BatchVisitor): WalkEnd {
  let chunk = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK_BYTES, range.end - range.start)))
  let chunkStart = range.start
  let chunkLength = 0
  let position = range.start
  while (position < range.end) {
    const at = position - chunkStart
    const available = chunkLength - at
    const step = available === 0 ? null : batchStep(chunk, at, chunkLength)
    if (step?.kind === 'corrupt') return { kind: 'bad', position, message: step.fault.message }
    if (step === null || step.kind === 'truncated') {
      const needed = available < LOG_OVERHEAD_BYTES ? BATCH_HEADER_BYTES : batchSizeBytes(chunk, at)
      if (position + Math.max(needed, available + 1) > range.end) return { kind: 'bad', position, message: 'the file ends within a batch' }
      if (needed > chunk.length) chunk = Buffer.allocUnsafe(needed)
      chunkStart = position
      chunkLength = file.readSync(chunk, 0, Math.min(chunk.length, range.end - position), position)
      if (chunkLength <= available) return { kind: 'bad', position, message: 'the file is shorter than its size' }
      continue
    }
    const batch = new BatchView(chunk, at)
    if (batch.magic < 2) return { kind: 'bad', position, message: `message format ${batch.magic} is not supported` }
    if (step.sizeBytes < BATCH_HEADER_BYTES) return { kind: 'bad', position, message: 'a batch is smaller than its header' }
    const verdict = visit(batch, position)
    if (verdict === 'stop') return { kind: 'end', position }
    if (verdict !== null) return { kind: 'bad', position, message: verdict.bad }
    position += step.sizeBytes
  }
  return { kind: 'end', position }
}
