/**
 * Reading and writing the files beside a segment. They are only ever added to, so that what a sync has covered survives a crash; a
 * read after one takes the entries that ascend and leaves the rest.
 */
import type { FileSystem } from '@kavka/kernel'

/** `heldBytes` when nothing is known of a file: it is written whole. */
export const UNKNOWN = -1

/** Makes a file, of which the first `heldBytes` bytes are right, hold exactly `content`. */
export function bringUpFile(fs: FileSystem, path: string, content: Buffer, heldBytes: number): void {
  const file = fs.open(path, 'create')
  try {
    const position = Math.max(0, heldBytes)
    if (heldBytes === UNKNOWN || file.sizeBytes() > content.length) file.truncateSync(Math.min(position, content.length))
    if (content.length > position) file.writevSync([content.subarray(position)], position)
  } finally {
    file.close()
  }
}

/** Null when there is none. */
export function readIfThere(fs: FileSystem, path: string): Buffer | null {
  return fs.exists(path) ? fs.readFile(path) : null
}
