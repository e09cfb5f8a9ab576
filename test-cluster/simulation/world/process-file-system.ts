/** The disk as one incarnation of a process sees it: dead processes touch nothing, and death may come inside any operation. */
import type { File, FileMode, FileSystem } from '@kavka/kernel'
import type { MemoryFileSystem } from '@kavka/testkit'
import type { SimulatedProcess } from './process.ts'

/** Names that were changed by this process. */
export interface NameEvents {
  renamed(from: string, to: string): void
  /** A directory, to that name. */
  moved(to: string): void
  removed(path: string): void
  /** The result is called when the names of now are on the disk. */
  syncing(directory: string): () => void
}

export interface DiskEvents {
  readonly names: NameEvents
  /** Nobody knows any more what is on the disk. */
  syncFailed(): void
  /** Resolves when the disk has found what is read; null: at once. */
  reading(): Promise<void> | null
  /** Asked before each operation that changes the disk. */
  beforeChange(operation: string, path: string): void
}

export class ProcessFileSystem implements FileSystem {
  readonly #disk: MemoryFileSystem
  readonly #process: SimulatedProcess
  readonly #events: DiskEvents

  constructor(disk: MemoryFileSystem, process: SimulatedProcess, events: DiskEvents) {
    this.#disk = disk
    this.#process = process
    this.#events = events
  }

  open(path: string, mode: FileMode): File {
    if (mode === 'create') this.#change('open', path)
    else this.#enter(path)
    return this.#wrap(this.#disk.open(path, mode))
  }

  readFile(path: string): Buffer {
    this.#enter(path)
    return this.#disk.readFile(path)
  }

  writeFile(path: string, content: string | Uint8Array): void {
    const file = this.open(path, 'create')
    file.truncateSync(0)
    file.writevSync([typeof content === 'string' ? Buffer.from(content) : content], 0)
    file.close()
  }

  exists(path: string): boolean {
    this.#enter(path)
    return this.#disk.exists(path)
  }

  list(path: string): string[] {
    this.#enter(path)
    return this.#disk.list(path)
  }

  isDirectory(path: string): boolean {
    this.#enter(path)
    return this.#disk.isDirectory(path)
  }

  makeDirectory(path: string): void {
    this.#change('make-directory', path)
    this.#disk.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#change('rename', from)
    this.#disk.rename(from, to)
    if (this.#disk.isDirectory(to)) this.#events.names.moved(to)
    else this.#events.names.renamed(from, to)
  }

  removeFile(path: string): void {
    this.#change('remove', path)
    this.#disk.removeFile(path)
    this.#events.names.removed(path)
  }

  removeDirectory(path: string): void {
    this.#change('remove', path)
    this.#disk.removeDirectory(path)
  }

  async removeInBackground(path: string): Promise<void> {
    this.#change('remove', path)
    await this.#disk.removeInBackground(path)
  }

  sizeBytes(path: string): number {
    this.#enter(path)
    return this.#disk.sizeBytes(path)
  }

  syncDirectory(path: string): void {
    this.#change('sync-directory', path)
    this.#disk.syncDirectory(path)
    this.#events.names.syncing(path)()
  }

  modifiedMs(path: string): number {
    this.#enter(path)
    return this.#disk.modifiedMs(path)
  }

  async syncDirectoryInBackground(path: string): Promise<void> {
    this.#change('sync-directory', path)
    const synced = this.#events.names.syncing(path)
    await this.#noting(() => this.#disk.syncDirectoryInBackground(path))
    synced()
  }

  space(path: string): { readonly totalBytes: number; readonly usableBytes: number } {
    return this.#disk.space(path)
  }

  #enter(path: string): void {
    if (!this.#process.isAlive) throw Object.assign(new Error(`EIO: the process is dead '${path}'`), { code: 'EIO' })
  }

  #change(operation: string, path: string): void {
    this.#enter(path)
    this.#events.beforeChange(operation, path)
    this.#enter(path)
  }

  async #noting(sync: () => Promise<void>): Promise<void> {
    try {
      await sync()
    } catch (error) {
      // What is gone has nothing left to sync.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#events.syncFailed()
      throw error
    }
  }

  #wrap(file: File): File {
    const { path } = file
    return {
      path,
      sizeBytes: () => {
        this.#enter(path)
        return file.sizeBytes()
      },
      readSync: (target, targetOffset, length, position) => {
        this.#enter(path)
        return file.readSync(target, targetOffset, length, position)
      },
      read: (target, targetOffset, length, position) => {
        this.#enter(path)
        const found = this.#events.reading()
        const read = (): Promise<number> => file.read(target, targetOffset, length, position)
        return found === null ? read() : found.then(read)
      },
      writevSync: (buffers, position) => {
        this.#change('write', path)
        file.writevSync(buffers, position)
      },
      truncateSync: (sizeBytes) => {
        this.#change('truncate', path)
        file.truncateSync(sizeBytes)
      },
      sync: async () => {
        this.#change('sync', path)
        await this.#noting(() => file.sync())
      },
      syncSync: () => {
        this.#change('sync', path)
        file.syncSync()
      },
      close: () => file.close(),
    }
  }
}
