/**
 * Verifies every block of a LevelDB table (doc/table_format.md of LevelDB). LevelDB reads them without looking at their checksums: a wrong
 * key would make a value invisible, as if it had never been written.
 *
 * A block is followed by its compression (1 byte: 0 none, 1 snappy) and a masked CRC over both (4). The footer (48 bytes) has the handles
 * (offset and size as varints) of two blocks: the meta index (filters) and the index (data). Both hold keys with handles.
 */
import { decompress } from '@kavka/protocol'
import type { Damage } from './damage.ts'
import { maskedCrc32c } from './masked-crc.ts'
import { takeVarint } from './varints.ts'
import type { Cursor } from './varints.ts'

const FOOTER_BYTES = 48
const MAGIC = Buffer.from('57fb808b247547db', 'hex')
const TRAILER_BYTES = 5
const SNAPPY = 1
const SNAPPY_CODEC = 2
const INDEX_BYTES_MAX = 64 * 1024 * 1024

interface Handle {
  readonly offset: number
  readonly size: number
}

export function tableDamage(bytes: Buffer): Damage | null {
  const footerAt = bytes.length - FOOTER_BYTES
  if (footerAt < 0) return { at: bytes.length, reason: 'the file is cut off' }
  if (!bytes.subarray(bytes.length - MAGIC.length).equals(MAGIC)) return { at: bytes.length - MAGIC.length, reason: 'no table' }
  const footer: Cursor = { bytes, at: footerAt }
  const indexes = [takeHandle(footer), takeHandle(footer)]
  return damageOfBlocks(bytes, indexes) ?? damageBehind(bytes, indexes)
}

function damageBehind(bytes: Buffer, indexes: readonly Handle[]): Damage | null {
  for (const index of indexes) {
    const handles = handlesIn(bytes, index)
    if (handles === null) return { at: index.offset, reason: 'an index that cannot be read' }
    const damage = damageOfBlocks(bytes, handles)
    if (damage !== null) return damage
  }
  return null
}

function damageOfBlocks(bytes: Buffer, handles: readonly Handle[]): Damage | null {
  for (const { offset, size } of handles) {
    const end = offset + size + TRAILER_BYTES
    if (offset < 0 || size < 0 || end > bytes.length - FOOTER_BYTES) return { at: bytes.length - FOOTER_BYTES, reason: 'a block outside of the file' }
    const isRight = bytes.readUInt32LE(end - 4) === maskedCrc32c(bytes.subarray(offset, end - 4))
    if (!isRight) return { at: offset, reason: 'a wrong checksum' }
  }
  return null
}

/** The handles that an index block of right checksum holds; null when they cannot be read. */
function handlesIn(bytes: Buffer, { offset, size }: Handle): Handle[] | null {
  const block = contentOf(bytes.subarray(offset, offset + size), bytes[offset + size]!)
  if (block === null || block.length < 4) return null
  const entriesEnd = block.length - 4 - 4 * block.readUInt32LE(block.length - 4)
  const handles: Handle[] = []
  const cursor: Cursor = { bytes: block, at: 0 }
  while (cursor.at < entriesEnd) {
    takeVarint(cursor)
    const keyBytes = takeVarint(cursor)
    const valueBytes = takeVarint(cursor)
    if (keyBytes < 0 || valueBytes < 0) return null
    cursor.at += keyBytes
    const valueEnd = cursor.at + valueBytes
    handles.push(takeHandle(cursor))
    cursor.at = valueEnd
  }
  return handles
}

function contentOf(stored: Buffer, compression: number): Buffer | null {
  if (compression !== SNAPPY) return stored
  const unpacked = decompress(SNAPPY_CODEC, stored, 2, { decompressedBytesMax: INDEX_BYTES_MAX })
  return unpacked.ok ? unpacked.value : null
}

function takeHandle(cursor: Cursor): Handle {
  return { offset: takeVarint(cursor), size: takeVarint(cursor) }
}
