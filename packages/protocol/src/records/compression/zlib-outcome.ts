import { failure, success } from '@kavka/kernel'
import { tooLarge, undecodable } from '../record-fault.ts'
import type { Decompressed, DecompressOptions } from './codec.ts'

/** Runs a decompressor of node:zlib, whose errors are about the bytes and become values. */
export function zlibOutcome(codec: string, options: DecompressOptions, run: () => Buffer): Decompressed {
  try {
    return success(run())
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      return failure(tooLarge(`${codec} data grows beyond ${options.decompressedBytesMax} bytes`))
    }
    return failure(undecodable(`Failed to decompress ${codec} data: ${message}`))
  }
}
