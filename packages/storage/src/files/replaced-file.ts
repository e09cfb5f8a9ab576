/** A small file that is always replaced whole: after a crash it holds the old content or the new one. */
import { replaceFileDurably } from '@kavka/kernel'
import type { FileSystem } from '@kavka/kernel'

export class ReplacedFile {
  readonly path: string
  readonly #fs: FileSystem
  /** Counts replacements, so that a slow one in the background never undoes a later one. */
  #version = 0
  /** What the file holds, once this process has written it; a replacement by the same is none. */
  #content: string | null = null

  constructor(path: string, dependencies: { readonly fs: FileSystem }) {
    this.path = path
    this.#fs = dependencies.fs
  }

  /** On the disk when it returns. */
  replace(content: string): void {
    this.#version++
    this.#content = null
    replaceFileDurably(this.#fs, this.path, content)
    this.#content = content
  }

  /** Without stalling the event loop; on the disk, name and all, when it resolves, unless a later replacement came between. */
  async replaceInBackground(content: string): Promise<void> {
    if (content === this.#content) return
    const version = ++this.#version
    const temporary = `${this.path}.next.tmp`
    this.#fs.writeFile(temporary, content)
    const file = this.#fs.open(temporary, 'read-write')
    try {
      await file.sync()
    } finally {
      file.close()
    }
    if (version !== this.#version) return
    this.#content = null
    this.#fs.rename(temporary, this.path)
    await this.#fs.syncDirectoryInBackground(this.path.slice(0, Math.max(1, this.path.lastIndexOf('/'))))
    if (version === this.#version) this.#content = content
  }
}
