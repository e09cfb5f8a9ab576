import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import type { Random } from '@kavka/kernel'

export interface FlippedBit {
  readonly at: number
  /** The bit, as a power of two. */
  readonly mask: number
}

/** A bit that was turned around in a file of a partition. */
export interface Rot extends FlippedBit {
  readonly nodeId: number
  /** Folder of the partition and name of the file. */
  readonly file: string
}

/** Turns one bit of a file around, anywhere. */
export function flipBitIn(path: string, random: Random): FlippedBit {
  const flipped: FlippedBit = { at: random.below(statSync(path).size), mask: 1 << random.below(8) }
  const file = openSync(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    readSync(file, byte, 0, 1, flipped.at)
    byte[0]! ^= flipped.mask
    writeSync(file, byte, 0, 1, flipped.at)
    return flipped
  } finally {
    closeSync(file)
  }
}
