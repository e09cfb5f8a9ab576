/**
 * The disk, as the storage needs it. Writes go to the page cache and are lost by a crash until `sync`;
 * creating, renaming and removing a name is durable only after `syncDirectory` of its parent.
 * Failures are Node's own errors (`code`: ENOENT, EEXIST, ENOSPC, EIO, EMFILE …).
 */
export interface FileSystem {
  /** Opens for reading, or for reading and writing; `create` makes an empty file when there is none. */
  open(path: string, mode: FileMode): File
  /** Whole content; ENOENT when missing. */
  readFile(path: string): Buffer
  /** Creates or overwrites; not durable. Use `replaceFileDurably` for files that must survive. */
  writeFile(path: string, content: string | Uint8Array): void
  exists(path: string): boolean
  /** Names in a directory, sorted; ENOENT when missing. */
  list(path: string): string[]
  isDirectory(path: string): boolean
  /** Creates parents too; fine when it exists. */
  makeDirectory(path: string): void
  rename(from: string, to: string): void
  /** ENOENT when missing. */
  removeFile(path: string): void
  /** Removes a directory and all in it; fine when missing. */
  removeDirectory(path: string): void
  /** A file, or a directory and all in it, without stalling the event loop: freeing the blocks of a large file takes long. Fine when missing. */
  removeInBackground(path: string): Promise<void>
  sizeBytes(path: string): number
  /** When the content of a file was last changed, in milliseconds since the Unix epoch; ENOENT when missing. */
  modifiedMs(path: string): number
  syncDirectory(path: string): void
  /** As `syncDirectory`, without stalling the event loop: the names as of the call are durable when it resolves. */
  syncDirectoryInBackground(path: string): Promise<void>
  /** Bytes of the file system that holds `path`. */
  space(path: string): { readonly totalBytes: number; readonly usableBytes: number }
}

export type FileMode = 'read' | 'read-write' | 'create'

/** One open file; positions are explicit, nothing seeks. */
export interface File {
  readonly path: string
  sizeBytes(): number
  /** Returns the bytes read, fewer than `length` only at the end of the file. */
  readSync(target: Buffer, targetOffset: number, length: number, position: number): number
  read(target: Buffer, targetOffset: number, length: number, position: number): Promise<number>
  /** Writes all of `buffers` or throws; on a throw any prefix may have been written. */
  writevSync(buffers: readonly Uint8Array[], position: number): void
  truncateSync(sizeBytes: number): void
  /** Everything written before the call is on the disk when it resolves. After a failure the content on disk is unknown: never retry. */
  sync(): Promise<void>
  syncSync(): void
  close(): void
}

/** Whether the system refused a file operation. What a program did wrong, as an offset outside of a buffer, has codes of Node's own: `ERR_…`. */
export function isDiskError(error: unknown): error is NodeJS.ErrnoException {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && !code.startsWith('ERR_')
}

/** Replaces `path` so that after a crash it holds either the old content or the new one, whole: write a temporary, sync, rename, sync the directory. */
export function replaceFileDurably(fs: FileSystem, path: string, content: string | Uint8Array): void {
  const temporary = `${path}.tmp`
  fs.writeFile(temporary, content)
  const file = fs.open(temporary, 'read-write')
  try {
    file.syncSync()
  } finally {
    file.close()
  }
  fs.rename(temporary, path)
  fs.syncDirectory(path.slice(0, Math.max(1, path.lastIndexOf('/'))))
}
