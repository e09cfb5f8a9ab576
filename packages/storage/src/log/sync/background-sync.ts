/** Syncs of files that may be gone when their turn comes: a truncation or retention took them, and nothing is left to sync. */
import type { FileSystem } from '@kavka/kernel'
import type { OpenFiles } from '../../files/open-files.ts'

/** Through the descriptor that writes it. */
export function syncOpenFile(files: OpenFiles, fs: FileSystem, path: string): Promise<void> {
  return unlessGone(async () => {
    if (!files.isOpen(path) && !fs.exists(path)) return
    const borrowed = files.borrow(path)
    try {
      await borrowed.file.sync()
    } finally {
      borrowed.release()
    }
  })
}

/** Files beside the log are replaced under their names, so each sync opens what has the name now. */
export function syncFile(fs: FileSystem, path: string): Promise<void> {
  return unlessGone(async () => {
    const file = fs.open(path, 'read-write')
    try {
      await file.sync()
    } finally {
      file.close()
    }
  })
}

/** Syncs of directories: logs that wait for the same one share it. */
export class NameSyncs {
  readonly #fs: FileSystem
  /** A sync that has begun, and the one that begins after it; what changed since the first began needs the second. */
  readonly #running = new Map<string, { readonly current: Promise<void>; next: Promise<void> | null }>()

  constructor(dependencies: { readonly fs: FileSystem }) {
    this.#fs = dependencies.fs
  }

  /** Resolves when the names in the directory, as of this call, are on the disk. */
  sync(directory: string): Promise<void> {
    const running = this.#running.get(directory)
    if (running === undefined) return this.#start(directory)
    running.next ??= running.current.then(
      () => this.#start(directory),
      () => this.#start(directory),
    )
    return running.next
  }

  isRunning(directory: string): boolean {
    return this.#running.has(directory)
  }

  #start(directory: string): Promise<void> {
    const current = unlessGone(() => this.#fs.syncDirectoryInBackground(directory)).finally(() => {
      // With another to follow the directory is never seen as synced: that one begins a little after this one ended.
      if (this.#running.get(directory)?.next === null) this.#running.delete(directory)
    })
    this.#running.set(directory, { current, next: null })
    return current
  }
}

async function unlessGone(sync: () => Promise<void>): Promise<void> {
  try {
    await sync()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
