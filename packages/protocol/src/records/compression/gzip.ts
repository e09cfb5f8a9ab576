import { gunzipSync, gzipSync } from 'node:zlib'
import type { Decompressed, DecompressOptions } from './codec.ts'
import { zlibOutcome } from './zlib-outcome.ts'

/** `level` 1 to 9, -1 for zlib's default. */
export function gzipCompress(data: Buffer, level = -1): Buffer {
  return gzipSync(data, { level })
}

/** Bytes after the end of the stream are ignored, as Kafka does. */
export function gzipDecompress(data: Buffer, options: DecompressOptions): Decompressed {
  return zlibOutcome('gzip', options, () => gunzipSync(data, { maxOutputLength: options.decompressedBytesMax }))
}
