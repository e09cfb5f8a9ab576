import { sleep } from '@kavka/kernel'
import type { Scheduler } from '@kavka/kernel'
import {
  batchesIn,
  batchIsControl,
  batchIsTransactional,
  batchMagic,
  batchProducerId,
  readControlRecord,
  recordsOf,
  verifyBatchCrc,
} from '@kavka/protocol'
import type { LogRecord } from '@kavka/protocol'
import type { PartitionView } from '@kavka/replication'
import type { CoordinatorCore } from './coordinator-core.ts'

/**
 * The high watermark of a new leader reaches its log end within a round of its followers; looked at this
 * often.
 */
const HIGH_WATERMARK_POLL_MS = 5

export type LoadOutcome =
  | { readonly kind: 'loaded'; readonly recordCount: number }
  /** The leadership ended, or started anew, while the log was read: what was replayed is worth nothing. */
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'failed'; readonly reason: string }

export interface LoadRequest {
  readonly view: PartitionView
  readonly core: CoordinatorCore
  /** Bytes read and replayed before the event loop gets a turn. */
  readonly chunkBytesMax: number
  /** Asked after every wait. */
  isCurrent(): boolean
}

/**
 * Replays a partition's log into a core, from its start to the end it had at the election. Nothing else
 * appends meanwhile: only the coordinator writes here, and it does so only when loaded.
 *
 * The end may lie beyond the high watermark: those records will be committed under this leader or, when it
 * dies first, perhaps never. Served now they could be read and then be gone. So the last step is to wait
 * until the high watermark has passed the end.
 */
export async function loadPartition(request: LoadRequest, scheduler: Scheduler): Promise<LoadOutcome> {
  const { view, core, chunkBytesMax } = request
  const end = view.log.logEndOffset
  let position = view.log.logStartOffset
  let recordCount = 0
  while (position < end) {
    const read = await view.log.read({ startOffset: position, endOffsetMax: end, bytesMax: chunkBytesMax, minimum: 'at-least-one-batch' })
    if (!request.isCurrent()) return { kind: 'abandoned' }
    if (read.kind !== 'read') return { kind: 'failed', reason: read.kind === 'failed' ? read.message : read.kind }
    if (read.nextOffset <= position) return { kind: 'failed', reason: `nothing to read at offset ${position}` }
    const bytes = read.records.length === 1 ? read.records[0]! : Buffer.concat(read.records)
    const replayed = replayBatches(core, bytes, position)
    if (replayed.kind === 'failed') return replayed
    recordCount += replayed.recordCount
    position = read.nextOffset
    await turn(scheduler)
    if (!request.isCurrent()) return { kind: 'abandoned' }
  }
  while (view.highWatermark < end) {
    await sleep(scheduler, HIGH_WATERMARK_POLL_MS)
    if (!request.isCurrent()) return { kind: 'abandoned' }
  }
  return { kind: 'loaded', recordCount }
}

type ReplayOutcome =
  | { readonly kind: 'replayed'; readonly recordCount: number }
  | { readonly kind: 'failed'; readonly reason: string }

/**
 * Feeds whole batches to a core; records before `from` belong to a batch that the read had to start with and
 * are left out.
 */
export function replayBatches(core: CoordinatorCore, bytes: Buffer, from: number): ReplayOutcome {
  let recordCount = 0
  for (const step of batchesIn(bytes)) {
    if (step.kind !== 'complete') return { kind: 'failed', reason: `batch after offset ${from} is ${step.kind}` }
    if (batchMagic(bytes, step.at) === 2 && !verifyBatchCrc(bytes, step.at)) {
      return { kind: 'failed', reason: `batch after offset ${from} has a wrong checksum` }
    }
    const records = recordsOf(bytes, step.at)
    if (!records.ok) return { kind: 'failed', reason: records.error.message }
    for (const record of records.value) {
      if (record.offset < from) continue
      replayRecord(core, bytes, step.at, record)
      recordCount++
    }
  }
  return { kind: 'replayed', recordCount }
}

function replayRecord(core: CoordinatorCore, bytes: Buffer, batchAt: number, record: LogRecord): void {
  const magic = batchMagic(bytes, batchAt)
  if (magic === 2 && batchIsControl(bytes, batchAt)) {
    replayControl(core, record, batchProducerId(bytes, batchAt))
    return
  }
  // Coordinators write keys always; a record without one says nothing.
  if (record.key === null) return
  const producerId = magic === 2 && batchIsTransactional(bytes, batchAt) ? batchProducerId(bytes, batchAt) : -1
  core.replay({ offset: record.offset, key: record.key, value: record.value, producerId })
}

function replayControl(core: CoordinatorCore, record: LogRecord, producerId: number): void {
  const control = readControlRecord(record)
  if (control.kind === 'end-transaction') core.replayMarker({ offset: record.offset, producerId, result: control.outcome })
}

function turn(scheduler: Scheduler): Promise<void> {
  return new Promise((resolve) => {
    scheduler.soon(resolve)
  })
}
