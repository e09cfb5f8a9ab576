/** What one replica's log holds, as the checkers know it: learned from each append and cut, and from the bytes on disk after a start. */
import {
  batchBaseOffset, batchBaseSequence, batchCrc, batchesIn, batchLastOffset, batchLeaderEpoch, batchMaxTimestamp, batchProducerEpoch, batchProducerId,
  batchRecordCount, verifyBatchCrc,
} from '@kavka/protocol'
import type { MemoryFileSystem } from '@kavka/testkit'

export interface ShadowBatch {
  readonly base: number
  readonly last: number
  readonly epoch: number
  /** Covers everything a client sent; payloads are unique, so it is the identity of the batch. */
  readonly crc: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly count: number
  readonly sizeBytes: number
  /** Largest of its records. */
  readonly timestampMs: number
}

export class ShadowLog {
  batches: ShadowBatch[] = []
  /** Batches known to be as the truth says, counted from the first; cut back by truncations. */
  verified = 0
  /** While the log is being cut: what lies at and above may be gone at any moment, should the process die inside. */
  cutFrom = Infinity
  /** Durable in an earlier life of the process: it stays so, though this life may end before it has synced what it found. */
  keptEnd = 0

  get end(): number {
    const last = this.batches.at(-1)
    return last === undefined ? 0 : last.last + 1
  }

  append(batch: ShadowBatch): void {
    this.batches.push(batch)
  }

  truncate(endOffset: number): void {
    while (this.batches.length > 0 && this.batches.at(-1)!.last >= endOffset) this.batches.pop()
    this.verified = Math.min(this.verified, this.batches.length)
    this.keptEnd = Math.min(this.keptEnd, endOffset)
  }

  clear(): void {
    this.batches = []
    this.verified = 0
    this.keptEnd = 0
  }

  /** Of the batch with that base offset, or -1. */
  indexOf(base: number): number {
    return indexOfBatch(this.batches, base)
  }
}

export function indexOfBatch(batches: readonly ShadowBatch[], base: number): number {
  let low = 0
  let high = batches.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const at = batches[middle]!.base
    if (at === base) return middle
    if (at < base) low = middle + 1
    else high = middle - 1
  }
  return -1
}

export function isSameBatch(a: ShadowBatch | undefined, b: ShadowBatch | undefined): boolean {
  return a !== undefined && b !== undefined && a.base === b.base && a.last === b.last && a.crc === b.crc && a.epoch === b.epoch
}

export function shadowBatchesOf(records: Buffer): ShadowBatch[] {
  const batches: ShadowBatch[] = []
  for (const step of batchesIn(records)) {
    if (step.kind !== 'complete') break
    const { at } = step
    batches.push({
      base: batchBaseOffset(records, at),
      last: batchLastOffset(records, at),
      epoch: batchLeaderEpoch(records, at),
      crc: batchCrc(records, at),
      producerId: batchProducerId(records, at),
      producerEpoch: batchProducerEpoch(records, at),
      baseSequence: batchBaseSequence(records, at),
      count: batchRecordCount(records, at),
      sizeBytes: step.sizeBytes,
      timestampMs: batchMaxTimestamp(records, at),
    })
  }
  return batches
}

/** Up to the first that is not what was written there. */
export function soundBatchesOf(records: Buffer): ShadowBatch[] {
  let at = 0
  const batches = shadowBatchesOf(records)
  const bad = batches.findIndex(({ sizeBytes }) => {
    at += sizeBytes
    return !verifyBatchCrc(records, at - sizeBytes)
  })
  return bad < 0 ? batches : batches.slice(0, bad)
}

/** Batches in the segment files of a partition's directory, in order, as the page cache shows them. */
export function batchesOnDisk(disk: MemoryFileSystem, directory: string, batchesOf: (records: Buffer) => readonly ShadowBatch[]): ShadowBatch[] {
  const batches: ShadowBatch[] = []
  if (!disk.exists(directory)) return batches
  for (const name of disk.list(directory).filter((one) => one.endsWith('.log'))) {
    const path = `${directory}/${name}`
    const content = disk.peek(path)
    let sizeBytes = 0
    for (const batch of batchesOf(content)) {
      const previous = batches.at(-1)
      const expected = previous === undefined ? Number(name.slice(0, -'.log'.length)) : previous.last + 1
      if (batch.base !== expected) return batches
      batches.push(batch)
      sizeBytes += batch.sizeBytes
    }
    if (sizeBytes < content.length) return batches
  }
  return batches
}
