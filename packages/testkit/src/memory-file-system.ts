/**
 * A disk in memory that forgets what was not synced. It keeps, for each file, what the page cache shows and what the platter
 * holds, and for each directory the same of its names; `crash` throws the difference away, or keeps any part of it.
 */
import type { File, FileMode, FileSystem, Random, Scheduler } from '@kavka/kernel'
import { FaultInjector, fileError } from './file-faults.ts'
import type { FileFault } from './file-faults.ts'
import { MemoryDirectory, MemoryNames } from './memory-names.ts'
import type { MemoryNode } from './memory-names.ts'
import { MemoryFile } from './memory-file.ts'
import { MemoryFileContent } from './memory-file-content.ts'

export interface MemoryFileSystemOptions {
  /** Bytes that all files together may hold. */
  readonly capacityBytes?: number
  /** How long `File.sync` and `syncDirectoryInBackground` take; needs a scheduler. */
  readonly syncDelayMs?: number
}

/** See the file's header. Paths are absolute or relative to the root; `.` and `..` are not known. */
export class MemoryFileSystem implements FileSystem {
  readonly #options: MemoryFileSystemOptions
  readonly #scheduler: Scheduler | null
  readonly #faults = new FaultInjector()
  readonly #names = new MemoryNames()
  readonly #lies = new Set<{ readonly pathIncludes: string }>()
  /** Files whose syncs were lost, by the names that they had then. */
  readonly #behind = new Map<MemoryFileContent, string>()
  #crashes = 0
  #capacityBytes: number
  /** All files together hold at most this much: counting them exactly at each write would cost more than the write. */
  #usedBytesMax = 0

  constructor(options: MemoryFileSystemOptions = {}, dependencies: { readonly scheduler?: Scheduler } = {}) {
    this.#options = options
    this.#scheduler = dependencies.scheduler ?? null
    this.#capacityBytes = options.capacityBytes ?? 2 ** 40
  }

  /** Makes operations fail until it is lifted (or has hit `times` times); returns how to lift it. */
  inject(fault: FileFault): () => void {
    return this.#faults.inject(fault)
  }

  /** Injected faults that have yet to hit, or hit again. */
  get armedFaults(): number {
    return this.#faults.size
  }

  setCapacityBytes(capacityBytes: number): void {
    this.#capacityBytes = capacityBytes
  }

  /**
   * Cuts the power: open files are dead (EIO), and of what was not synced nothing is left. With `random` any subset of the
   * unsynced writes (each perhaps torn) and of the unsynced changes of names survives, in any combination.
   */
  crash(random?: Random): void {
    this.#crashes++
    this.#usedBytesMax = Infinity
    this.#lies.clear()
    this.#behind.clear()
    this.#names.crash(random)
    for (const content of this.#names.contents()) content.crash(random)
  }

  /**
   * From now on syncs of such files report success and write nothing, until it is lifted: then the disk catches up with all that
   * was written, unless the power was cut before (lost writes).
   */
  loseSyncs(pathIncludes: string): () => void {
    const lie = { pathIncludes }
    this.#lies.add(lie)
    return () => {
      if (!this.#lies.delete(lie)) return
      for (const content of this.#behind.keys()) content.catchUp()
      this.#behind.clear()
    }
  }

  /** Files of which the disk lacks something that it said it had. */
  get lostPaths(): string[] {
    return [...this.#behind.values()]
  }

  /** Changes bytes under the feet of everybody: bit rot. */
  corrupt(path: string, position: number, bytes: Uint8Array): void {
    this.#fileAt(path).corrupt(position, bytes)
  }

  open(path: string, mode: FileMode): File {
    this.#faults.check('open', path)
    const node = this.#names.find(path)
    if (node instanceof MemoryDirectory) throw fileError('EISDIR', 'open', path)
    if (node === null && mode !== 'create') throw fileError('ENOENT', 'open', path)
    const content = node ?? this.#createFile(path)
    return this.#openFile(path, content, mode)
  }

  readFile(path: string): Buffer {
    this.#faults.check('read', path)
    return this.#fileAt(path).copy()
  }

  /** What the page cache shows, for those who look on: no fault stands in the way. */
  peek(path: string): Buffer {
    return this.#fileAt(path).copy()
  }

  writeFile(path: string, content: string | Uint8Array): void {
    const file = this.open(path, 'create')
    file.truncateSync(0)
    file.writevSync([typeof content === 'string' ? Buffer.from(content) : content], 0)
    file.close()
  }

  exists(path: string): boolean {
    return this.#names.find(path) !== null
  }

  list(path: string): string[] {
    return [...this.#directoryAt(path, 'scandir').names.keys()].toSorted()
  }

  isDirectory(path: string): boolean {
    return this.#names.find(path) instanceof MemoryDirectory
  }

  makeDirectory(path: string): void {
    this.#faults.check('make-directory', path)
    this.#names.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#faults.check('rename', from)
    this.#names.rename(from, to)
  }

  removeFile(path: string): void {
    this.#faults.check('remove', path)
    this.#fileAt(path)
    this.#names.unlink(path)
  }

  removeDirectory(path: string): void {
    this.#faults.check('remove', path)
    if (this.exists(path)) this.#names.unlink(path)
  }

  async removeInBackground(path: string): Promise<void> {
    this.removeDirectory(path)
  }

  sizeBytes(path: string): number {
    const node = this.#names.find(path)
    if (node === null) throw fileError('ENOENT', 'stat', path)
    return node instanceof MemoryDirectory ? 4096 : node.sizeBytes
  }

  modifiedMs(path: string): number {
    return this.#fileAt(path).modifiedMs
  }

  syncDirectory(path: string): void {
    this.#faults.check('sync-directory', path)
    this.#names.sync(this.#directoryAt(path, 'fsync'))
  }

  async syncDirectoryInBackground(path: string): Promise<void> {
    const crashes = this.#crashes
    const directory = this.#directoryAt(path, 'fsync')
    const mark = this.#names.mark()
    await this.#syncDelay()
    if (crashes !== this.#crashes) throw fileError('EIO', 'fsync', path)
    this.#faults.check('sync-directory', path)
    this.#names.sync(directory, mark)
  }

  space(_path: string): { readonly totalBytes: number; readonly usableBytes: number } {
    return { totalBytes: this.#capacityBytes, usableBytes: this.#usableBytes() }
  }

  #usableBytes(): number {
    let used = 0
    for (const content of this.#names.contents()) used += content.sizeBytes
    this.#usedBytesMax = used
    return Math.max(0, this.#capacityBytes - used)
  }

  /** How much of `growth` does not fit. */
  #excessOf(growth: number): number {
    const excess = this.#usedBytesMax + growth <= this.#capacityBytes ? 0 : Math.max(0, growth - this.#usableBytes())
    this.#usedBytesMax += growth - excess
    return excess
  }

  #createFile(path: string): MemoryFileContent {
    const content = new MemoryFileContent(this.#wallMs())
    this.#names.link(path, content)
    return content
  }

  #fileAt(path: string): MemoryFileContent {
    const node = this.#names.find(path)
    if (node === null) throw fileError('ENOENT', 'open', path)
    if (node instanceof MemoryDirectory) throw fileError('EISDIR', 'read', path)
    return node
  }

  #directoryAt(path: string, call: string): MemoryDirectory {
    const node: MemoryNode | null = this.#names.find(path)
    if (node === null) throw fileError('ENOENT', call, path)
    if (!(node instanceof MemoryDirectory)) throw fileError('ENOTDIR', call, path)
    return node
  }

  #openFile(path: string, content: MemoryFileContent, mode: FileMode): File {
    const crashes = this.#crashes
    return new MemoryFile(path, content, mode, {
      isDead: () => crashes !== this.#crashes,
      beforeRead: () => this.#faults.check('read', path),
      write: (bytes, position) => this.#write(path, content, bytes, position),
      truncate: (sizeBytes) => this.#truncate(path, content, sizeBytes),
      syncDelay: () => this.#syncDelay(),
      sync: (mark) => this.#sync(path, content, mark),
    })
  }

  #truncate(path: string, content: MemoryFileContent, sizeBytes: number): void {
    this.#faults.check('truncate', path)
    content.modifiedMs = this.#wallMs()
    this.#usedBytesMax += Math.max(0, sizeBytes - content.sizeBytes)
    content.truncate(sizeBytes)
  }

  /** A write that fails leaves a prefix behind: half of it on an error, what fits on a full disk. */
  #write(path: string, content: MemoryFileContent, bytes: Uint8Array, position: number): void {
    content.modifiedMs = this.#wallMs()
    const fault = this.#faults.take('write', path)
    if (fault !== null) {
      this.#usedBytesMax = Infinity
      content.write(bytes.subarray(0, bytes.length >> 1), position)
      throw fileError(fault, 'write', path)
    }
    const growth = Math.max(0, position + bytes.length - content.sizeBytes)
    const excess = this.#excessOf(growth)
    if (excess === 0) return content.write(bytes, position)
    content.write(bytes.subarray(0, Math.max(0, bytes.length - excess)), position)
    throw fileError('ENOSPC', 'write', path)
  }

  /** As on Linux, a failed sync marks the pages clean: what it should have written will never be (fsync failures, ATC'20). */
  #sync(path: string, content: MemoryFileContent, mark: number): void {
    const fault = this.#faults.take('sync', path)
    if (fault === null) {
      if (![...this.#lies].some(({ pathIncludes }) => path.includes(pathIncludes))) return content.sync(mark)
      this.#behind.set(content, path)
      return content.forget(mark)
    }
    content.forget(mark)
    throw fileError(fault, 'fdatasync', path)
  }

  #wallMs(): number {
    return this.#scheduler?.wallMs() ?? 0
  }

  async #syncDelay(): Promise<void> {
    const scheduler = this.#scheduler
    if (scheduler === null) return
    await new Promise<void>((resolve) => {
      scheduler.after(this.#options.syncDelayMs ?? 0, resolve)
    })
  }
}
