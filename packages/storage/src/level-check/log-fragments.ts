/**
 * The fragments of a LevelDB log, its write-ahead log or its manifest (doc/log_format.md of LevelDB): blocks of 32 KiB; a fragment is a
 * masked CRC over type and payload (4 bytes), the payload's length (2), a type (1: all of a record, 2, 3, 4: its first, middle and last
 * part), and the payload. Fragments do not cross blocks; fewer than 7 bytes at the end of a block are zeros.
 */
import { maskedCrc32c } from './masked-crc.ts'

const BLOCK_BYTES = 32 * 1024
export const FRAGMENT_HEADER_BYTES = 7
const FULL = 1
const FIRST = 2
const LAST = 4

export type Fragment =
  | { readonly kind: 'sound'; readonly begins: boolean; readonly ends: boolean; readonly payload: Buffer; readonly end: number }
  /** Zeros, as in space that was set aside and never written. */
  | { readonly kind: 'blank' }
  | { readonly kind: 'cut-off' }
  | { readonly kind: 'wrong'; readonly reason: string }

/** Where the block of a byte ends. */
export function blockEnd(bytes: Buffer, at: number): number {
  return Math.min(bytes.length, at - (at % BLOCK_BYTES) + BLOCK_BYTES)
}

/** At least a header must fit before `end` of the block. */
export function fragmentAt(bytes: Buffer, at: number, limit: number): Fragment {
  const length = bytes.readUInt16LE(at + 4)
  const type = bytes.readUInt8(at + 6)
  if (type === 0 && length === 0) return { kind: 'blank' }
  const end = at + FRAGMENT_HEADER_BYTES + length
  if (end > limit) return limit === bytes.length ? { kind: 'cut-off' } : { kind: 'wrong', reason: 'an impossible length' }
  if (type < FULL || type > LAST) return { kind: 'wrong', reason: 'an unknown type' }
  const isRight = bytes.readUInt32LE(at) === maskedCrc32c(bytes.subarray(at + FRAGMENT_HEADER_BYTES - 1, end))
  if (!isRight) return { kind: 'wrong', reason: 'a wrong checksum' }
  const payload = bytes.subarray(at + FRAGMENT_HEADER_BYTES, end)
  return { kind: 'sound', begins: type === FULL || type === FIRST, ends: type === FULL || type === LAST, payload, end }
}

/** Whole records up to the first fragment that is not sound. */
export function* recordsOf(bytes: Buffer): Iterable<Buffer> {
  let parts: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const limit = blockEnd(bytes, at)
    if (limit - at < FRAGMENT_HEADER_BYTES) {
      at = limit
      continue
    }
    const fragment = fragmentAt(bytes, at, limit)
    if (fragment.kind !== 'sound') return
    if (fragment.begins) parts = []
    parts.push(fragment.payload)
    if (fragment.ends) yield Buffer.concat(parts)
    at = fragment.end
  }
}
