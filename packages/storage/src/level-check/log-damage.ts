/**
 * Tells rot in a LevelDB log (its write-ahead log, its manifest) from a write that a crash cut off. LevelDB itself takes both for the latter
 * and forgets what comes after: for a vote or an acknowledged entry that is as bad as a lie (Alagappan et al., "Protocol-Aware Recovery for
 * Consensus-Based Storage", 2018).
 *
 * Format (doc/log_format.md of LevelDB): blocks of 32 KiB; a fragment is a masked CRC over type and payload (4 bytes), the payload's
 * length (2), a type (1: all of a record, 2, 3, 4: its first, middle and last part), and the payload. Fragments do not cross blocks; fewer
 * than 7 bytes at the end of a block are zeros.
 *
 * Every write of the store is synced before the next one begins. So a crash can leave only the last record torn, and a torn one shows it:
 * the file ends inside it, or a sector of it was never written and is all zeros. Anything else that is wrong was right once.
 */
import type { Damage } from './damage.ts'
import { maskedCrc32c } from './masked-crc.ts'

const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const SECTOR_BYTES = 512
const FULL = 1
const FIRST = 2
const LAST = 4

type Fragment =
  | { readonly kind: 'sound'; readonly type: number; readonly end: number }
  /** Zeros, as in space that was set aside and never written. */
  | { readonly kind: 'blank' }
  | { readonly kind: 'cut-off' }
  | { readonly kind: 'wrong'; readonly reason: string }

/** Null when the log is sound, or ends in a torn write. */
export function logDamage(bytes: Buffer): Damage | null {
  let recordAt = 0
  let at = 0
  while (at < bytes.length) {
    const blockEnd = Math.min(bytes.length, at - (at % BLOCK_BYTES) + BLOCK_BYTES)
    if (blockEnd - at < HEADER_BYTES) {
      at = blockEnd
      continue
    }
    const fragment = fragmentAt(bytes, at, blockEnd)
    if (fragment.kind !== 'sound') return damageOfTail(bytes, at, recordAt, fragment)
    if (fragment.type === FULL || fragment.type === FIRST) recordAt = at
    at = fragment.end
  }
  return null
}

function fragmentAt(bytes: Buffer, at: number, blockEnd: number): Fragment {
  const length = bytes.readUInt16LE(at + 4)
  const type = bytes.readUInt8(at + 6)
  if (type === 0 && length === 0) return { kind: 'blank' }
  const end = at + HEADER_BYTES + length
  if (end > blockEnd) return blockEnd === bytes.length ? { kind: 'cut-off' } : { kind: 'wrong', reason: 'an impossible length' }
  if (type < FULL || type > LAST) return { kind: 'wrong', reason: 'an unknown type' }
  const isRight = bytes.readUInt32LE(at) === maskedCrc32c(bytes.subarray(at + HEADER_BYTES - 1, end))
  return isRight ? { kind: 'sound', type, end } : { kind: 'wrong', reason: 'a wrong checksum' }
}

/** What is at `at` cannot be read; its record began at `recordAt` unless it begins there. */
function damageOfTail(bytes: Buffer, at: number, recordAt: number, fragment: Exclude<Fragment, { kind: 'sound' }>): Damage | null {
  const reason = fragment.kind === 'wrong' ? fragment.reason : 'a record that is cut off'
  if (recordBeginsAfter(bytes, at)) return { at, reason: `${reason} before records that are sound` }
  if (fragment.kind === 'blank' && isZero(bytes, at, bytes.length)) return null
  if (hasUnwrittenSector(bytes, recordAt)) return null
  if (fragment.kind === 'cut-off') return fitsUpToEnd(bytes, at) ? { at, reason: 'a wrong length' } : null
  return { at, reason }
}

/** A whole record, or the first part of one, somewhere behind. Its place is unknown when a length is wrong: every byte may be it. */
function recordBeginsAfter(bytes: Buffer, from: number): boolean {
  for (let at = from + 1; at + HEADER_BYTES <= bytes.length; at++) {
    const type = bytes[at + 6]!
    if (type !== FULL && type !== FIRST) continue
    const blockEnd = Math.min(bytes.length, at - (at % BLOCK_BYTES) + BLOCK_BYTES)
    if (at + HEADER_BYTES < blockEnd && fragmentAt(bytes, at, blockEnd).kind === 'sound') return true
  }
  return false
}

/** Its length says more than there is, but its checksum covers exactly what there is: the length is wrong. */
function fitsUpToEnd(bytes: Buffer, at: number): boolean {
  return bytes.readUInt32LE(at) === maskedCrc32c(bytes.subarray(at + HEADER_BYTES - 1))
}

function hasUnwrittenSector(bytes: Buffer, from: number): boolean {
  const first = Math.ceil(from / SECTOR_BYTES) * SECTOR_BYTES
  for (let at = first; at + SECTOR_BYTES <= bytes.length; at += SECTOR_BYTES) if (isZero(bytes, at, at + SECTOR_BYTES)) return true
  return false
}

function isZero(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false
  return true
}
