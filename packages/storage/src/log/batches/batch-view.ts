/** One batch of format 2 inside a larger buffer; every getter reads the bytes, so a patched batch shows its new fields. */
import {
  batchAttributes,
  batchBaseOffset,
  batchBaseSequence,
  batchBaseTimestamp,
  batchCodecId,
  batchCrc,
  batchIsControl,
  batchIsTransactional,
  batchLastOffsetDelta,
  batchLeaderEpoch,
  batchMagic,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  batchSizeBytes,
  batchTimestampType,
} from '@kavka/protocol'

export class BatchView {
  readonly buffer: Buffer
  /** Of the batch's first byte in `buffer`. */
  readonly position: number

  constructor(buffer: Buffer, position: number) {
    this.buffer = buffer
    this.position = position
  }

  get baseOffset(): number {
    return batchBaseOffset(this.buffer, this.position)
  }

  get sizeBytes(): number {
    return batchSizeBytes(this.buffer, this.position)
  }

  get leaderEpoch(): number {
    return batchLeaderEpoch(this.buffer, this.position)
  }

  get magic(): number {
    return batchMagic(this.buffer, this.position)
  }

  get crc(): number {
    return batchCrc(this.buffer, this.position)
  }

  get attributes(): number {
    return batchAttributes(this.buffer, this.position)
  }

  get codecId(): number {
    return batchCodecId(this.buffer, this.position)
  }

  get hasLogAppendTime(): boolean {
    return batchTimestampType(this.buffer, this.position) === 'LogAppendTime'
  }

  get isTransactional(): boolean {
    return batchIsTransactional(this.buffer, this.position)
  }

  get isControl(): boolean {
    return batchIsControl(this.buffer, this.position)
  }

  get lastOffsetDelta(): number {
    return batchLastOffsetDelta(this.buffer, this.position)
  }

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }

  get baseTimestampMs(): number {
    return batchBaseTimestamp(this.buffer, this.position)
  }

  get maxTimestampMs(): number {
    return batchMaxTimestamp(this.buffer, this.position)
  }

  get producerId(): number {
    return batchProducerId(this.buffer, this.position)
  }

  get producerEpoch(): number {
    return batchProducerEpoch(this.buffer, this.position)
  }

  get baseSequence(): number {
    return batchBaseSequence(this.buffer, this.position)
  }

  get recordCount(): number {
    return batchRecordCount(this.buffer, this.position)
  }

  /** The batch as a view of its own. */
  get bytes(): Buffer {
    return this.buffer.subarray(this.position, this.position + this.sizeBytes)
  }
}
