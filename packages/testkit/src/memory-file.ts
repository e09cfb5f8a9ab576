/** One open file of `MemoryFileSystem`: what its mode allows, until it is closed or the power is cut. */
import { assert } from '@kavka/kernel'
import type { File, FileMode } from '@kavka/kernel'
import { fileError } from './file-faults.ts'
import type { MemoryFileContent } from './memory-file-content.ts'

/** What the disk has a say in. */
export interface MemoryFileDisk {
  /** The power was cut since the file was opened. */
  isDead(): boolean
  beforeRead(): void
  write(bytes: Uint8Array, position: number): void
  truncate(sizeBytes: number): void
  syncDelay(): Promise<void>
  /** Of what was written up to the mark. */
  sync(mark: number): void
}

export class MemoryFile implements File {
  readonly path: string
  readonly #content: MemoryFileContent
  readonly #mode: FileMode
  readonly #disk: MemoryFileDisk
  #isOpen = true

  constructor(path: string, content: MemoryFileContent, mode: FileMode, disk: MemoryFileDisk) {
    this.path = path
    this.#content = content
    this.#mode = mode
    this.#disk = disk
  }

  sizeBytes(): number {
    this.#enter('read')
    return this.#content.sizeBytes
  }

  readSync(target: Buffer, targetOffset: number, length: number, position: number): number {
    this.#enter('read')
    this.#disk.beforeRead()
    return this.#content.read(target, targetOffset, length, position)
  }

  async read(target: Buffer, targetOffset: number, length: number, position: number): Promise<number> {
    return this.readSync(target, targetOffset, length, position)
  }

  writevSync(buffers: readonly Uint8Array[], position: number): void {
    this.#enter('write')
    this.#disk.write(buffers.length === 1 ? buffers[0]! : Buffer.concat(buffers), position)
  }

  truncateSync(sizeBytes: number): void {
    this.#enter('write')
    this.#disk.truncate(sizeBytes)
  }

  async sync(): Promise<void> {
    this.#enter('sync')
    const mark = this.#content.mark()
    await this.#disk.syncDelay()
    this.#enter('sync')
    this.#disk.sync(mark)
  }

  syncSync(): void {
    this.#enter('sync')
    this.#disk.sync(this.#content.mark())
  }

  close(): void {
    assert(this.#isOpen, 'file closed twice', { path: this.path })
    this.#isOpen = false
  }

  #enter(operation: 'read' | 'write' | 'sync'): void {
    if (!this.#isOpen) throw fileError('EBADF', operation, this.path)
    if (this.#disk.isDead()) throw fileError('EIO', operation, this.path)
    if (operation !== 'read' && this.#mode === 'read') throw fileError('EBADF', operation, this.path)
  }
}
