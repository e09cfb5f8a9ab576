import { success } from '@kavka/kernel'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Decompressed, DecompressOptions } from './codec.ts'
import { zlibOutcome } from './zlib-outcome.ts'

/** Kafka's `compression.zstd.level`: -131072 to 22, its default 3. */
const LEVEL_DEFAULT = 3

export function zstdCompress(data: Buffer, level = LEVEL_DEFAULT): Buffer {
  return zstdCompressSync(data, { params: { [constants.ZSTD_c_compressionLevel]: level } })
}

/** No bytes at all are no records; anything after the frames is an error. */
export function zstdDecompress(data: Buffer, options: DecompressOptions): Decompressed {
  if (data.length === 0) return success(data)
  return zlibOutcome('zstd', options, () => zstdDecompressSync(data, { maxOutputLength: options.decompressedBytesMax }))
}
