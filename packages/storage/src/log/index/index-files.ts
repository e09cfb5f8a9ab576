/**
 * Reading and writing the files beside a segment. They are only ever added to, so that what a sync has covered survives a crash; a
 * read after one takes the entries that ascend and leaves the rest.
 */
import { replaceFileDurably } from '@kavka/kernel'
import type { FileSystem } from '@kavka/kernel'
import { readFileIfThere } from '../../files/read-file-if-there.ts'

/** `heldBytes` when nothing is known of a file, or it is none of this segment's: it is replaced whole. */
export const UNKNOWN = -1

/** Makes a file, of which the first `heldBytes` bytes are right, hold exactly `content`. */
export function bringUpFile(fs: FileSystem, path: string, content: Buffer, heldBytes: number): void {
  // Below the recovery point a start after a crash believes what it finds: the file must never hold less than it did.
  if (heldBytes === UNKNOWN && content.length > 0) return replaceFileDurably(fs, path, content)
  const file = fs.open(path, 'create')
  try {
    const position = Math.max(0, heldBytes)
    if (heldBytes === UNKNOWN || file.sizeBytes() > content.length) file.truncateSync(Math.min(position, content.length))
    if (content.length > position) file.writevSync([content.subarray(position)], position)
  } finally {
    file.close()
  }
}

const EMPTY = Buffer.alloc(0)
/** Smaller reads come in shared memory of a few KiB, which one of them would keep alive. */
const SHARED_BYTES_MAX = 4_096

/** In memory of its own, for keeping; null when there is none. */
export function readIfThere(fs: FileSystem, path: string): Buffer | null {
  const content = readFileIfThere(fs, path)
  if (content === null) return null
  if (content.length === 0) return EMPTY
  return content.length > SHARED_BYTES_MAX ? content : ownCopy(content)
}

function ownCopy(content: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(content.length)
  content.copy(copy)
  return copy
}
