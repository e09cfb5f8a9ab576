import { assertNever, failure, success } from '@kavka/kernel'
import { undecodable } from '../record-fault.ts'
import { codecOfId, DECOMPRESSED_BYTES_MAX } from './codec.ts'
import type { CompressionCodec, Decompressed } from './codec.ts'
import { gzipCompress, gzipDecompress } from './gzip.ts'
import { lz4Compress, lz4Decompress } from './lz4-frame.ts'
import { snappyCompress, snappyDecompress } from './snappy.ts'
import { zstdCompress, zstdDecompress } from './zstd.ts'

/**
 * Compresses the records of a batch. `level` as the topic's `compression.*.level`; snappy and lz4 have one
 * speed here.
 */
export function compress(codec: CompressionCodec, data: Buffer, level?: number): Buffer {
  switch (codec) {
    case 'none':
      return data
    case 'gzip':
      return gzipCompress(data, level)
    case 'snappy':
      return snappyCompress(data)
    case 'lz4':
      return lz4Compress(data)
    case 'zstd':
      return zstdCompress(data, level)
    default:
      return assertNever(codec)
  }
}

/** How to read compressed records. */
export interface RecordReadOptions {
  /** More than this out of one batch is a fault of kind `too-large`. */
  readonly decompressedBytesMax?: number
}

/** Decompresses the records of a batch with the codec's number; `magic` matters to lz4 only. */
export function decompress(
  id: number,
  data: Buffer,
  magic: number,
  options: RecordReadOptions = {},
): Decompressed {
  const codec = codecOfId(id)
  const decompressedBytesMax = options.decompressedBytesMax ?? DECOMPRESSED_BYTES_MAX
  switch (codec) {
    case null:
      return failure(undecodable(`Unknown compression type id: ${id}`))
    case 'none':
      return success(data)
    case 'gzip':
      return gzipDecompress(data, { decompressedBytesMax })
    case 'snappy':
      return snappyDecompress(data, { decompressedBytesMax })
    case 'lz4':
      return lz4Decompress(data, { decompressedBytesMax, headerChecksum: magic === 0 ? 'ignore' : 'verify' })
    case 'zstd':
      return zstdDecompress(data, { decompressedBytesMax })
    default:
      return assertNever(codec)
  }
}
