import { createHash } from 'node:crypto'
import { batchBaseOffset, batchesIn, batchLastOffset, batchLeaderEpoch, readBatchHeader, verifyBatchCrc } from '@kavka/protocol'

export interface ScannedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  readonly maxTimestamp: number
  /** Where it begins in its segment. */
  readonly position: number
  readonly hash: string
}

export interface ScannedSegment {
  readonly batches: readonly ScannedBatch[]
  readonly problems: readonly string[]
}

const INDEX_ENTRY_BYTES = 8
const TIME_INDEX_ENTRY_BYTES = 12

/** Reads a segment from its first byte to its last and checks every batch. */
export function scanSegment(bytes: Buffer): ScannedSegment {
  const batches: ScannedBatch[] = []
  const problems: string[] = []
  for (const step of batchesIn(bytes)) {
    if (step.kind !== 'complete') {
      problems.push(`${bytes.length - step.at} bytes at ${step.at} are no batch`)
      break
    }
    if (!verifyBatchCrc(bytes, step.at)) problems.push(`bad checksum at byte ${step.at}`)
    const previous = batches.at(-1)
    const baseOffset = batchBaseOffset(bytes, step.at)
    if (previous !== undefined && baseOffset !== previous.lastOffset + 1) problems.push(`offset ${baseOffset} follows ${previous.lastOffset}`)
    batches.push({
      baseOffset, lastOffset: batchLastOffset(bytes, step.at), leaderEpoch: batchLeaderEpoch(bytes, step.at), position: step.at,
      maxTimestamp: readBatchHeader(bytes, step.at).maxTimestamp,
      hash: createHash('sha1').update(bytes.subarray(step.at, step.at + step.sizeBytes)).digest('base64'),
    })
  }
  return { batches, problems }
}

/** Every entry names the batch that begins at its position; entries ascend. */
export function checkOffsetIndex(index: Buffer, baseOffset: number, batches: readonly ScannedBatch[]): string[] {
  const byPosition = new Map(batches.map((batch) => [batch.position, batch]))
  const problems: string[] = []
  let last = -1
  for (let at = 0; at + INDEX_ENTRY_BYTES <= index.length; at += INDEX_ENTRY_BYTES) {
    const relative = index.readInt32BE(at)
    const position = index.readInt32BE(at + 4)
    if (relative === 0 && position === 0) continue
    const batch = byPosition.get(position)
    if (relative <= last) problems.push(`index entry ${at / INDEX_ENTRY_BYTES} does not ascend`)
    if (batch === undefined || batch.lastOffset !== baseOffset + relative) problems.push(`index entry ${at / INDEX_ENTRY_BYTES}: no batch ends with ${baseOffset + relative} at byte ${position}`)
    last = relative
  }
  return problems
}

/** Every entry is the largest timestamp up to the batch of its offset. */
export function checkTimeIndex(index: Buffer, baseOffset: number, batches: readonly ScannedBatch[]): string[] {
  const problems: string[] = []
  let next = 0
  let largest = -1
  for (let at = 0; at + TIME_INDEX_ENTRY_BYTES <= index.length; at += TIME_INDEX_ENTRY_BYTES) {
    const timestamp = Number(index.readBigInt64BE(at))
    const offset = baseOffset + index.readInt32BE(at + 8)
    if (timestamp === 0 && offset === baseOffset) continue
    for (; next < batches.length && batches[next]!.baseOffset <= offset; next++) largest = Math.max(largest, batches[next]!.maxTimestamp)
    if (largest !== timestamp) problems.push(`time index: ${timestamp} up to offset ${offset}, the batches say ${largest}`)
  }
  return problems
}

/** `leader-epoch-checkpoint` against the epochs that the batches carry. */
export function checkEpochs(checkpoint: string, batches: readonly ScannedBatch[]): string[] {
  const entries = checkpoint.split('\n').slice(2).filter((line) => line !== '').map((line) => line.split(' ').map(Number) as [number, number])
  const problems: string[] = []
  entries.forEach(([epoch, start], index) => {
    const before = entries[index - 1]
    if (before !== undefined && (epoch <= before[0] || start < before[1])) problems.push(`epoch ${epoch} at ${start} follows ${before.join(' at ')}`)
  })
  let at = 0
  for (const batch of batches) {
    while (at + 1 < entries.length && entries[at + 1]![1] <= batch.baseOffset) at++
    const entry = entries[at]
    if (entry === undefined || entry[1] > batch.baseOffset || entry[0] !== batch.leaderEpoch) {
      problems.push(`offset ${batch.baseOffset} was written in epoch ${batch.leaderEpoch}, the checkpoint says ${entry?.[0] ?? 'nothing'}`)
    }
  }
  return problems
}
