import { failure, success } from '@kavka/kernel'
import type { Zlib } from 'node:zlib'
import { tooLarge, undecodable } from '../record-fault.ts'
import type { Decompressed } from './codec.ts'

/** What node:zlib returns with `info: true`; its types do not tell. */
export interface WithEngine {
  readonly buffer: Buffer
  /** `bytesWritten` counts the input bytes that were used up. */
  readonly engine: Zlib
}

/** Runs a decompressor of node:zlib; its errors are about the bytes (they carry a code) and become values. */
export function zlibOutcome(codec: string, run: () => Buffer): Decompressed {
  try {
    return success(run())
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    if (code === 'ERR_BUFFER_TOO_LARGE')
      return failure(tooLarge(`${codec} data grows beyond what is allowed`))
    return failure(undecodable(`Failed to decompress ${codec} data: ${message}`))
  }
}
