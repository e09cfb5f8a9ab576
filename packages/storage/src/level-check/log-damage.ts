/**
 * Tells rot in a LevelDB log (its write-ahead log, its manifest) from a write that a crash cut off. LevelDB itself takes both for the latter
 * and forgets what comes after: for a vote or an acknowledged entry that is as bad as a lie (Alagappan et al., "Protocol-Aware Recovery for
 * Consensus-Based Storage", 2018).
 *
 * Every write of the store is synced before the next one begins. So a crash can leave only the last record torn, and a torn one shows it:
 * the file ends inside it, or a sector of it was never written and is all zeros. Anything else that is wrong was right once.
 */
import type { Damage } from './damage.ts'
import { FRAGMENT_HEADER_BYTES, blockEnd, fragmentAt } from './log-fragments.ts'
import type { Fragment } from './log-fragments.ts'
import { maskedCrc32c } from './masked-crc.ts'

const SECTOR_BYTES = 512

/** Null when the log is sound, or ends in a torn write. */
export function logDamage(bytes: Buffer): Damage | null {
  let recordAt = 0
  let at = 0
  while (at < bytes.length) {
    const limit = blockEnd(bytes, at)
    if (limit - at < FRAGMENT_HEADER_BYTES) {
      at = limit
      continue
    }
    const fragment = fragmentAt(bytes, at, limit)
    if (fragment.kind !== 'sound') return damageOfTail(bytes, at, recordAt, fragment)
    if (fragment.begins) recordAt = at
    at = fragment.end
  }
  return null
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
  for (let at = from + 1; at + FRAGMENT_HEADER_BYTES <= bytes.length; at++) {
    const limit = blockEnd(bytes, at)
    if (at + FRAGMENT_HEADER_BYTES >= limit) continue
    const fragment = fragmentAt(bytes, at, limit)
    if (fragment.kind === 'sound' && fragment.begins) return true
  }
  return false
}

/** Its length says more than there is, but its checksum covers exactly what there is: the length is wrong. */
function fitsUpToEnd(bytes: Buffer, at: number): boolean {
  return bytes.readUInt32LE(at) === maskedCrc32c(bytes.subarray(at + FRAGMENT_HEADER_BYTES - 1))
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
