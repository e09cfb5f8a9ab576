/** Record batches as small as the replication layer lets them be: a header in Kafka's layout and a number that tells them apart. */

const HEADER_BYTES = 61
const BASE_OFFSET_AT = 0
const LENGTH_AT = 8
const EPOCH_AT = 12
const LAST_OFFSET_DELTA_AT = 23

export interface ModelBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly epoch: number
  /** What the client wrote. */
  readonly value: number
  readonly bytes: Buffer
}

/** A batch as a client sends it: offset 0, no epoch. */
export function encodeBatch(value: number, recordCount = 1, paddingBytes = 0): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + 8 + paddingBytes)
  bytes.writeInt32BE(bytes.length - 12, LENGTH_AT)
  bytes.writeInt32BE(-1, EPOCH_AT)
  bytes.writeInt8(2, 16)
  bytes.writeInt32BE(recordCount - 1, LAST_OFFSET_DELTA_AT)
  bytes.writeDoubleBE(value, HEADER_BYTES)
  return bytes
}

/** Gives a client's batch its place, in its own memory, as a leader does. */
export function placeBatch(bytes: Buffer, baseOffset: number, epoch: number): void {
  bytes.writeBigInt64BE(BigInt(baseOffset), BASE_OFFSET_AT)
  bytes.writeInt32BE(epoch, EPOCH_AT)
}

/** The batches in `records`, in order. */
export function decodeBatches(records: Buffer): ModelBatch[] {
  const batches: ModelBatch[] = []
  for (let at = 0; at < records.length; ) {
    const length = records.readInt32BE(at + LENGTH_AT) + 12
    const bytes = records.subarray(at, at + length)
    const baseOffset = Number(bytes.readBigInt64BE(BASE_OFFSET_AT))
    batches.push({
      baseOffset,
      lastOffset: baseOffset + bytes.readInt32BE(LAST_OFFSET_DELTA_AT),
      epoch: bytes.readInt32BE(EPOCH_AT),
      value: bytes.readDoubleBE(HEADER_BYTES),
      bytes,
    })
    at += length
  }
  return batches
}
