import type { FileSystem } from '@kavka/kernel'

/** Null when there is none. One look instead of two: a start reads several small files of each of thousands of partitions. */
export function readFileIfThere(fs: FileSystem, path: string): Buffer | null {
  try {
    return fs.readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return null
  }
}
