/**
 * The segment files that are open, bounded together: thousands of partitions must not need thousands of descriptors.
 * One that was not used lately is closed when another is needed.
 */
import { assert } from '@kavka/kernel'
import type { File, FileSystem } from '@kavka/kernel'

interface OpenFile {
  readonly file: File
  /** Asynchronous operations in flight; only an unused file is closed. */
  users: number
  /** Its name is gone: close it with the last user. */
  forgotten: boolean
  /** Since it last came up for closing (the clock algorithm): a use on the hot path costs no more than this. */
  wasUsed: boolean
}

export interface BorrowedFile {
  readonly file: File
  /** Call once, when the operation is over. */
  release(): void
}

export class OpenFiles {
  readonly #fs: FileSystem
  #openMax: number
  /** In the order in which they come up for closing. */
  readonly #open = new Map<string, OpenFile>()

  constructor(options: { readonly openFilesMax: number }, dependencies: { readonly fs: FileSystem }) {
    assert(options.openFilesMax >= 1, 'at least one file must be open at a time')
    this.#openMax = options.openFilesMax
    this.#fs = dependencies.fs
  }

  get count(): number {
    return this.#open.size
  }

  isOpen(path: string): boolean {
    return this.#open.has(path)
  }

  /** For use within this turn only; created when missing. */
  file(path: string): File {
    return this.#use(path).file
  }

  /** For an asynchronous operation. */
  borrow(path: string): BorrowedFile {
    const open = this.#use(path)
    open.users++
    return { file: open.file, release: () => this.#release(open) }
  }

  /** Before a rename or a removal: the next use opens what then has the name. */
  forget(path: string): void {
    const open = this.#open.get(path)
    if (open === undefined) return
    this.#open.delete(path)
    open.forgotten = true
    if (open.users === 0) open.file.close()
  }

  /** Closes what no operation is using; the next use opens it again. */
  closeIdle(): void {
    this.#closeIdleAbove(0)
  }

  /** The process has fewer descriptors than we were promised (sockets need them too): gives half back and settles for less. */
  giveBack(): void {
    this.#openMax = Math.max(1, this.#open.size >> 1)
    this.#closeIdleAbove(this.#openMax - 1)
  }

  closeAll(): void {
    for (const path of [...this.#open.keys()]) this.forget(path)
  }

  #use(path: string): OpenFile {
    const known = this.#open.get(path)
    if (known !== undefined) {
      known.wasUsed = true
      return known
    }
    this.#closeIdleAbove(this.#openMax - 1)
    const open: OpenFile = { file: this.#fs.open(path, 'create'), users: 0, forgotten: false, wasUsed: false }
    this.#open.set(path, open)
    return open
  }

  #closeIdleAbove(count: number): void {
    if (this.#open.size <= count) return
    // Who was used is put behind the others and comes up once more in this same loop, where it counts as unused.
    for (const [path, open] of this.#open) {
      if (open.users > 0) continue
      this.#open.delete(path)
      if (open.wasUsed) {
        open.wasUsed = false
        this.#open.set(path, open)
      } else {
        open.file.close()
      }
      if (this.#open.size <= count) return
    }
  }

  #release(open: OpenFile): void {
    assert(open.users > 0, 'file released more often than borrowed', { path: open.file.path })
    open.users--
    if (open.forgotten && open.users === 0) open.file.close()
    else this.#closeIdleAbove(this.#openMax)
  }
}
