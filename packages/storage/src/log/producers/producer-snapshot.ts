/** The `.snapshot` file: version, crc32c over what follows it, count, then 46 bytes a producer (log-format: Kafka's ProducerSnapshot v1). */
import { failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import { crc32c } from './crc32c.ts'
import { int64At, writeInt64At } from '@kavka/protocol'
import { NO_SEQUENCE } from './producer-state.ts'
import type { ProducerEntry } from './producer-state.ts'

const VERSION = 1
const CRC_POSITION = 2
const CONTENT_POSITION = 6
const ENTRIES_POSITION = 10
const ENTRY_BYTES = 46

/** Only the newest batch of each producer is kept: the other four are forgotten over a restart, as in Kafka. */
export function encodeProducerSnapshot(entries: Iterable<ProducerEntry>): Buffer {
  const sorted = [...entries].toSorted((a, b) => a.producerId - b.producerId)
  const buffer = Buffer.alloc(ENTRIES_POSITION + sorted.length * ENTRY_BYTES)
  buffer.writeInt16BE(VERSION, 0)
  buffer.writeInt32BE(sorted.length, CONTENT_POSITION)
  sorted.forEach((entry, index) => encodeEntry(buffer, ENTRIES_POSITION + index * ENTRY_BYTES, entry))
  buffer.writeUInt32BE(crc32c(buffer.subarray(CONTENT_POSITION)), CRC_POSITION)
  return buffer
}

/** The error is a sentence without the file's name. */
export function decodeProducerSnapshot(buffer: Buffer): Result<ProducerEntry[], string> {
  if (buffer.length < ENTRIES_POSITION) return failure(`it has ${buffer.length} bytes, fewer than its header`)
  const version = buffer.readInt16BE(0)
  if (version !== VERSION) return failure(`its version is ${version}, expected ${VERSION}`)
  if (crc32c(buffer.subarray(CONTENT_POSITION)) !== buffer.readUInt32BE(CRC_POSITION)) return failure('its checksum is wrong')
  const count = buffer.readInt32BE(CONTENT_POSITION)
  if (buffer.length !== ENTRIES_POSITION + count * ENTRY_BYTES) return failure(`it promises ${count} producers in ${buffer.length} bytes`)
  return success(Array.from({ length: count }, (_, index) => decodeEntry(buffer, ENTRIES_POSITION + index * ENTRY_BYTES)))
}

function encodeEntry(buffer: Buffer, at: number, entry: ProducerEntry): void {
  const last = entry.batches.at(-1)
  writeInt64At(buffer, at, entry.producerId)
  buffer.writeInt16BE(entry.producerEpoch, at + 8)
  buffer.writeInt32BE(last?.lastSequence ?? NO_SEQUENCE, at + 10)
  writeInt64At(buffer, at + 14, last?.lastOffset ?? -1)
  buffer.writeInt32BE(last?.offsetDelta ?? 0, at + 22)
  writeInt64At(buffer, at + 26, entry.lastTimestampMs)
  buffer.writeInt32BE(entry.coordinatorEpoch, at + 34)
  writeInt64At(buffer, at + 38, entry.transactionStartOffset ?? -1)
}

function decodeEntry(buffer: Buffer, at: number): ProducerEntry {
  const lastOffset = int64At(buffer, at + 14)
  const timestampMs = int64At(buffer, at + 26)
  const transactionStartOffset = int64At(buffer, at + 38)
  const last = { lastSequence: buffer.readInt32BE(at + 10), lastOffset, offsetDelta: buffer.readInt32BE(at + 22), timestampMs }
  return {
    producerId: int64At(buffer, at),
    producerEpoch: buffer.readInt16BE(at + 8),
    batches: lastOffset < 0 ? [] : [last],
    lastTimestampMs: timestampMs,
    coordinatorEpoch: buffer.readInt32BE(at + 34),
    transactionStartOffset: transactionStartOffset < 0 ? null : transactionStartOffset,
  }
}
