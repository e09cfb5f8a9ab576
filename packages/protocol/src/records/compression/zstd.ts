import { assert, success } from '@kavka/kernel'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Decompressed, DecompressOptions } from './codec.ts'
import { zlibOutcome } from './zlib-outcome.ts'
import type { WithEngine } from './zlib-outcome.ts'

/** Kafka's `compression.zstd.level`: -131072 to 22, its default 3. */
const LEVEL_DEFAULT = 3

export function zstdCompress(data: Buffer, level = LEVEL_DEFAULT): Buffer {
  return zstdCompressSync(data, { params: { [constants.ZSTD_c_compressionLevel]: level } })
}

/**
 * One frame after the other until the bytes are used up; anything that is no frame is an error. Node stops
 * after the
 * first frame without a word, hence the loop.
 */
export function zstdDecompress(data: Buffer, options: DecompressOptions): Decompressed {
  const pieces: Buffer[] = []
  let left = options.decompressedBytesMax
  for (let at = 0; at < data.length;) {
    const from = at
    const frame = zlibOutcome('zstd', () => {
      const result = zstdDecompressSync(data.subarray(at), {
        maxOutputLength: left,
        info: true,
      }) as unknown as WithEngine
      at += result.engine.bytesWritten
      return result.buffer
    })
    if (!frame.ok) return frame
    assert(at > from, 'zstd used no input', { at })
    pieces.push(frame.value)
    // zlib wants a positive limit; a frame without content after the last allowed byte is no harm.
    left = Math.max(left - frame.value.length, 1)
  }
  return success(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
}
