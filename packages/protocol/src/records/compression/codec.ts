import type { Result } from '@kavka/kernel'
import type { RecordFault } from '../record-fault.ts'

/** Kafka's names; the index is the number in the attributes of a batch. */
export const COMPRESSION_CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type CompressionCodec = (typeof COMPRESSION_CODECS)[number]

/** What a reader is ready to hold of one decompressed batch, where it does not say otherwise. */
export const DECOMPRESSED_BYTES_MAX = 256 * 1024 * 1024

export interface DecompressOptions {
  readonly decompressedBytesMax: number
}

export type Decompressed = Result<Buffer, RecordFault>

/** Null for the numbers 5 to 7, which no codec has. */
export function codecOfId(id: number): CompressionCodec | null {
  return COMPRESSION_CODECS[id] ?? null
}

export function codecId(codec: CompressionCodec): number {
  return COMPRESSION_CODECS.indexOf(codec)
}
