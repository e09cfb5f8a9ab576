import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import type { Random } from '@kavka/kernel'

/** Turns one bit of a file around, anywhere; tells at which byte. */
export function flipBitIn(path: string, random: Random): number {
  const at = random.below(statSync(path).size)
  const file = openSync(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    readSync(file, byte, 0, 1, at)
    byte[0]! ^= 1 << random.below(8)
    writeSync(file, byte, 0, 1, at)
    return at
  } finally {
    closeSync(file)
  }
}
